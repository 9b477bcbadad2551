"""The forecast of an OOM kill: whether memory leaks, and when it will reach its limit.

A leak is memory that grows evenly. Not a leak: memory that has fallen before by as much as it has risen now (garbage
collection), that stands still between steps (a cache), or that slows down and would end below the limit (start-up).
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Final, NamedTuple

from .model import Stored
from .signal import FORESEEN, Fault
from .symptom import Symptom
from .target import Health, TargetState, Usage
from .trend import SIGMAS_PER_MAD, Point, Trend, falls_of, noise_of, thinned, trend_of

LEAST_SAMPLES: Final = 4
LEAST_SPAN: Final = 5.0  # seconds
MOST_STALE: Final = 30.0  # seconds since the last sample
LEAST_GROWTH: Final = 0.02  # of the limit
BINS: Final = 14  # what a window is thinned to: 91 slopes
SHORTER: Final = 0.8  # each window tried against the one before
NOISES: Final = 5.0  # times the noise that the growth has to be
RESIDUALS: Final = 8.0  # times the scatter about the line that the growth has to be
FALL_NOISES: Final = 7.0  # times the noise that a fall has to be
BEYOND_FALLS: Final = 2.0  # times the deepest fall that a rise has to be before it is another thing than a tooth
SPREAD: Final = 2.0  # times the slope within which its bounds have to be
EVEN: Final = 0.25  # of the mean growth that every stretch has to have
EVEN_AT_ENDS: Final = 0.5  # the same for the first and the last stretch: the leak may have begun, or ended, in it
STRETCH: Final = 0.15  # of the span
JUMP_NOISES: Final = 6.0  # times the noise that a jump has to be
MOST_BY_JUMPS: Final = 0.7  # of the growth
FEW_JUMPS: Final = 10  # with more of them it leaks step by step
SLOWING: Final = 0.8  # times the growth before: less is no noise
SLOWING_OF_FEW: Final = 0.65  # the same where there are few samples
FLOORS: Final = 4  # of a sawtooth, before they can be said to rise
ALIKE: Final = 1.7  # times the least of the falls that the deepest may be
FLOOR_SCATTER: Final = 0.15  # of the growth of the floors

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
    noise = noise_of(points)
    least = max(FALL_NOISES * noise, LEAST_GROWTH * limit_bytes)
    falls = falls_of(points, least)
    if falls:
        begin, last = falls[-1].trough, points[-1]
        if last[1] - begin[1] <= BEYOND_FALLS * max(fall.height for fall in falls):
            near = points[-len(series) :]  # alone first: teeth that are shorter than its pauses look odd in `earlier`
            return _of_floors(near, least, limit_bytes) or _of_floors(points, least, limit_bytes)
        points = [point for point in points if point[0] >= begin[0]]
    return _of_rise(points, noise, limit_bytes)


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
    zero = now.timestamp()
    near = [(sample.at.timestamp() - zero, float(sample.memory_bytes)) for sample in series]
    points = [(at - zero, y) for at, y in earlier if at - zero < near[0][0]]
    for point in near:
        if not points or point[0] > points[-1][0]:
            points.append(point)
    return points


class _Window(NamedTuple):
    """A stretch of the series that ends now."""

    points: Sequence[Point]  # as measured
    bins: Sequence[Point]  # thinned
    trend: Trend

    @property
    def span(self) -> float:
        return self.points[-1][0] - self.points[0][0]

    @property
    def growth(self) -> float:
        return self.trend.slope * self.span

    def slopes(self, parts: int) -> tuple[float, float]:
        """The slopes of the last of so many equal parts and of the one before, the earlier first."""
        width = len(self.bins) // parts
        former, last = self.bins[-2 * width - 1 : -width], self.bins[-width - 1 :]
        return trend_of(former).slope, trend_of(last).slope


def _of_rise(points: Sequence[Point], noise: float, limit: int) -> Forecast | None:
    """Judge the longest window up to now in which memory grew evenly."""
    span = points[-1][0] - points[0][0]
    while span >= LEAST_SPAN:
        begin = points[-1][0] - span
        inside = [point for point in points if point[0] >= begin]
        if len(inside) < LEAST_SAMPLES or inside[-1][0] - inside[0][0] < LEAST_SPAN:
            return None
        bins = thinned(inside, BINS)
        window = _Window(inside, bins, trend_of(bins))
        if _certain(window, noise, limit) and _even(window, noise):
            before = [point for point in points if begin - span <= point[0] < begin]
            return None if _levels_off(window, before, limit) else _told(window, noise, limit)
        span *= SHORTER
    return None


def _certain(window: _Window, noise: float, limit: int) -> bool:
    """Tell whether the growth stands out from the noise, and its slope is known well enough."""
    trend, growth = window.trend, window.growth
    off = [abs(y1 - y0 - trend.slope * (t1 - t0)) for (t0, y0), (t1, y1) in pairwise(window.bins)]
    step = max(SIGMAS_PER_MAD * median(off), _bin_noise(window, noise))
    astray = step * sqrt(len(off))  # how far a random walk would get
    if growth < max(LEAST_GROWTH * limit, RESIDUALS * trend.residual, NOISES * astray):
        return False
    return trend.low * SPREAD > trend.slope and trend.high < trend.slope * SPREAD


def _bin_noise(window: _Window, noise: float) -> float:
    return noise * sqrt(len(window.bins) / len(window.points))


def _even(window: _Window, noise: float) -> bool:
    """Tell whether every stretch has its share of the growth: none stands still, none jumps."""
    bins, slope, doubt = window.bins, window.trend.slope, 2 * _bin_noise(window, noise)
    width = max(1, round(STRETCH * len(bins)))
    for begin, end in zip(bins, bins[width:], strict=False):
        share = EVEN_AT_ENDS if begin is bins[0] or end is bins[-1] else EVEN
        if end[1] - begin[1] < share * slope * (end[0] - begin[0]) - doubt:
            return False
    jumps = [y1 - y0 for (_, y0), (_, y1) in pairwise(window.points) if y1 - y0 > JUMP_NOISES * noise]
    carried = sum(jumps) > MOST_BY_JUMPS * window.growth
    return not (carried and len(jumps) < min(FEW_JUMPS, len(window.points) / 2))


def _levels_off(window: _Window, before: Sequence[Point], limit: int) -> bool:
    """Tell whether memory grows more slowly than before, and would never reach the limit if it went on slowing down.

    Growth that shrinks by the same ratio from one stretch to the next adds up to a geometric series.
    """
    few = len(window.bins) < BINS / 2
    parts = [2] if few else [2, 3]
    pairs = [(former * window.span / n, last * window.span / n) for n in parts for former, last in [window.slopes(n)]]
    if len(before) > 1:
        pairs.append((trend_of(thinned(before, BINS)).slope * window.span, window.growth))
    for former, growth in pairs:
        ratio = growth / former if former > 0 else 1.0
        left = limit - window.points[-1][1]
        if ratio < (SLOWING_OF_FEW if few else SLOWING) and growth * ratio < left * (1 - ratio):
            return True
    return False


def _told(window: _Window, noise: float, limit: int) -> Forecast:
    """Extend the line to the limit; that of the later half where the slope has changed."""
    trend, (former, slope) = window.trend, window.slopes(2)
    at, last = window.points[-1]
    left = limit - min(last + 2 * noise, trend.level + trend.slope * at)
    if SLOWING <= slope / former <= 1 / SLOWING:
        return _forecast(window.points, limit, trend.slope, (left / trend.high, left / trend.slope, left / trend.low))
    low, high = sorted((trend.slope, slope))
    seconds = (left / max(high, trend.high), left / slope, left / min(low, trend.low))
    return _forecast(window.points, limit, slope, seconds)


def _forecast(points: Sequence[Point], limit: int, slope: float, seconds: tuple[float, float, float]) -> Forecast:
    earliest, likely, latest = (max(0.0, one + points[-1][0]) for one in seconds)
    return Forecast(
        seconds_to_limit=likely,
        earliest=earliest,
        latest=latest,
        bytes_per_second=slope,
        samples=len(points),
        span_seconds=points[-1][0] - points[0][0],
        memory_bytes=int(points[-1][1]),
        limit_bytes=limit,
    )


def _of_floors(points: Sequence[Point], least: float, limit: int) -> Forecast | None:
    """Judge a sawtooth by its floors: where they rise steadily, and its peaks with them, these will reach the limit."""
    falls = falls_of(points, least)
    floors, peaks = [fall.trough for fall in falls], [fall.peak for fall in falls]
    heights = [fall.height for fall in falls]
    if len(falls) < FLOORS or max(heights) > ALIKE * min(heights):
        return None
    trend, now = trend_of(floors), points[-1][0]
    growth = trend.slope * (floors[-1][0] - floors[0][0])
    peak = median(y - trend.slope * (t - now) for t, y in peaks)
    off = [abs(y - trend.slope * (t - now) - peak) for t, y in peaks]
    scatter = max(trend.residual, SIGMAS_PER_MAD * median(off))
    steady = all(later[1] > former[1] for former, later in pairwise(floors))
    if not steady or trend.low <= 0 or growth < max(LEAST_GROWTH * limit, scatter / FLOOR_SCATTER):
        return None
    seen, left = [point for point in points if point[0] >= floors[0][0]], limit - peak
    return _forecast(seen, limit, trend.slope, (left / trend.high, left / trend.slope, left / trend.low))


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
