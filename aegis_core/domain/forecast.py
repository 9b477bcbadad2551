"""The forecast of an OOM kill: whether memory leaks, and when it will reach its limit.

A leak is memory that grows steadily (rise.py). Not a leak: what has fallen before by as much as it has risen now
(garbage collection), stands still between steps (a cache), or slows down and would end below the limit (start-up).
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from .model import Stored
from .rise import LEAST_GROWTH, LEAST_SAMPLES, rise_of
from .signal import FORESEEN, Fault
from .symptom import Symptom
from .target import Health, TargetState, Usage
from .trend import Point

MOST_STALE: Final = 30.0  # seconds since the last sample
LEAST_PERCENT: Final = 60.0  # of the limit before anything is done about a leak
REACTION_SECONDS: Final = 8.0  # what noticing, deciding and restarting take
HURRY_SECONDS: Final = 20.0  # to the limit by the last two samples: a sample every other second would be too few
LOOK_AHEAD: Final = 0.5  # times the span of the leak: how far it is believed

MIB: Final = 2**20


class Forecast(Stored):
    """When memory will reach the limit if it goes on so: seconds from now, with a 90 % interval of the slope."""

    seconds_to_limit: float
    earliest: float
    latest: float
    bytes_per_second: float
    samples: int
    span_seconds: float
    limit_bytes: int
    memory_bytes: int = 0  # of the newest sample

    @property
    def memory_percent(self) -> float:
        return self.memory_bytes / self.limit_bytes * 100

    @property
    def words(self) -> str:
        """Tell it in one line."""
        early, late = _span(self.earliest), _span(self.latest)
        interval = f" ({early} to {late})" if early != late else ""
        return (
            f"a leak of {_rate(self.bytes_per_second)} over the last {_span(self.span_seconds)} reaches the limit of "
            f"{self.limit_bytes / MIB:.0f} MiB in about {_span(self.seconds_to_limit)}{interval}"
        )


def forecast(
    series: Sequence[Usage], limit_bytes: int, now: datetime, earlier: Sequence[Point] = ()
) -> Forecast | None:
    """Tell when memory will reach its limit; None where there is no steady leak.

    `series` is oldest first and begins after the last start of the target. `earlier` reaches further back and thinner,
    in POSIX seconds (LongSeries.points); what overlaps `series` is left out.
    """
    if len(series) < LEAST_SAMPLES or limit_bytes <= 0:
        return None
    lowest = min(sample.memory_bytes for sample in series)
    if series[-1].memory_bytes - min([lowest, *(y for _, y in earlier)]) < LEAST_GROWTH * limit_bytes:
        return None
    points = _points(series, now, earlier)
    if len(points) < LEAST_SAMPLES or not -MOST_STALE <= points[-1][0] <= MOST_STALE:
        return None
    rise = rise_of(points, points[-len(series) :], limit_bytes)
    if rise is None:
        return None
    (begin, _), (end, last) = rise.points[0], rise.points[-1]
    left = limit_bytes - rise.level
    earliest, likely, latest = (max(0.0, end + left / slope) for slope in (rise.high, rise.slope, rise.low))
    return Forecast(
        seconds_to_limit=likely,
        earliest=earliest,
        latest=latest,
        bytes_per_second=rise.slope,
        samples=len(rise.points),
        span_seconds=end - begin,
        limit_bytes=limit_bytes,
        memory_bytes=int(last),
    )


def leak_of(
    state: TargetState, series: Sequence[Usage], lead_seconds: float, now: datetime, earlier: Sequence[Point] = ()
) -> Symptom | None:
    """Tell whether a leak calls for action now; `series` and `earlier` as in `forecast`."""
    limit = state.limits.memory_bytes
    if not limit or not series or series[-1].memory_bytes / limit * 100 < LEAST_PERCENT:
        return None  # cheap: most targets are here
    return pressing(state, forecast(series, limit, now, earlier), lead_seconds)


def pressing(state: TargetState, seen: Forecast | None, lead_seconds: float) -> Symptom | None:
    """Tell whether a forecast calls for action now: soon enough, seen long enough, with much of the limit used.

    A rise is believed for half as long as it has been seen, so that start-up and the first tooth of a sawtooth do not
    count; only what leaves no time for that is believed at once. What has never been ready since its start is left
    alone: it would grow as much again.
    """
    if seen is None or not state.running or state.health is Health.STARTING or seen.memory_percent < LEAST_PERCENT:
        return None
    if seen.seconds_to_limit > min(lead_seconds, max(REACTION_SECONDS, LOOK_AHEAD * seen.span_seconds)):
        return None
    metrics = {"memory_percent": round(seen.memory_percent, 1), FORESEEN: round(seen.seconds_to_limit, 1)}
    return Symptom(fault=Fault.MEMORY_PRESSURE, target_id=state.ref.id, since=None, metrics=metrics, told=(seen.words,))


def hurries(series: Sequence[Usage], limit_bytes: int) -> bool:
    """Tell whether memory has just grown so fast that the next sample should not wait for its turn."""
    if len(series) < 2:  # noqa: PLR2004 - two make a slope
        return False
    former, last = series[-2:]
    seconds = (last.at - former.at).total_seconds()
    grown, left = last.memory_bytes - former.memory_bytes, limit_bytes - last.memory_bytes
    return seconds > 0 and grown > LEAST_GROWTH * limit_bytes and left * seconds < HURRY_SECONDS * grown


def _points(series: Sequence[Usage], now: datetime, earlier: Sequence[Point]) -> Sequence[Point]:
    """Put both series together, in seconds from now; what does not go forward in time is left out."""
    zero, first = now.timestamp(), series[0].at.timestamp()
    points: list[Point] = []
    far = ((at, y) for at, y in earlier if at < first)
    for at, y in chain(far, ((sample.at.timestamp(), float(sample.memory_bytes)) for sample in series)):
        if not points or at - zero > points[-1][0]:
            points.append((at - zero, y))
    return points


def _rate(bytes_per_second: float) -> str:
    """Bytes per second in the unit in which people see it."""
    for seconds, unit in ((1, "s"), (60, "min")):
        if bytes_per_second * seconds >= MIB:
            return f"{bytes_per_second * seconds / MIB:.1f} MiB/{unit}"
    return f"{bytes_per_second * 3600 / MIB:.1f} MiB/h"


def _span(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 - two hours
