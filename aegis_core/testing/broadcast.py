"""The changes of a runtime in memory, told to all who listen."""

from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.target import TargetRef
from aegis_core.ports import Clock, Stopping

_LOOK_SECONDS = 0.05


class Broadcast:
    """Everybody hears a GAP first, and from then on every change until the stream is cut."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[SimpleQueue[Change]] = []
        self._is_cut = False
        self._turn = Lock()

    def tell(self, kind: ChangeKind, target: TargetRef | None = None, exit_code: int | None = None) -> None:
        """Tell a change; one that happens while the stream is cut nobody ever hears of."""
        change = Change(kind=kind, at=self._clock(), target=target, exit_code=exit_code)
        with self._turn:
            for heard in () if self._is_cut else self._listeners:
                heard.put(change)

    def cut(self) -> None:
        """Break the stream."""
        self._is_cut = True

    def mend(self) -> None:
        """Let changes through again; a GAP says that some were missed."""
        self._is_cut = False
        self.tell(ChangeKind.GAP)

    def listen(self, stopping: Stopping) -> Iterator[Change]:
        """See `ports.Sensor.changes`."""
        heard: SimpleQueue[Change] = SimpleQueue()
        heard.put(Change(kind=ChangeKind.GAP, at=self._clock()))
        with self._turn:
            self._listeners.append(heard)
        try:
            while not stopping.is_set():
                with suppress(Empty):
                    yield heard.get(timeout=_LOOK_SECONDS)
        finally:
            with self._turn:
                self._listeners.remove(heard)
