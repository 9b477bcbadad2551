"""What is to be done when: a small timetable for one thread."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

Task = Callable[[], None]


class Agenda:
    """Tasks by the second they are due, on a clock that only goes forward. Not for several threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tasks: list[tuple[float, int, Task]] = []
        self._order = count()

    def add(self, seconds: float, task: Task) -> None:
        """Do this so many seconds from now."""
        heappush(self._tasks, (self._monotonic() + seconds, next(self._order), task))

    def every(self, seconds: Callable[[], float], task: Task) -> None:
        """Do this now and then again and again; the pause begins when it has ended, well or not."""

        def again() -> None:
            try:
                task()
            finally:
                self.add(seconds(), again)

        self.add(0.0, again)

    def pause(self) -> float:
        """Say how many seconds it is until the next task; 0 when one is due."""
        return max(0.0, self._tasks[0][0] - self._monotonic()) if self._tasks else 1.0

    def due(self) -> Task | None:
        """Take the next task that is due; None while none is."""
        if self._tasks and self._tasks[0][0] <= self._monotonic():
            return heappop(self._tasks)[2]
        return None
