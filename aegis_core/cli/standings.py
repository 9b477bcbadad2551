"""`aegis maintenance`, `quarantine` and `release`: say that a target be left alone, and that it no longer need be."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from aegis_core.domain.standing import EVERYWHERE

from . import words
from .answers import By, login
from .client import CoreClient, core_at
from .incidents import AsJson, Url
from .output import out, print_json
from .wire import Standing

Target = Annotated[str, typer.Argument(metavar="TARGET", help="Its name.")]
AnyTarget = Annotated[str, typer.Argument(metavar="[TARGET]", help="Its name; all of them where none is given.")]
Minutes = Annotated[float, typer.Option("--minutes", "-m", min=0, help="For how long.")]
Reason = Annotated[str, typer.Option("--reason", "-r", metavar="TEXT", help="Why, in words for the others.")]


def maintenance(
    target: AnyTarget = EVERYWHERE, minutes: Minutes = 60.0, reason: Reason = "", by: By = None, url: Url = None
) -> None:
    """Say that people are at work on a target, or on all of them: nothing is done meanwhile. With 0 minutes it ends."""
    said = {"by": by or login(), "reason": reason}
    if minutes:
        _say(core_at(url), f"/targets/{target}/maintenance", {**said, "minutes": minutes})
    else:
        _say(core_at(url), f"/targets/{target}/maintenance/end", said)


def quarantine(target: Target, minutes: Minutes = 60.0, reason: Reason = "", by: By = None, url: Url = None) -> None:
    """Leave a target to people for a while."""
    body = {"by": by or login(), "reason": reason, "minutes": minutes}
    _say(core_at(url), f"/targets/{target}/quarantine", body)


def release(target: Target, reason: Reason = "", by: By = None, url: Url = None) -> None:
    """Release a target from quarantine; what was tried before no longer counts."""
    _say(core_at(url), f"/targets/{target}/release", {"by": by or login(), "reason": reason})


def standings(as_json: AsJson = False, url: Url = None) -> None:
    """List what is in maintenance or quarantine."""
    core = core_at(url)
    told: dict[str, Any] = core.get("/standings")
    if as_json:
        return print_json(told)
    found = core.read(tuple[Standing, ...], told.get("items"))
    if not found:
        return out().print("Nothing is in maintenance or quarantine.")
    table = Table("target", "maintenance until", "quarantine until", "said by", "why", box=None)
    for one in found:
        moments = (_moment(one.maintenance_until), _moment(one.quarantined_until))
        table.add_row(_name(one.target), *moments, words.short(one.by or "policy"), words.short(one.reason))
    return out().print(table)


def _say(core: CoreClient, path: str, body: dict[str, Any]) -> None:
    said = core.read(Standing, core.post(path, body))
    told = [
        f"in maintenance until {_moment(said.maintenance_until)}" if said.maintenance_until else "",
        f"in quarantine until {_moment(said.quarantined_until)}" if said.quarantined_until else "",
    ]
    out().print(f"{_name(said.target)}: {', '.join(part for part in told if part) or 'nothing stands against acting'}.")


def _name(target: str) -> str:
    return "all targets" if target == EVERYWHERE else words.short(target)


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}" if at else "-"
