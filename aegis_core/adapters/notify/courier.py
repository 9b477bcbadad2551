"""Hands a message over to a channel, and notes in the outbox what became of the notices that it stands for."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from aegis_core.domain.notice import Digest, Notice
from aegis_core.errors import DeliveryDeferred, DeliveryError, DeliveryRejected, StoreUnavailable
from aegis_core.ports import Channel, Clock, Outbox

from . import wording
from .limits import PAGE, Backoff

DELIVERED: Final = "delivered"
IN_A_DIGEST: Final = "delivered in a digest"

_log = structlog.get_logger(__name__)


class Courier:
    """Used by the thread of one channel. Every method that writes to the outbox raises StoreUnavailable."""

    def __init__(self, outbox: Outbox, channel: Channel, clock: Clock, backoff: Backoff) -> None:
        self._outbox = outbox
        self._channel = channel
        self._clock = clock
        self._backoff = backoff
        self._told: deque[tuple[Sequence[int], str]] = deque()  # the channel took it, the store does not know of it yet

    def deliver(self, message: Notice | Digest, ids: Sequence[int]) -> float:
        """Deliver a notice, or the digest of many. Returns the seconds to pause; 0: go on."""
        try:
            self._channel.deliver(message)
        except DeliveryDeferred as error:
            return self._put_off(ids, error, error.retry_after or 0.0)
        except DeliveryRejected as error:
            if isinstance(message, Digest):  # giving it up would give up many: they wait until somebody has a look
                return self._put_off(ids, error)
            return self._give_up(message, ids, error)
        self._recovered()
        outcome = IN_A_DIGEST if isinstance(message, Digest) else DELIVERED
        self._told.extend((page, outcome) for page in _pages(ids))
        self.settle()
        return 0.0

    def settle(self) -> None:
        """Strike off what the channel took. To be called before anything else is told, so that nothing is twice."""
        while self._told:
            page, outcome = self._told[0]
            self._outbox.delivered(page, self._clock(), outcome)
            self._told.popleft()

    def drop(self, ids: Sequence[int], reason: str) -> None:
        """Give notices up that need not be told."""
        for page in _pages(ids):
            self._outbox.dropped(page, self._clock(), reason)

    def _put_off(self, ids: Sequence[int], error: DeliveryError, at_least: float = 0.0) -> float:
        pause = self._backoff.failed(at_least)
        if self._backoff.failures == 1:
            _log.warning(f"Notices to {self._channel.name} have to wait: {error}. Nothing is lost; it is tried again.")
        with suppress(StoreUnavailable):  # the row tells people why it waits; the pause is kept by the lane
            for page in _pages(ids):
                self._outbox.deferred(page, self._clock() + timedelta(seconds=pause), str(error))
        return pause

    def _give_up(self, notice: Notice, ids: Sequence[int], error: DeliveryRejected) -> float:
        told = wording.sentence(wording.masked(notice))
        _log.error(f"A notice to {self._channel.name} is given up: {error}. It said: {told}")
        self.drop(ids, str(error))
        self._recovered()
        return 0.0

    def _recovered(self) -> None:
        if self._backoff.failures:
            _log.info(f"Notices to {self._channel.name} go out again.")
        self._backoff.succeeded()


def _pages(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
