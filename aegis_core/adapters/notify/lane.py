"""The thread of one channel: looks at what waits for it, and has it delivered at the channel's pace."""

import threading
from collections.abc import Sequence
from datetime import datetime

import structlog

from aegis_core.domain.notice import Notice
from aegis_core.errors import StoreUnavailable
from aegis_core.ports import Clock, Outbox

from .courier import Courier
from .limits import BACKLOG, BATCH, GATHER, GLANCE, LOOK_AHEAD, PAGE, Backoff, Seconds, Storm, TokenBucket
from .plan import Entry, entry, plan
from .storm import Parts, digest, divide, is_storm

_log = structlog.get_logger(__name__)


class Lane:
    """Delivers to one channel until it is ended. In a storm people get a digest, and then a rest."""

    def __init__(
        self,
        *,
        name: str,
        outbox: Outbox,
        courier: Courier,
        clock: Clock,
        monotonic: Seconds,
        bucket: TokenBucket | None,
        store_backoff: Backoff,
        storm: Storm,
        poll_seconds: float,
    ) -> None:
        self.name = name
        self._outbox = outbox
        self._courier = courier
        self._clock = clock
        self._monotonic = monotonic
        self._bucket = bucket
        self._store_backoff = store_backoff
        self._storm = storm
        self._poll_seconds = poll_seconds
        self._rest_until = monotonic()  # no digest before
        self._singly = 0  # notices that this storm has told one by one since its last digest
        self._ending = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"deliver-{self.name}", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        self._wake.set()

    def end(self) -> None:
        self._ending.set()
        self._wake.set()

    def join(self, timeout: float) -> None:
        if self.alive:
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._ending.is_set():  # asked after the clear: an end that comes later wakes the wait below
                return
            pause = self._turn()
            if pause is None:
                self._wake.wait(self._poll_seconds)
                self._ending.wait(GATHER)
            else:
                self._ending.wait(pause)  # nothing but the end cuts a back-off short

    def _turn(self) -> float | None:
        """Deliver what waits. Returns the seconds to pause before the next turn; None: until there is something new."""
        try:
            self._courier.settle()
            pause = self._deliver_all()
        except StoreUnavailable as error:
            pause = self._store_backoff.failed()
            if self._store_backoff.failures == 1:
                _log.warning(f"The outbox of {self.name} cannot be used: {error}. It is tried again.")
            return pause
        self._store_backoff.succeeded()
        return pause

    def _deliver_all(self) -> float | None:
        now = self._clock()
        items = {item.id: item for item in self._outbox.due(self.name, now + LOOK_AHEAD, BATCH)}
        todo = plan([entry(item) for item in items.values()], now)
        self._courier.drop([one.id for one in todo.superseded], "superseded")
        if is_storm(todo.order, self._storm):
            rest = self._rest_until - self._monotonic()
            return self._glance(now, rest) if rest > 0 else self._tell_storm(now)
        self._singly = 0
        for one in todo.order:
            if self._ending.is_set():
                return None
            pause = self._pace() or self._courier.deliver(items[one.id].notice, [one.id])
            if pause:
                return pause  # and then look again: what waits may be superseded by then
        return 0.0 if len(items) == BATCH else None

    def _pace(self) -> float:
        """Return the seconds until the channel may be used again; 0: now."""
        return self._bucket.take() if self._bucket else 0.0

    def _tell_storm(self, now: datetime) -> float:
        """Tell everything that waits in a few messages. Returns the seconds to pause; 0: look again."""
        parts = self._parts(now, BACKLOG)
        return (
            self._tell_singly(parts.before, now)
            or self._tell_together(parts.together, now)
            or self._tell_singly(parts.after, now)
        )

    def _glance(self, now: datetime, rest: float) -> float:
        """Tell the critical only: the next digest is not due yet. Returns the seconds to pause."""
        if self._singly >= self._storm.singles:  # there is nothing to look for
            return rest
        return self._tell_singly(self._parts(now, GLANCE).before, now) or min(rest, self._storm.glance)

    def _parts(self, now: datetime, most: int) -> Parts:
        """Look at what waits, at most at so many notices, and drop what is no news any more."""
        entries, after = list[Entry](), 0
        while len(entries) < most and (page := self._outbox.due(self.name, now + LOOK_AHEAD, PAGE, after)):
            entries += map(entry, page)
            after = page[-1].id
        todo = plan(entries, now)
        self._courier.drop([one.id for one in todo.superseded], "superseded")
        return divide(todo.order, self._storm.singles - self._singly)

    def _tell_singly(self, entries: Sequence[Entry], now: datetime) -> float:
        for one in entries:
            notice = self._notice(one, now)
            if notice is None:
                continue
            pause = self._wait_for_pace() or self._courier.deliver(notice, [one.id])
            if pause:
                return pause
            self._singly += 1
        return 0.0

    def _notice(self, one: Entry, now: datetime) -> Notice | None:
        """Read the notice of an entry; None when it does not wait any more."""
        found = self._outbox.due(self.name, now + LOOK_AHEAD, 1, after=one.id - 1)
        return found[0].notice if found and found[0].id == one.id else None

    def _tell_together(self, entries: Sequence[Entry], now: datetime) -> float:
        if len(entries) <= 1:
            return self._tell_singly(entries, now)
        message = digest(entries, self._singly, now)
        pause = self._wait_for_pace() or self._courier.deliver(message, [one.id for one in entries])
        if not pause:
            self._singly = 0
            self._rest_until = self._monotonic() + self._storm.pause
        return pause

    def _wait_for_pace(self) -> float:
        """Wait until the channel may be used: what is told of a storm is told in one go. Not 0: the end came first."""
        while pause := self._pace():
            if self._ending.wait(pause):
                return pause
        return self._poll_seconds if self._ending.is_set() else 0.0
