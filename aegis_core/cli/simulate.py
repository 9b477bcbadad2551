"""`aegis simulate FAULT`: causes a real fault in the target app."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from aegis_core.settings import load

from . import words
from .client import TargetApp
from .output import Tone, complain, errors, out, print_json
from .render import facts


def simulate(
    fault: Annotated[str, typer.Argument(metavar="[FAULT]", help="Which one; without it, they are listed.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as the target app answers it.")] = False,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where the target app is.")] = None,
) -> None:
    """Cause a real fault in the target app, and say what to expect."""
    app = TargetApp(url or f"http://127.0.0.1:{load().target_app_port}")
    faults = app.faults()
    if fault not in {str(one.get("name")) for one in faults}:
        _list(faults, fault, as_json)
        return
    answer = app.trigger(fault)
    if as_json:
        print_json(answer)
        return
    console = out()
    what = next((str(one.get("description", "")) for one in faults if one.get("name") == fault), "")
    console.print(Text.assemble((words.short(fault), "bold"), f" {words.short(str(answer.get('status', '')))}"))
    console.print(Text(words.short(what, 300)))
    console.print(Text(f"Expect: {words.short(str(answer.get('expect', '')), 400)}"))
    console.print(
        Text(
            f"\nSee what Aegis does: aegis incidents watch\nEnd it by hand:       curl {app.url}/reset", style=Tone.DIM
        )
    )


def _list(faults: Sequence[Mapping[str, Any]], asked_for: str, as_json: bool) -> None:
    """Show the faults; an unknown one that was asked for is an error."""
    if as_json and not asked_for:
        print_json(list(faults))
        return
    if asked_for:
        complain(f"The target app has no fault called {words.short(asked_for, 40)!r}. It has these:")
    grid = facts()
    for one in faults:
        active = Text("  (on)", style=Tone.WARN) if one.get("active") else Text("")
        grid.add_row(
            Text(words.short(str(one.get("name"))), style="bold"),
            Text(words.short(str(one.get("description")), 300)) + active,
        )
    (errors() if asked_for else out()).print(grid)
    if asked_for:
        raise typer.Exit(2)
