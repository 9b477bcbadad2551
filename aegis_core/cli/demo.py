"""`aegis demo`: starts everything, causes a real memory leak, and shows how it is healed."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from aegis_core.domain.incident import Status
from aegis_core.errors import AegisError
from aegis_core.settings import RuntimeChoice, load

from . import words
from .ending import Ended, Ending
from .failures import CoreAway
from .follow import EVERY, Feed
from .healing import ending as ending_panel
from .healing import heal, written_lesson
from .output import Tone, busy, complain, out
from .services import START_SECONDS, Services, require_free, services_of, wait_for
from .stacks import Stack, choose
from .story import tell
from .view import EventLine

HEAL_SECONDS: Final = 150.0  # with the lesson and the stop that follow, within 180 s after the services are up
INTERRUPTED: Final = 130  # what a shell says of a command that Ctrl-C has ended

NEXT: Final = """\
Everything keeps running until Ctrl-C. What to try next, in another terminal:
  aegis simulate cpu      a busy loop, healed by a restart
  aegis simulate disk     a full disk: no restart mends that, and Aegis says so
  aegis simulate          all the faults there are
  aegis incidents list    what has happened"""


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop everything after the healing (DEMO_ONCE=1).")] = False,
    runtime: Annotated[RuntimeChoice | None, typer.Option(help="Where the target app runs (AEGIS_RUNTIME).")] = None,
) -> None:
    """Start agent, target app and dashboard, cause a real memory leak, and watch it being healed."""
    given: dict[str, Any] = {} if runtime is None else {"runtime": runtime}
    settings = load(**given)
    stays = not (once or settings.demo_once) and sys.stdout.isatty()
    services = services_of(settings)
    require_free(services)
    with Ending() as ending:
        code = _run(choose(settings), services, ending, stays)
    raise typer.Exit(code)


def _run(stack: Stack, services: Services, ending: Ending, stays: bool) -> int:
    """The demo from start to stop; returns the exit code. Whatever happens, what was started is stopped."""
    healed = False
    try:
        _bring_up(stack, services, ending)
        healed = _show(stack, services)
        if stays:
            _stay(stack, services)
        code = 0 if healed else 1
    except Ended:
        code = 0 if healed else INTERRUPTED
    except AegisError as error:
        complain(str(error))
        code = 1
    finally:
        ending.hold()
        with busy("stopping everything that the demo has started"):
            stack.stop()
    out().print(Text("Everything that the demo has started is stopped.", style=Tone.DIM))
    return code


def _bring_up(stack: Stack, services: Services, ending: Ending) -> None:
    """Start the services and wait until each of them answers. Raises AegisError."""
    console = out()
    console.print(Text.assemble(("Aegis demo", "bold"), f", {stack.title}"))
    if stack.note:
        console.print(Text(words.short(stack.note, 400), style=Tone.DIM))
    begun = time.monotonic()
    with busy("starting") as doing:
        stack.start(ending, doing)
        deadline = time.monotonic() + START_SECONDS
        for service in services.all():
            doing.tell(f"waiting for the {service.name} at {service.url}")
            wait_for(service, stack.check, deadline)
            after = f"  after {words.duration(time.monotonic() - begun)}"
            console.print(Text.assemble(("✔ ", Tone.GOOD), f"{service.name:<11} {service.url}", (after, Tone.DIM)))


def _show(stack: Stack, services: Services) -> bool:
    """Cause the fault, show its way, sum it up; tells whether it was healed."""
    core, console = services.core(), out()
    incident = heal(core, services.app(), stack.check, HEAL_SECONDS)
    lesson = written_lesson(core, incident.incident_id) if incident.attempts else None
    console.print()
    console.print(ending_panel(incident, lesson, _beside_us(stack.runbook), services.dashboard.url))
    return incident.status is Status.RESOLVED


def _beside_us(path: Path) -> str:
    """A path as people would type it here."""
    return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)


def _stay(stack: Stack, services: Services) -> None:
    """Go on until somebody ends it, and tell what happens meanwhile. Raises ChildDied."""
    console, feed, away = out(), Feed(services.core()), False
    console.print(Text(f"\n{NEXT}\n"))
    while True:
        stack.check()
        try:
            for incident, event in feed.news():
                at = f"{event.at.astimezone():%H:%M:%S}"
                console.print(EventLine(at, event.agent, tell(event), incident.container_name, most=1))
            away = False
        except CoreAway as error:
            if not away:
                console.print(Text(str(error), style=Tone.WARN))
            away = True
        time.sleep(EVERY)
