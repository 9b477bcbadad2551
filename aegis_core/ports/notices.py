"""What people are told: the notices that wait, and where they are delivered to."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from aegis_core.domain.model import Stored
from aegis_core.domain.notice import Digest, Notice


class Channel(Protocol):
    """Somewhere a notice can be delivered to, or a digest of many."""

    name: str

    def deliver(self, notice: Notice | Digest) -> None:
        """Deliver once. Raises DeliveryDeferred (try again later) or DeliveryRejected (never will)."""


class OutboxItem(Stored):
    """A notice waiting for one channel."""

    id: int
    channel: str
    notice: Notice
    attempts: int
    created_at: datetime


class Outbox(Protocol):
    """Notices that were committed together with the events that caused them."""

    def due(self, channel: str, now: datetime, limit: int = 10, after: int = 0) -> Sequence[OutboxItem]:
        """Return undelivered notices of a channel whose time has come, oldest first; only ids above `after`."""

    def delivered(self, ids: Collection[int], at: datetime, outcome: str = "delivered") -> None:
        """Strike notices off; `outcome` says how they were told."""

    def deferred(self, ids: Collection[int], until: datetime, reason: str) -> None:
        """Count one more attempt of each, and try again at `until`."""

    def dropped(self, ids: Collection[int], at: datetime, reason: str) -> None:
        """Give notices up, and keep why."""
