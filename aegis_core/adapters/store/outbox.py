"""Notices waiting to be delivered (port `Outbox`)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import bindparam, func, select, update

from aegis_core.domain.notice import Notice
from aegis_core.ports import OutboxItem

from .database import Database
from .tables import outbox


class SqlOutbox:
    """The outbox table. Rows are put there by the event log, in the transaction of their event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, channel: str, now: datetime, limit: int = 10, after: int = 0) -> Sequence[OutboxItem]:
        """See `ports.Outbox.due`."""
        waiting = (outbox.c.channel == channel) & outbox.c.done_at.is_(None) & (outbox.c.next_at <= now)
        query = select(outbox).where(waiting & (outbox.c.id > after)).order_by(outbox.c.id).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [item for item in map(self._item, rows) if item]

    def _item(self, row: Any) -> OutboxItem | None:
        """Read a row; one that cannot be read (it was tampered with) is dropped, and holds up nobody."""
        place = {"id": row.id, "channel": row.channel, "attempts": row.attempts, "created_at": row.created_at}
        try:
            return OutboxItem(notice=Notice.model_validate_json(row.notice), **place)
        except ValidationError:
            with self._database.writing(durable=False) as connection:
                struck = {"done_at": row.created_at, "outcome": "dropped: it cannot be read"}
                connection.execute(update(outbox).where(outbox.c.id == row.id).values(**struck))
            return None

    def delivered(self, ids: Collection[int], at: datetime, outcome: str = "delivered") -> None:
        """See `ports.Outbox.delivered`."""
        self._set(ids, done_at=at, outcome=outcome[:512])

    def deferred(self, ids: Collection[int], until: datetime, reason: str) -> None:
        """See `ports.Outbox.deferred`. The reason stands in the row while the notice waits."""
        self._set(ids, next_at=until, attempts=outbox.c.attempts + 1, outcome=reason[:512])

    def dropped(self, ids: Collection[int], at: datetime, reason: str) -> None:
        """See `ports.Outbox.dropped`."""
        self._set(ids, done_at=at, outcome=f"dropped: {reason}"[:512])

    def waiting(self) -> dict[str, int]:
        """Return how many notices wait, by channel."""
        query = select(outbox.c.channel, func.count()).where(outbox.c.done_at.is_(None)).group_by(outbox.c.channel)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query).all()}

    def _set(self, ids: Collection[int], **values: object) -> None:
        if not ids:
            return
        waits = (outbox.c.id == bindparam("one")) & outbox.c.done_at.is_(None)
        with self._database.writing(durable=False) as connection:
            connection.execute(update(outbox).where(waits).values(**values), [{"one": one} for one in ids])
