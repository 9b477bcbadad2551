"""Tells a storm of signals from everyday life."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

PER_SECOND: Final = 150  # signals; a hundred at once are still handled at once, more than this is a storm


class Rush:
    """Counts signals second by second. Safe for many threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._second, self._count, self._before = 0, 0, 0

    def came(self, signals: int) -> None:
        """Note that so many signals have just come in."""
        with self._lock:
            self._turn()
            self._count += signals

    @property
    def on(self) -> bool:
        """More has come in within this second or the last one than one host has to tell."""
        with self._lock:
            self._turn()
            return max(self._count, self._before) > PER_SECOND

    def _turn(self) -> None:
        second = int(self._monotonic())
        if second != self._second:
            self._before = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0
