"""Levels: where memory, CPU and latency stand, from what was measured, how it went, and what was reported."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from aegis_core.domain.evidence import FORESEEN_LINE, Evidence
from aegis_core.domain.signal import FORESEEN

LEAST_LATENCY: Final = 1.0  # seconds; below that, nobody calls a rise an outage
RISE: Final = 3.0  # times its beginning that a latency has to reach
STAYS: Final = 0.8  # of the limit above which a series has to end, to be over it still
GROWTH: Final = 20.0  # points of percent that memory has to gain, and to hold, to be called growing

_NAMES: Final = {
    "memory": re.compile(
        r"^mem(?:ory)?$|^(?!.*(?:node|host|bytes|limit|free|avail)).*mem.*(?:percent|pct|us(?:age|ed)|util|%)"
    ),
    "cpu": re.compile(
        r"^cpu$|^(?!.*(?:node|host|limit|request|count|cores)).*cpu.*(?:percent|pct|us(?:age|ed)|util|%)"
    ),
    "latency": re.compile(r"latency|response.?time|duration"),
}
_FIGURE: Final = r"\d{1,12}(?:\.\d{1,9})?(?:e[+-]\d{1,3})?"
_COURSE: Final = re.compile(
    rf"^course: (?P<name>.{{1,80}}?) (?:was steady at about|went from) (?P<first>{_FIGURE})(?: ?(?P<unit>ms|s|%))?"
    rf"(?: to (?P<last>{_FIGURE}))?"
)
_HIGHEST: Final = re.compile(rf"highest ({_FIGURE})")


class Level(StrEnum):
    """Where something stands."""

    OVER = "over"  # at or above the limit; of a latency: far above where it began
    UNDER = "under"
    RISING = "rising"  # under it, and foreseen to reach it
    UNKNOWN = "unknown"


class Limits(NamedTuple):
    """The percentages at and above which memory and CPU count as trouble."""

    memory: float = 85.0
    cpu: float = 85.0


class Measured(NamedTuple):
    """A level, the evidence line that tells it, and whether it has grown and not come back."""

    level: Level
    cite: str
    grew: bool = False


class Course(NamedTuple):
    """How a series went, read out of the words of the evidence."""

    cite: str
    first: float
    last: float
    high: float


def measured(evidence: Evidence, texts: Sequence[str], what: str, limits: Limits) -> Measured:
    """Judge memory, CPU or latency. What was measured now counts before how it went, and that before what was reported.

    A value that was only reported counts for trouble, and not for its end.
    """
    courses = [one for text in texts if (one := _course(text, what)) is not None]
    if what == "latency":
        return _latency(courses, texts[0])
    limit = limits.memory if what == "memory" else limits.cpu
    grew = what == "memory" and any(one.last >= max(one.first + GROWTH, one.high * STAYS) for one in courses)
    now = _now(evidence, what)
    if what == "memory" and FORESEEN in evidence.metrics and not (now is not None and now >= limit):
        return Measured(Level.RISING, _starting(texts, FORESEEN_LINE) or texts[0], grew=True)
    if now is not None:
        line = _starting(texts, "measured: memory" if what == "memory" else "measured: CPU")
        return Measured(Level.OVER if now >= limit else Level.UNDER, line or texts[0], grew)
    over = next((one for one in courses if one.high >= limit and one.last >= limit * STAYS), None)
    if over:
        return Measured(Level.OVER, over.cite, grew)
    return _reported(evidence, texts, what, limit) or Measured(
        Level.UNDER if courses else Level.UNKNOWN, courses[0].cite if courses else texts[0], grew
    )


def _now(evidence: Evidence, what: str) -> float | None:
    usage = evidence.target.usage if evidence.target else None
    if usage is None:
        return None
    return usage.memory_percent if what == "memory" else usage.cpu_percent


def _reported(evidence: Evidence, texts: Sequence[str], what: str, limit: float) -> Measured | None:
    for name, value in sorted(evidence.metrics.items()):
        if value >= limit and _NAMES[what].search(name.lower()):
            return Measured(Level.OVER, _starting(texts, f"reported metric: {name} =") or texts[0])
    return None


def _latency(courses: Sequence[Course], signal: str) -> Measured:
    for one in courses:
        if one.last >= LEAST_LATENCY and one.last >= RISE * one.first:
            return Measured(Level.OVER, one.cite)
    return Measured(Level.UNDER, courses[0].cite) if courses else Measured(Level.UNKNOWN, signal)


def _course(text: str, what: str) -> Course | None:
    found = _COURSE.match(text)
    if found is None or not _NAMES[what].search(found["name"].lower()):
        return None
    scale = 0.001 if what == "latency" and found["unit"] == "ms" else 1.0
    first = float(found["first"]) * scale
    last = float(found["last"]) * scale if found["last"] else first
    highest = _HIGHEST.search(text)
    high = float(highest[1]) * scale if highest else max(first, last)
    return Course(text, first, last, high)


def _starting(texts: Sequence[str], prefix: str) -> str:
    return next((text for text in texts if text.startswith(prefix)), "")
