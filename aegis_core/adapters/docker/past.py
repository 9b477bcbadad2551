"""What the engine remembers: its events, told in words and judged.

The engine keeps its 256 newest events, in memory only. Health checks alone can push the others out within a minute, so
that nothing here may be taken for complete.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from aegis_core.domain.logs import clean_line

from .client import Engine, translated

# Asking for these by name leaves out the three exec events of every health check.
TOLD: Final = (
    "create", "start", "restart", "stop", "kill", "die", "oom", "pause", "unpause", "health_status", "update", "rename",
    "destroy",
)  # fmt: skip
_ALWAYS_STOPS: Final = frozenset({2, 9, 15})  # SIGINT, SIGKILL, SIGTERM


class Happening(NamedTuple):
    """One event of one container."""

    at: datetime
    what: str  # the engine's word: start, die, "health_status: unhealthy", …
    attributes: Mapping[str, str]
    container: str = ""  # its id

    def __str__(self) -> str:
        code, number = self.attributes.get("exitCode"), self.attributes.get("signal")
        detail = f" (exit code {code})" if code else f" (signal {number})" if number else ""
        if self.what == "update":
            detail = " (of its limits or its restart policy)"
        return clean_line(f"{self.at:%H:%M:%S} {self.what}{detail}")

    def stops(self, own_signal: int) -> bool:
        """Tell whether somebody asked the engine to end the container; a `kill` may carry a mere SIGHUP."""
        if self.what != "kill":
            return self.what == "stop"
        number = self.attributes.get("signal", "")
        return number.isdecimal() and int(number) in {*_ALWAYS_STOPS, own_signal}


class Ending(Enum):
    """How the last run of a container ended, by its events."""

    ASKED = "asked"  # somebody had the engine stop or kill it
    BY_ITSELF = "by itself"
    FORGOTTEN = "forgotten"  # the engine no longer remembers


def happenings(engine: Engine, container: str, since: datetime, until: datetime) -> list[Happening]:
    """Return what the engine remembers of a container (by id) between two moments, oldest first.

    Raises RuntimeUnavailable.
    """
    if until <= since:
        return []
    filters = {"type": ["container"], "container": [container], "event": TOLD}
    with translated("asking for past events"):
        answer = engine.past_events(since, until, filters)
        return [happening_of(event) for event in answer]


def happening_of(event: Mapping[str, Any]) -> Happening:
    """Read an event as the engine sends it."""
    at = datetime.fromtimestamp(int(event["timeNano"]) // 1000 / 1_000_000, UTC)
    actor = event["Actor"]
    return Happening(at, str(event["Action"]), actor.get("Attributes") or {}, str(actor.get("ID", "")))


def ending(past: Iterable[Happening], own_signal: int) -> Ending:
    """Judge the end of the last run that is told of.

    A stop shows as `kill`, `die`, `stop`; a crash as `die` alone; the kernel's OOM kill as `oom`, `die`. What came
    before the last start belongs to an earlier run.
    """
    verdict, asked = Ending.FORGOTTEN, False
    for happening in past:
        if happening.what == "start":
            verdict, asked = Ending.FORGOTTEN, False
        elif happening.stops(own_signal):
            asked = True
            verdict = Ending.ASKED if happening.what == "stop" else verdict
        elif happening.what == "die":
            verdict = Ending.ASKED if asked else Ending.BY_ITSELF
    return verdict


def begins_anew(past: Sequence[Happening], own_signal: int) -> bool:
    """Tell whether a stop, a restart or a start is among the events. A `die` alone is a crash, and no one's doing."""
    return any(happening.what in {"start", "restart"} or happening.stops(own_signal) for happening in past)
