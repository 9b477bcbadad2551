"""What happens to containers, as it happens."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.target import TargetRef
from aegis_core.errors import RuntimeProblem, RuntimeUnavailable
from aegis_core.ports import Clock, Stopping

from .client import Engine, translated
from .containers import Containers
from .past import Happening
from .state import stop_signal
from .stream import EventStream

SILENCE_SECONDS: Final = 60.0  # after which a subscription is renewed: its other side may be dead
OVERLAP: Final = timedelta(seconds=2)  # the engine's events are not strictly in the order of their times
_LONGEST_RESUMED: Final = timedelta(minutes=5)  # what is older is news no more
_SHORTEST_SECONDS: Final = 1.0  # a stream that ends sooner than this ends at once again, most likely
_MOST_SEEN: Final = 1_024  # the engine repeats 256 at most

# `restart` comes after a `start` that has told it already. Naming them leaves out the exec events of health checks.
_KINDS: Final[Mapping[str, ChangeKind]] = {
    "die": ChangeKind.DIED,
    "oom": ChangeKind.OOM,
    "health_status: unhealthy": ChangeKind.UNHEALTHY,
    "health_status: healthy": ChangeKind.HEALTHY,
    "start": ChangeKind.STARTED,
    "unpause": ChangeKind.STARTED,
    "kill": ChangeKind.STOPPED,
    "stop": ChangeKind.STOPPED,
    "pause": ChangeKind.STOPPED,
    "destroy": ChangeKind.REMOVED,
}
FILTERS: Final[Mapping[str, Sequence[str]]] = {
    "type": ["container"],
    "event": sorted({word.partition(":")[0] for word in _KINDS}),
}


def change_of(happening: Happening) -> Change | None:
    """Put a happening in our words; None for one that is nothing to us. A `kill` is taken for a stop."""
    kind = _KINDS.get(happening.what)
    name = happening.attributes.get("name")
    if kind is None or not name:
        return None
    code = happening.attributes.get("exitCode", "")
    return Change(
        kind=kind,
        at=happening.at,
        target=TargetRef(name=name, id=happening.container),
        exit_code=int(code) if kind is ChangeKind.DIED and code.isdecimal() else None,
    )


class Telling(Protocol):
    """Which happenings are asked for, and what they are in our words. May remember what it has told."""

    def filters(self) -> Mapping[str, Sequence[str]]: ...

    def change_of(self, happening: Happening) -> Change | None: ...


class OfContainers:
    """Tells of containers, and remembers nothing."""

    def filters(self) -> Mapping[str, Sequence[str]]:
        return FILTERS

    def change_of(self, happening: Happening) -> Change | None:
        return change_of(happening)


class Memory:
    """Where a follower has got to: from when on to ask again, and what it has been told already."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._seen: dict[tuple[datetime, str, str], None] = {}  # an ordered set

    def is_new(self, happening: Happening) -> bool:
        """Tell whether this was not told before, and remember it."""
        key = (happening.at, happening.what, happening.container)
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        self.since = max(self.since, happening.at - OVERLAP)
        return True


class Changes:
    """Follows the events of the engine through broken connections."""

    def __init__(
        self,
        engine: Engine,
        containers: Containers,
        clock: Clock,
        silence: float,
        telling: Callable[[], Telling] = OfContainers,
    ) -> None:
        """`telling` is made anew for each who follows."""
        self._engine = engine
        self._telling = telling
        self._containers = containers
        self._clock = clock
        self._silence = silence
        self._lock = threading.Lock()
        self._left: Memory | None = None

    def follow(self, stopping: Stopping) -> Iterator[Change]:
        """See `ports.Sensor.changes`. Raises RuntimeUnavailable where there is no subscribing (any more).

        Every subscription begins with a GAP, and asks for what has happened since the last one broke, as far as the
        engine remembers: a call after one that has raised takes up where that one was.
        """
        memory, telling = self._taken_up(), self._telling()
        while not stopping.is_set():
            begun = time.monotonic()
            with self._subscribed(memory, telling) as stream:
                yield self._gap()
                yield from self._told(stream, memory, telling, stopping)
            if time.monotonic() - begun < _SHORTEST_SECONDS:
                stopping.wait(_SHORTEST_SECONDS)

    def _told(self, stream: EventStream, memory: Memory, telling: Telling, stopping: Stopping) -> Iterator[Change]:
        while not stopping.is_set() and not stream.feed.over:
            happening = stream.feed.take()
            if stream.feed.lost():
                yield self._gap()
            if happening and memory.is_new(happening) and not self._mere_signal(happening):
                change = telling.change_of(happening)
                if change:
                    yield change

    def _taken_up(self) -> Memory:
        now = self._clock()
        with self._lock:
            memory, self._left = self._left or Memory(now), None
        memory.since = max(memory.since, now - _LONGEST_RESUMED)
        return memory

    def _subscribed(self, memory: Memory, telling: Telling) -> EventStream:
        # Without `since`, what happens between the engine's first words and its subscribing would be lost.
        try:
            with translated("subscribing to the events"):
                return EventStream(*self._engine.live_events(memory.since, telling.filters(), self._silence))
        except RuntimeUnavailable:
            with self._lock:
                self._left = memory
            raise

    def _mere_signal(self, happening: Happening) -> bool:
        """Tell whether this is a `kill` that does not ask the container to end, such as a SIGHUP to read its files."""
        if happening.what != "kill" or happening.stops(own_signal=0):
            return False
        try:
            inspection = self._containers.inspected(happening.container, happening.attributes.get("name", ""))
        except RuntimeProblem:  # the `stop` that follows a stop signal tells the same, a little later
            return True
        return not happening.stops(stop_signal(inspection))

    def _gap(self) -> Change:
        return Change(kind=ChangeKind.GAP, at=self._clock())
