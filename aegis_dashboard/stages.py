"""The way of an incident through its stages, folded from its events: when each was entered and how long it took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from aegis_dashboard.wire import Event

ASKED: Final = "AWAITING_APPROVAL"
WAY: Final = ("RECEIVED", "ANALYZING", ASKED, "DECIDED", "EXECUTING", "VERIFYING")
"""The stages that are passed before the end, in order; a person's answer only where one is asked for."""

RESOLVED, FAILED = "RESOLVED", "FAILED"

_ENTERED: Final[Mapping[str, str]] = {
    "SignalReceived": "RECEIVED",
    "EvidenceGathered": "ANALYZING",
    "Diagnosed": "ANALYZING",
    "Rested": "ANALYZING",
    "ApprovalRequested": ASKED,
    "Approved": "DECIDED",
    "ActionIntended": "EXECUTING",
    "ActionExecuted": "VERIFYING",
    "Verified": "VERIFYING",
    "Resolved": RESOLVED,
    "Failed": FAILED,
}


class Mark(StrEnum):
    """How a stage is drawn."""

    DONE = "done"
    CURRENT = "current"
    EARLIER = "earlier"  # passed in an earlier attempt, and to be passed again
    SKIPPED = "skipped"  # the incident went on without it
    TODO = "todo"
    HEALED = "healed"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """A stage of the way. `seconds` is the time spent in it over all visits so far; None where it was not entered."""

    status: str
    mark: Mark
    at: datetime | None = None  # first entered
    seconds: float | None = None
    visits: int = 0


def status_after(event: Event, before: str | None) -> str | None:
    """The status that an incident has after an event, as the core folds it."""
    if event.type == "Decided":
        decision = event.data.get("decision")
        acts = isinstance(decision, Mapping) and decision.get("verdict") == "ACT"
        return "DECIDED" if acts else before
    return _ENTERED.get(event.type, before)


def way(events: Iterable[Event], status: str, now: datetime) -> tuple[Step, ...]:
    """Fold events into the steps to be drawn; `status` is what the core says now and has the last word."""
    stays = _stays(events, now, ended=status in {RESOLVED, FAILED})
    names = [name for name in WAY if name != ASKED or name in stays or name == status]
    names += [] if status in {*WAY, RESOLVED, FAILED} else [status]  # an unknown one stands at the end
    steps = [_step(name, _mark(name, names, stays, status), stays.get(name)) for name in names]
    end = FAILED if status == FAILED else RESOLVED
    mark = {RESOLVED: Mark.HEALED, FAILED: Mark.FAILED}.get(status, Mark.TODO)
    return (*steps, replace(_step(end, mark, stays.get(end)), seconds=None))


@dataclass
class _Stay:
    at: datetime
    seconds: float = 0.0
    visits: int = 0


def _stays(events: Iterable[Event], now: datetime, ended: bool) -> dict[str, _Stay]:
    stays: dict[str, _Stay] = {}
    current: str | None = None
    entered: datetime | None = None
    for event in events:
        after = status_after(event, current)
        if after is None or after == current:
            continue
        if current is not None and entered is not None:
            stays[current].seconds += _seconds(entered, event.at)
        stays.setdefault(after, _Stay(event.at)).visits += 1
        current, entered = after, event.at
    if current is not None and entered is not None and not ended:
        stays[current].seconds += _seconds(entered, now)
    return stays


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def _mark(name: str, names: Sequence[str], stays: Mapping[str, _Stay], status: str) -> Mark:
    if name == status:
        return Mark.CURRENT
    current = names.index(status) if status in names else len(names)
    behind = names.index(name) < current
    if name in stays:
        return Mark.DONE if behind else Mark.EARLIER
    return Mark.SKIPPED if behind else Mark.TODO


def _step(name: str, mark: Mark, stay: _Stay | None) -> Step:
    return Step(name, mark, stay.at, stay.seconds, stay.visits) if stay else Step(name, mark)
