"""Delivers the notices of the outbox: one thread per channel, so that none waits for another.

At least once: a notice is struck off after the channel took it, and what an agent had in hand when it was killed is
delivered again. Back-off and pace belong to the channel as a whole; the outbox is asked for everything that is not
delivered, put off or not, because a later notice must not overtake an earlier one that is waiting for its next try.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from aegis_core.errors import DeliveryDeferred, DeliveryRejected, StoreUnavailable
from aegis_core.ports import Channel, Clock, Outbox, OutboxItem

from . import wording
from .limits import (
    BATCH,
    LOOK_AHEAD,
    PATIENCE,
    POLL_SECONDS,
    RATES,
    STOP_SECONDS,
    Backoff,
    Patience,
    Rate,
    Seconds,
    TokenBucket,
)
from .plan import plan

_log = structlog.get_logger(__name__)


class Deliverer:
    """Runs a lane for each channel. Constants that are arguments here are so for tests; see `limits`."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Sequence[Channel],
        clock: Clock,
        *,
        monotonic: Seconds = time.monotonic,
        jitter: Callable[[], float] = random.random,
        rates: Mapping[str, Rate] = RATES,
        patience: Patience = PATIENCE,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._lanes = [
            _Lane(
                outbox=outbox,
                channel=channel,
                clock=clock,
                bucket=TokenBucket(rates[channel.name], monotonic) if channel.name in rates else None,
                backoff=Backoff(patience, jitter),
                store_backoff=Backoff(patience, jitter),
                poll_seconds=poll_seconds,
            )
            for channel in channels
        ]

    def start(self) -> None:
        """Begin to deliver; what is left from an earlier run goes first."""
        for lane in self._lanes:
            lane.start()

    def nudge(self) -> None:
        """Say that there may be new notices. Returns at once; does not shorten a back-off."""
        for lane in self._lanes:
            lane.nudge()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """End every lane. A delivery under way may finish within `timeout` seconds in all."""
        for lane in self._lanes:
            lane.end()
        end = time.monotonic() + timeout
        for lane in self._lanes:
            lane.join(max(0.0, end - time.monotonic()))

    @property
    def silent(self) -> tuple[str, ...]:
        """Names of the channels that nobody delivers to: not started, ended, or broken by a bug."""
        return tuple(lane.name for lane in self._lanes if not lane.alive)


class _Lane:
    """The thread of one channel."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        channel: Channel,
        clock: Clock,
        bucket: TokenBucket | None,
        backoff: Backoff,
        store_backoff: Backoff,
        poll_seconds: float,
    ) -> None:
        self.name = channel.name
        self._outbox = outbox
        self._channel = channel
        self._clock = clock
        self._bucket = bucket
        self._backoff = backoff
        self._store_backoff = store_backoff
        self._poll_seconds = poll_seconds
        self._taken: set[int] = set()  # ids that the channel took and the store does not know of yet
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
            else:
                self._ending.wait(pause)  # nothing but the end cuts a back-off short

    def _turn(self) -> float | None:
        """Deliver what waits. Returns the seconds to pause before the next turn; None: until there is something new."""
        try:
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
        waiting = self._outbox.due(self.name, now + LOOK_AHEAD, BATCH)
        todo = plan(waiting, now)
        self._outbox.dropped([item.id for item in todo.superseded], now, "superseded")
        for item in todo.order:
            if self._ending.is_set():
                return None
            pause = self._deliver(item)
            if pause:
                return pause  # and then look again: what waits may be superseded by then
        return 0.0 if len(waiting) == BATCH else None

    def _deliver(self, item: OutboxItem) -> float:
        """Deliver one notice. Returns the seconds to pause; 0: go on."""
        if item.id not in self._taken:
            pause = self._bucket.take() if self._bucket else 0.0
            if pause:
                return pause
            try:
                self._channel.deliver(item.notice)
            except DeliveryDeferred as error:
                return self._put_off(item, error)
            except DeliveryRejected as error:
                return self._give_up(item, error)
            self._recovered()
            self._taken.add(item.id)
        self._outbox.delivered([item.id], self._clock())
        self._taken.discard(item.id)
        return 0.0

    def _put_off(self, item: OutboxItem, error: DeliveryDeferred) -> float:
        pause = self._backoff.failed(at_least=error.retry_after or 0.0)
        if self._backoff.failures == 1:
            _log.warning(f"Notices to {self.name} have to wait: {error}. Nothing is lost; it is tried again.")
        with suppress(StoreUnavailable):  # the row tells people why it waits; the pause is kept here
            self._outbox.deferred([item.id], self._clock() + timedelta(seconds=pause), str(error))
        return pause

    def _give_up(self, item: OutboxItem, error: DeliveryRejected) -> float:
        told = wording.sentence(wording.masked(item.notice))
        _log.error(f"A notice to {self.name} is given up: {error}. It said: {told}")
        self._outbox.dropped([item.id], self._clock(), str(error))
        self._recovered()
        return 0.0

    def _recovered(self) -> None:
        if self._backoff.failures:
            _log.info(f"Notices to {self.name} go out again.")
        self._backoff.succeeded()
