"""The memory of one target over hours, in little space: for leaks too slow for a series of minutes."""

from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from .target import Usage
from .trend import Point

PAUSE_SECONDS: Final = 60.0
MOST: Final = 360  # six hours


class LongSeries:
    """One sample a minute: 6 KiB. Not for several threads."""

    def __init__(self) -> None:
        self._seconds = array("d")
        self._bytes = array("d")

    def add(self, usage: Usage) -> None:
        """Take in a sample, unless the last one taken is less than a minute old."""
        at = usage.at.timestamp()
        if self._seconds and 0 <= at - self._seconds[-1] < PAUSE_SECONDS:
            return
        if self._seconds and at < self._seconds[-1]:
            self.clear()  # the clock was set back: what is from the future cannot be ordered
        self._seconds.append(at)
        self._bytes.append(usage.memory_bytes)
        del self._seconds[:-MOST], self._bytes[:-MOST]

    def clear(self) -> None:
        """Forget everything: the target is another one, or was started anew."""
        del self._seconds[:], self._bytes[:]

    def points(self, since: datetime | None = None) -> Sequence[Point]:
        """Return the samples since a moment as (POSIX seconds, bytes), oldest first."""
        begin = since.timestamp() if since else 0.0
        return [point for point in zip(self._seconds, self._bytes, strict=True) if point[0] >= begin]
