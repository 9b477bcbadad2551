"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta
from threading import Lock


class FakeClock:
    """A clock (port `Clock`) that a test sets. Each reading takes it `step` seconds on, so that no two are the same."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC), step: float = 0.001) -> None:
        self._now = now
        self._step = timedelta(seconds=step)
        self._turn = Lock()

    def __call__(self) -> datetime:
        with self._turn:
            self._now += self._step
            return self._now

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass; negative ones set the clock back."""
        with self._turn:
            self._now += timedelta(seconds=seconds)
