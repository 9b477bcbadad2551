"""`aegis incidents` and `aegis runbook`: what a running agent knows."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from aegis_core.domain.incident import CLOSED, Status
from aegis_core.domain.signal import Fault

from . import words
from .client import CoreClient, core_at, path_of
from .follow import Feed, Follower, looks, target_of
from .output import Tone, out, print_json
from .render import incident_page, incident_table, lesson_page
from .scene import Scene
from .story import tell, way
from .view import EventLine, status_text
from .wire import Brief, Detail, Happening

commands = typer.Typer(no_args_is_help=True, help="List, show and watch incidents.")

Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="Where Aegis is, if not where the settings say.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the API answers it.")]


@commands.command("list")
def show_list(  # noqa: PLR0917 - typer makes options of them
    status: Annotated[Status | None, typer.Option(help="Only in this status.", case_sensitive=False)] = None,
    target: Annotated[str | None, typer.Option(help="Only of this target.")] = None,
    fault: Annotated[Fault | None, typer.Option(help="Only with this fault.", case_sensitive=False)] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List incidents, newest first."""
    core = core_at(url)
    body = core.get("/incidents", status=status, target=target, fault=fault, open=only_open or None, limit=limit)
    if as_json:
        return print_json(body)
    console = out()
    found = core.read(tuple[Brief, ...], body.get("items"))
    if not found:
        console.print("No incidents.")
        return None
    console.print(incident_table(found, datetime.now(UTC), console.width))
    more = core.read(int, body.get("total")) - len(found)
    if more > 0:
        console.print(Text(f"\n{words.counted(more, 'older incident')} not shown; see --limit.", style=Tone.DIM))
    return None


@commands.command()
def show(incident_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False, url: Url = None) -> None:
    """Show one incident: evidence, diagnosis, decision, verification and timeline."""
    core = core_at(url)
    if as_json:
        events = core.get(f"{path_of(incident_id)}/events").get("items")
        return print_json({**core.get(path_of(incident_id)), "events": events})
    page = incident_page(core.incident(incident_id), core.events(incident_id), datetime.now(UTC))
    return out().print(page)


@commands.command()
def watch(
    incident_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this one, until it ends.")] = None,
    url: Url = None,
) -> None:
    """Follow incidents while they happen. Ctrl-C ends it."""
    core = core_at(url)
    try:
        if incident_id:
            watch_one(core, core.incident(incident_id))
        else:
            watch_all(core)
    except KeyboardInterrupt:
        out().print()


def watch_one(core: CoreClient, incident: Detail) -> None:
    """Show one incident until it has ended. Raises CoreAway, CoreRefused."""
    follower, events = Follower(core, incident.incident_id), list[Happening]()
    head = f"{words.short(incident.container_name)}: {words.spoken(incident.fault)}"
    with Scene() as scene:
        scene.say(Text(head, style="bold"), Text(words.short(incident.incident_id, 120), style=Tone.DIM))
        look = looks(lambda: (follower.news(), target_of(core, incident.container_name)), _away)
        for news, target in look:
            events += news
            scene.add(news)
            scene.show(target)
            if CLOSED & set(way(events)):
                break
    out().print(Text("It ended "), status_text(core.incident(incident.incident_id).status), sep="")


def watch_all(core: CoreClient) -> None:
    """Print the events of all incidents, until somebody ends it. Raises CoreAway, CoreRefused."""
    console, feed, begun = out(), Feed(core), False
    for news in looks(feed.news, _away):
        if not begun:
            console.print(Text(f"Watching {core.url}. Ctrl-C ends it.", style=Tone.DIM))
            begun = True
        for incident, event in news:
            at = f"{event.at.astimezone():%H:%M:%S}"
            console.print(EventLine(at, event.agent, tell(event), incident.container_name, most=1))


def _away(reason: str) -> None:
    out().print(Text(f"{reason} Waiting for it.", style=Tone.WARN))


def runbook(
    search: Annotated[str, typer.Argument(metavar="[SEARCH]", help="Words that have to stand in the lesson.")] = "",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Show what was learned: what happened, what was done, and whether it held."""
    core = core_at(url)
    if as_json:
        return print_json(core.get("/runbook", search=search or None))
    lessons = core.lessons(search)
    if not lessons:
        return out().print("No lesson fits." if search else "No lessons yet.")
    return out().print(lesson_page(lessons, datetime.now(UTC)))
