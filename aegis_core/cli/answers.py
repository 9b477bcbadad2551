"""`aegis approve`, `reject`, `comment` and `postmortem`: what people say about an incident, and what it came to."""

import getpass
from typing import Annotated, Any

import typer
from rich.text import Text

from aegis_core.domain.approval import Via

from . import words
from .client import CoreClient, core_at, path_of
from .incidents import AsJson, Url
from .output import Tone, out, print_json
from .render import question
from .view import status_text
from .wire import Detail

Id = Annotated[str, typer.Argument(metavar="ID", help="The incident.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who says so, if not who is logged in.")]
Comment = Annotated[str, typer.Option("--comment", "-c", metavar="TEXT", help="Why, in words for the others.")]
Seen = Annotated[
    int | None,
    typer.Option("--seen", metavar="VERSION", min=0, help="Only if nothing newer was asked since (as notices say)."),
]


def approve(incident_id: Id, comment: Comment = "", by: By = None, seen: Seen = None, url: Url = None) -> None:
    """Allow what an incident asks for. The first answer counts."""
    _answer("approve", incident_id, comment, by, seen, core_at(url))


def reject(incident_id: Id, comment: Comment = "", by: By = None, seen: Seen = None, url: Url = None) -> None:
    """Forbid what an incident asks for; it is left to people. The first answer counts."""
    _answer("reject", incident_id, comment, by, seen, core_at(url))


def _answer(  # noqa: PLR0917 - an answer has that many parts
    word: str, incident_id: str, comment: str, by: str | None, seen: int | None, core: CoreClient
) -> None:
    """Show what is asked, and answer just that."""
    asked = core.incident(incident_id)
    if asked.approval and asked.approval.approved is None:
        out().print(question(asked))
    body = {"by": by or login(), "comment": comment, "version": asked.version if seen is None else seen}
    after = core.read(Detail, core.post(f"{path_of(incident_id)}/{word}", {**body, "via": Via.CLI}))
    action = after.approval.action if after.approval else "It"
    done = ("is approved", Tone.GOOD) if word == "approve" else ("is refused", Tone.WARN)
    out().print(
        Text.assemble(f"{action} of {words.short(after.container_name)} ", done, ". ", status_text(after.status))
    )


def comment(
    incident_id: Id, text: Annotated[str, typer.Argument(metavar="TEXT")], by: By = None, url: Url = None
) -> None:
    """Say something about an incident, for all who follow it."""
    core_at(url).post(f"{path_of(incident_id)}/comments", {"by": by or login(), "comment": text})
    out().print("Noted.")


def postmortem(incident_id: Id, as_json: AsJson = False, url: Url = None) -> None:
    """Print the postmortem of an incident, in Markdown."""
    core = core_at(url)
    told: dict[str, Any] = core.get(f"{path_of(incident_id)}/postmortem", format="json")
    if as_json:
        return print_json(told)
    lines = core.read(str, told.get("markdown")).split("\n")
    return out().print("\n".join(words.printable(line) for line in lines), markup=False, soft_wrap=True)


def login() -> str:
    """Who is logged in here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "somebody"
