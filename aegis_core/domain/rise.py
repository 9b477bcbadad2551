"""Steady growth: whether points rise so evenly that they will go on, or a sawtooth's floor does.

Not steady: what stands still between steps, what slows down and would end below the limit, what a random walk would do
as well. Points are (seconds, bytes), oldest first.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import median
from typing import Final, NamedTuple

from .trend import SIGMAS_PER_MAD, Point, Trend, falls_of, noise_of, thinned, trend_of

LEAST_SAMPLES: Final = 4
LEAST_SPAN: Final = 5.0  # seconds
LEAST_GROWTH: Final = 0.02  # of the limit
BINS: Final = 14  # what a window is thinned to: 91 slopes
SHORTER: Final = 0.8  # each window tried against the one before
NOISES: Final = 5.0  # times as far as a random walk gets, that the growth has to be
FALL_NOISES: Final = 7.0  # times the noise that a fall has to be
BEYOND_FALLS: Final = 2.0  # times the deepest fall that a rise has to be before it is another thing than a tooth
END: Final = 0.15  # of a window
EVEN: Final = 0.5  # of its share of the growth that each end has to have: a rise may have begun, or stopped, in it
SLOWING: Final = 0.8  # times the growth before: less is no noise
SLOWING_OF_FEW: Final = 0.65  # the same where there are few samples
FLOORS: Final = 4  # of a sawtooth, before they can be said to rise
ALIKE: Final = 1.7  # times the least of the falls that the deepest may be
FLOOR_SCATTER: Final = 0.15  # of the growth of the floors


class Rise(NamedTuple):
    """Growth that goes on: bytes a second with their bounds, and the bytes from which it goes on at the last point."""

    slope: float
    low: float
    high: float
    level: float
    points: Sequence[Point]  # the growth as it was measured


class _Window(NamedTuple):
    """A stretch of the points up to the last one."""

    points: Sequence[Point]  # as measured
    bins: Sequence[Point]  # thinned
    trend: Trend
    noise: float  # of a bin

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

    @property
    def speeding_up(self) -> float:
        """The slope of the later half as a ratio of that of the earlier."""
        former, last = self.slopes(2)
        return last / former if former > 0 else float("inf")


def rise_of(points: Sequence[Point], near: Sequence[Point], limit: int) -> Rise | None:
    """Find steady growth up to the last point; None where there is none.

    `near` are the last points alone, which are close together: in the others, teeth that are shorter than the pauses
    between them look odd.
    """
    noise = noise_of(points)
    least = max(FALL_NOISES * noise, LEAST_GROWTH * limit)
    falls = falls_of(points, least)
    if falls:
        begin, last = falls[-1].trough, points[-1]
        if last[1] - begin[1] <= BEYOND_FALLS * max(fall.height for fall in falls):
            return _rising_floor(near, least, limit) or _rising_floor(points, least, limit)
        points = [point for point in points if point[0] >= begin[0]]
    window = _longest_steady(points, points[-1][0] - points[0][0], noise, limit)
    if window is None or _levels_off(window, points, limit):
        return None
    return _present(window, points, noise, limit)


def _longest_steady(points: Sequence[Point], span: float, noise: float, limit: int) -> _Window | None:
    """Find the longest window, at most `span` seconds, in which the points rise evenly."""
    while span >= LEAST_SPAN:
        begin = points[-1][0] - span
        inside = [point for point in points if point[0] >= begin]
        bins = thinned(inside, BINS)
        if len(bins) < LEAST_SAMPLES or inside[-1][0] - inside[0][0] < LEAST_SPAN:
            return None
        window = _Window(inside, bins, trend_of(bins), noise * sqrt(len(bins) / len(inside)))
        if _certain(window, limit) and _even(window):
            return window
        span *= SHORTER
    return None


def _certain(window: _Window, limit: int) -> bool:
    """Tell whether the points grow by more than noise, or a random walk by the same steps, would."""
    trend = window.trend
    off = [abs(y1 - y0 - trend.slope * (t1 - t0)) for (t0, y0), (t1, y1) in pairwise(window.bins)]
    step = max(SIGMAS_PER_MAD * median(off), window.noise)
    return trend.low > 0 and window.growth >= max(LEAST_GROWTH * limit, NOISES * step * sqrt(len(off)))


def _even(window: _Window) -> bool:
    """Tell whether the points grow from the beginning of the window to its end."""
    width = max(1, round(END * len(window.bins)))
    for begin, end in ((0, width), (-width - 1, -1)):
        (t0, y0), (t1, y1) = window.bins[begin], window.bins[end]
        if y1 - y0 < EVEN * window.trend.slope * (t1 - t0) - 2 * window.noise:
            return False
    return True


def _levels_off(window: _Window, points: Sequence[Point], limit: int) -> bool:
    """Tell whether growth is slower than before, and would end below the limit if it went on slowing down.

    Growth that shrinks by the same ratio from one stretch to the next adds up to a geometric series.
    """
    span, begin = window.span, window.points[0][0]
    few = len(window.bins) < BINS / 2
    parts = [2] if few else [2, 3]
    pairs = [(former * span / n, last * span / n) for n in parts for former, last in [window.slopes(n)]]
    before = [point for point in points if begin - span <= point[0] < begin]
    if len(before) > 1:
        pairs.append((trend_of(thinned(before, BINS)).slope * span, window.growth))
    left = limit - points[-1][1]
    for former, growth in pairs:
        ratio = growth / former if former > 0 else 1.0
        if ratio < (SLOWING_OF_FEW if few else SLOWING) and growth * ratio < left * (1 - ratio):
            return True
    return False


def _present(window: _Window, points: Sequence[Point], noise: float, limit: int) -> Rise:
    """Take the slope as it is now: where growth has become faster, that of the longest window in which it has not."""
    recent = window
    while recent.speeding_up > 1 / SLOWING:
        shorter = _longest_steady(points, recent.span * SHORTER, noise, limit)
        if shorter is None:
            break
        recent = shorter
    trend = recent.trend
    slope = trend.slope if SLOWING <= recent.speeding_up <= 1 / SLOWING else recent.slopes(2)[1]
    at, last = points[-1]
    level = min(last + 2 * noise, trend.level + trend.slope * at)  # a line runs on for a while above a new plateau
    return Rise(slope, min(slope, trend.low), max(slope, trend.high), level, window.points)


def _rising_floor(points: Sequence[Point], least: float, limit: int) -> Rise | None:
    """Judge a sawtooth by its floors: where they rise steadily, and its peaks with them, these will reach the limit."""
    falls = falls_of(points, least)
    floors, peaks = [fall.trough for fall in falls], [fall.peak for fall in falls]
    heights = [fall.height for fall in falls]
    if len(falls) < FLOORS or max(heights) > ALIKE * min(heights):
        return None
    trend, end = trend_of(floors), points[-1][0]
    growth = trend.slope * (floors[-1][0] - floors[0][0])
    peak = median(y - trend.slope * (t - end) for t, y in peaks)
    off = [abs(y - trend.slope * (t - end) - peak) for t, y in peaks]
    scatter = max(trend.residual, SIGMAS_PER_MAD * median(off))
    steady = all(later[1] > former[1] for former, later in pairwise(floors))
    if not steady or trend.low <= 0 or growth < max(LEAST_GROWTH * limit, scatter / FLOOR_SCATTER):
        return None
    seen = [point for point in points if point[0] >= floors[0][0]]
    return Rise(trend.slope, trend.low, trend.high, peak, seen)
