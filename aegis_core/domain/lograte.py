"""The rate of telling log lines against a target's own normal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from .logs import is_error

PATTERN_LABEL: Final = "aegis.log_pattern"
LEAST_LINES: Final = 5  # fewer within one interval are no rate
TIMES_NORMAL: Final = 4.0
MEMORY: Final = 0.2  # weight of the newest interval in what counts as normal
SETTLING: Final = 3  # intervals that are needed before a normal is known; until then only the least number counts


def matching(lines: Sequence[str], pattern: str) -> list[str]:
    """Choose the lines that contain one of the words of the pattern (`ERROR|timed out`), whatever their case.

    Words, not regular expressions: a label must not be able to keep the watcher busy. `*`, or nothing at all, stands
    for any error.
    """
    words = {word.strip().lower() for word in pattern.split("|")} - {""} or {"*"}
    any_error, words = "*" in words, words - {"*"}
    return [line for line in lines if any(word in line.lower() for word in words) or (any_error and is_error(line))]


class LogRate:
    """Counts matching lines per second, interval by interval."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._normal = 0.0
        self._intervals = 0

    def exceeded(self, lines: Sequence[str], pattern: str, until: datetime) -> tuple[str, ...]:
        """Take in the lines between `since` and `until`; return the matching ones if they are far above normal."""
        seconds = max(1.0, (until - self.since).total_seconds())
        found = matching(lines, pattern)
        rate = len(found) / seconds
        usual = self._normal if self._intervals >= SETTLING else 0.0
        over = len(found) >= LEAST_LINES and rate > usual * TIMES_NORMAL
        self.since = until
        self._intervals += 1
        if not over or self._intervals <= SETTLING:  # later on, an outbreak must not become the normal
            self._normal += MEMORY * (rate - self._normal)
        return tuple(found) if over else ()
