"""The trend of a series of points: robust slope, noise, and where it fell.

A point is (seconds, bytes), oldest first. Theil–Sen: the median of the slopes of all pairs of points, with the rank
interval of Sen (1968), "Estimates of the regression coefficient based on Kendall's tau", JASA 63.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import median
from typing import Final, NamedTuple

Point = tuple[float, float]

SIGMAS_PER_MAD: Final = 1.4826  # of a normal distribution
SIGMAS_OF_MIDDLE: Final = sqrt(1.5)  # a point less the mean of its two neighbours scatters this much more than a point
NINETY_PERCENT: Final = 1.645  # quantile of the normal distribution for a two-sided interval


class Trend(NamedTuple):
    """A line through points: `level` is its value at second 0, `low` and `high` bound the slope (90 %)."""

    slope: float
    low: float
    high: float
    level: float
    residual: float  # the scatter about the line, as a standard deviation


class Fall(NamedTuple):
    """From a peak down to a trough."""

    peak: Point
    trough: Point

    @property
    def height(self) -> float:
        return self.peak[1] - self.trough[1]


def trend_of(points: Sequence[Point]) -> Trend:
    """Fit a line to at least two points at different seconds; n points cost n²/2 slopes."""
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for i, earlier in enumerate(points)
        for later in points[i + 1 :]
    )
    n, pairs = len(points), len(slopes)
    doubt = NINETY_PERCENT * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    rank = max(0, round((pairs - doubt) / 2))
    slope = median(slopes)
    level = median(y - slope * t for t, y in points)
    residual = SIGMAS_PER_MAD * median(abs(y - slope * t - level) for t, y in points)
    return Trend(slope, slopes[rank], slopes[pairs - 1 - rank], level, residual)


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """Replace more points than `most` by the medians of equal stretches of time; empty stretches are left out."""
    if len(points) <= most:
        return points
    start, width = points[0][0], (points[-1][0] - points[0][0]) / most
    bins: list[list[Point]] = [[] for _ in range(most)]
    for point in points:
        bins[min(most - 1, int((point[0] - start) / width))].append(point)
    return [(median(t for t, _ in one), median(y for _, y in one)) for one in bins if one]


def noise_of(points: Sequence[Point]) -> float:
    """Estimate the scatter of single points as a standard deviation, whatever the trend; 0 of fewer than three."""
    if len(points) < 3:  # noqa: PLR2004 - a point has two neighbours
        return 0.0
    off = []
    for (t0, y0), (t1, y1), (t2, y2) in zip(points, points[1:], points[2:], strict=False):
        off.append(abs(y1 - y0 - (y2 - y0) * (t1 - t0) / (t2 - t0)))
    return SIGMAS_PER_MAD * median(off) / SIGMAS_OF_MIDDLE


def falls_of(points: Sequence[Point], least: float) -> Sequence[Fall]:
    """Find the falls by at least `least` bytes, each from its peak to its trough; the last may be going on still."""
    falls: list[Fall] = []
    peak, trough, falling = points[0], points[0], False
    for point in points:
        if falling:
            trough = min(trough, point, key=lambda one: one[1])
            if point[1] - trough[1] >= least:
                falls.append(Fall(peak, trough))
                peak, falling = point, False
        else:
            peak = max(peak, point, key=lambda one: one[1])
            if peak[1] - point[1] >= least:
                trough, falling = point, True
    return [*falls, Fall(peak, trough)] if falling else falls
