"""An outbox in memory."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from aegis_core.domain.notice import Notice
from aegis_core.ports import OutboxItem


@dataclass
class _Row:
    item: OutboxItem
    next_at: datetime
    done: bool = False
    outcome: str | None = None


class MemoryOutbox:
    """An outbox (port `Outbox`) that lives as long as the process."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        self._turn = Lock()

    def put(self, channel: str, notice: Notice, at: datetime) -> None:
        """Put a notice in, due at once."""
        with self._turn:
            item = OutboxItem(id=len(self._rows) + 1, channel=channel, notice=notice, attempts=0, created_at=at)
            self._rows.append(_Row(item, next_at=at))

    @property
    def outcomes(self) -> dict[int, str | None]:
        """What became of each notice, by id: delivered, dropped and why, why it waits, or None."""
        with self._turn:
            return {row.item.id: row.outcome for row in self._rows}

    def due(self, channel: str, now: datetime, limit: int = 10, after: int = 0) -> Sequence[OutboxItem]:
        """See `ports.Outbox.due`."""
        with self._turn:
            waiting = [row for row in self._rows[after:] if row.item.channel == channel and not row.done]
            return [row.item for row in waiting if row.next_at <= now][:limit]

    def delivered(self, ids: Collection[int], at: datetime, outcome: str = "delivered") -> None:  # noqa: ARG002
        """See `ports.Outbox.delivered`."""
        self._end(ids, outcome)

    def dropped(self, ids: Collection[int], at: datetime, reason: str) -> None:  # noqa: ARG002
        """See `ports.Outbox.dropped`."""
        self._end(ids, f"dropped: {reason}")

    def deferred(self, ids: Collection[int], until: datetime, reason: str) -> None:
        """See `ports.Outbox.deferred`."""
        with self._turn:
            for row in self._waiting(ids):
                row.item = row.item.model_copy(update={"attempts": row.item.attempts + 1})
                row.next_at, row.outcome = until, reason

    def _end(self, ids: Collection[int], outcome: str) -> None:
        with self._turn:
            for row in self._waiting(ids):
                row.done, row.outcome = True, outcome

    def _waiting(self, ids: Collection[int]) -> Iterator[_Row]:
        return (row for row in (self._rows[one - 1] for one in ids) if not row.done)
