"""Whose turn it is to write: one at a time, who takes signals in before all others, else first come first served."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from aegis_core.errors import StoreUnavailable


class Turn:
    """A lock with two queues. The senders of signals wait for an answer; a stage that waits loses nothing."""

    def __init__(self) -> None:
        self._gate = Lock()
        self._held = False
        self._urgent: deque[Lock] = deque()
        self._others: deque[Lock] = deque()

    @contextmanager
    def taken(self, urgent: bool, seconds: float) -> Iterator[None]:
        """Hold the turn. Raises StoreUnavailable when it has not come within so many seconds."""
        self._take(self._urgent if urgent else self._others, seconds)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self, queue: deque[Lock], seconds: float) -> None:
        bell = Lock()
        bell.acquire()
        with self._gate:
            if not self._held:
                self._held = True
                return
            queue.append(bell)
        if bell.acquire(timeout=seconds):
            return
        with self._gate:
            if bell in queue:  # else it was rung in the very last moment, and the turn is ours
                queue.remove(bell)
                raise StoreUnavailable("writing to the store: other writers have waited for too long")

    def _pass_on(self) -> None:
        """Ring for the next one, to whom the turn passes without being free in between."""
        with self._gate:
            queue = self._urgent or self._others
            if queue:
                queue.popleft().release()
            else:
                self._held = False
