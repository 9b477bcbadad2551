"""Live: the event log as a stream for many followers. What happened is read, folded and put into words once for all."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Condition, Thread
from time import monotonic
from typing import Final, NamedTuple

import structlog

from aegis_core.domain.events import Event
from aegis_core.domain.incident import Incident, fold
from aegis_core.errors import StoreError
from aegis_core.ports import Feed, Incidents

BATCH: Final = 200  # events read at a time
MOST_KEPT: Final = 1_000  # entries that are handed out from memory; whoever is further behind reads the store
MOST_CHARACTERS: Final = 4_000_000
MOST_FOLLOWERS: Final = 200
MOST_FOLDED: Final = 500  # incidents whose fold is kept
POLL_SECONDS: Final = 1.0  # the longest that an event waits if nobody nudges
PAUSE: Final = 0.05  # between two looks: in a storm events go out in batches
FIGURES_SECONDS: Final = 2.0  # between two sums over all incidents

log = structlog.get_logger("live")


class Happening(NamedTuple):
    """One event, with its incident before and after it."""

    event: Event
    before: Incident | None
    after: Incident


class Entry(NamedTuple):
    """One event as messages, in order. `position` is its place in the whole log, `version` in its incident."""

    position: int
    incident_id: str
    version: int
    messages: tuple[str, ...]


Tell = Callable[[Happening], Sequence[str]]
"""Puts an event into messages. Pure."""


class Live:
    """One thread reads what is new as long as anybody follows. Followers are woken, and never waited for."""

    def __init__(self, feed: Feed, incidents: Incidents, tell: Tell, figures: Callable[[], str]) -> None:
        self._feed, self._incidents, self._tell, self._sum_up = feed, incidents, tell, figures
        self._followers: set[Callable[[], None]] = set()
        self._kept: deque[Entry] = deque()
        self._characters = 0
        self._tail = self._head = 0  # positions: what is kept lies above the one, up to the other
        self._figures = (0, "")
        self._summed_at, self._sum_due = 0.0, False
        self._called, self._over = False, False
        self._news = Condition()
        self._folds = Folds(incidents)
        self._thread = Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End; every follower is woken and finds that it is `over`."""
        with self._news:
            self._over = True
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._wake()

    @property
    def over(self) -> bool:
        return self._over

    @property
    def full(self) -> bool:
        return len(self._followers) >= MOST_FOLLOWERS

    def nudge(self) -> None:
        """Say that there may be something new. Returns at once."""
        with self._news:
            self._called = bool(self._followers)
            self._news.notify()

    def join(self, wake: Callable[[], None]) -> int:
        """Follow from now on: `wake` is called whenever there is something new, from another thread.

        Returns the position of the newest event. Raises StoreUnavailable.
        """
        newest = self._feed.newest()
        if not self._followers:  # else the thread keeps them up
            self.figures_now()
        with self._news:
            if not self._followers:
                self._kept.clear()
                self._characters, self._tail, self._head = 0, newest, newest
            self._followers.add(wake)
            self._called = True
            self._news.notify()
        return newest

    def leave(self, wake: Callable[[], None]) -> None:
        with self._news:
            self._followers.discard(wake)

    @property
    def figures(self) -> tuple[int, str]:
        """The newest sums, and the how manieth they are."""
        return self._figures

    def figures_now(self) -> None:
        """Sum up anew. Raises StoreUnavailable."""
        summed = self._sum_up()
        self._summed_at, self._sum_due = monotonic(), False
        self._figures = (self._figures[0] + 1, summed)

    def kept_after(self, position: int) -> Sequence[Entry] | None:
        """Return what is known to have happened after a position; None for one that is too far back: `read` it."""
        with self._news:
            if position < self._tail:
                return None
            return [entry for entry in self._kept if entry.position > position] if position < self._head else ()

    def read(self, position: int) -> Sequence[Entry]:
        """Read the next events after a position from the store. Raises StoreUnavailable."""
        return list(self._entries(self._feed.after(position, BATCH), Folds(self._incidents)))

    def room(self, incident_id: str, version: int) -> Sequence[Entry]:
        """Read what happened to one incident after a version; positions are not told.

        Raises IncidentUnknown, StoreUnavailable.
        """
        events = [(0, event) for event in self._incidents.events(incident_id)]
        entries = self._entries(events, Folds(self._incidents))
        return [entry for entry in entries if entry.version > version]

    def _entries(self, events: Iterable[tuple[int, Event]], folds: "Folds") -> Iterator[Entry]:
        for position, event in events:
            before, after = folds.of(event)
            messages = tuple(self._tell(Happening(event, before, after)))
            yield Entry(position, event.incident_id, event.version, messages)
            self._sum_due = self._sum_due or (after.closed and not (before and before.closed))

    # The thread

    def _run(self) -> None:
        while self._wait():
            try:
                more = self._look()
            except StoreError as error:
                log.debug("the store is away", error=str(error))
                more = False
            with self._news:
                self._called = self._called or more
                self._news.wait_for(lambda: self._over, PAUSE)

    def _wait(self) -> bool:
        """Wait for something new; without followers, for the first of them. False: it is over."""
        with self._news:
            self._news.wait_for(lambda: self._over or self._called, POLL_SECONDS if self._followers else None)
            self._called = False
            return not self._over

    def _look(self) -> bool:
        """Read what is new, keep it and wake the followers; returns whether there is more. Raises StoreUnavailable."""
        entries = list(self._entries(self._feed.after(self._head, BATCH), self._folds))
        summed = self._sum_due and monotonic() - self._summed_at >= FIGURES_SECONDS
        if summed:
            self.figures_now()
        self._keep(entries)
        if entries or summed:
            self._wake()
        return len(entries) == BATCH

    def _keep(self, entries: Sequence[Entry]) -> None:
        with self._news:
            for entry in entries:
                self._kept.append(entry)
                self._head = entry.position
                self._characters += _size(entry)
            while len(self._kept) > MOST_KEPT or self._characters > MOST_CHARACTERS:
                dropped = self._kept.popleft()
                self._tail = dropped.position
                self._characters -= _size(dropped)

    def _wake(self) -> None:
        with self._news:
            followers = list(self._followers)
        for wake in followers:
            wake()


class Folds:
    """The incidents of a stream as they stand, each folded from its own events; those not seen for long are forgotten.

    Used by one thread.
    """

    def __init__(self, incidents: Incidents, most: int = MOST_FOLDED) -> None:
        self._incidents, self._most = incidents, most
        self._known: OrderedDict[str, Incident] = OrderedDict()

    def of(self, event: Event) -> tuple[Incident | None, Incident]:
        """Return the incident before and after an event. Raises StoreUnavailable."""
        before = self._known.pop(event.incident_id, None)
        if before is None or before.version != event.version - 1:
            before = self._before(event)
        after = fold([event], before)
        self._known[event.incident_id] = after
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return before, after

    def _before(self, event: Event) -> Incident | None:
        if event.version == 1:
            return None
        return fold(one for one in self._incidents.events(event.incident_id) if one.version < event.version)


def _size(entry: Entry) -> int:
    return sum(map(len, entry.messages))
