"""Recurrence: how often the same trouble came, how long apart, and when it is to be expected again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from .model import Stored

LEAST_GAPS: Final = 2  # one gap alone says nothing about the next
MOST_SPREAD: Final = 0.35  # of the median by which the gaps may scatter and still be called regular
MOST_RATIO: Final = 3.0  # of the longest gap to the shortest
_TEENS: Final = range(11, 14)
_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


class Recurrence(Stored):
    """The same trouble more than once. `expected` is when it will come again, if it is regular and still to come."""

    count: int
    span_seconds: float  # from the first time to the last
    gap_seconds: float  # the median
    regular: bool  # the gaps are alike
    expected: tuple[datetime, datetime] | None = None  # from and until

    @property
    def words(self) -> str:
        """Tell it in one line, such as `3rd time in 80 min, about every 40 min`."""
        often = f"{ordinal(self.count)} time in {duration(self.span_seconds)}"
        return f"{often}, about every {duration(self.gap_seconds)}" if self.regular else often


def recurrence(times: Sequence[datetime], now: datetime) -> Recurrence | None:
    """Tell how the moments of the same trouble follow each other, this one included; None for fewer than two.

    Moments after `now` are left out. The trouble is expected again between the shortest and the longest gap after the
    last time.
    """
    past = sorted({at for at in times if at <= now})
    if len(past) < 2:  # noqa: PLR2004 - twice is the least that can recur
        return None
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(past)]
    gap = median(gaps)
    spread = median(abs(one - gap) for one in gaps)
    window = past[-1] + timedelta(seconds=min(gaps)), past[-1] + timedelta(seconds=max(gaps))
    regular = len(gaps) >= LEAST_GAPS and spread <= MOST_SPREAD * gap and max(gaps) <= MOST_RATIO * min(gaps)
    return Recurrence(
        count=len(past),
        span_seconds=(past[-1] - past[0]).total_seconds(),
        gap_seconds=gap,
        regular=regular,
        expected=window if regular and now <= window[1] else None,
    )


def ordinal(number: int) -> str:
    """Write `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`."""
    last = number % 10
    ending = "th" if number % 100 in _TEENS else {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
    return f"{number}{ending}"


def duration(seconds: float) -> str:
    """Write a time in the unit of which there are at least two: `90 s`, `40 min`, `2 h`, `3 d`."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
