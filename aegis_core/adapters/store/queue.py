"""Hands out incidents that have something to be done (port `WorkQueue`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy import Select, and_, func, or_, select, update

from aegis_core.domain.incident import Incident, Status
from aegis_core.ports import Claim

from .database import Database
from .tables import incidents

# While one incident may be changing a target, no other one of that target is worked on, not even while it waits.
_HANDS_ON: Final = (Status.EXECUTING, Status.VERIFYING)

log = structlog.get_logger("store")


class SqlWorkQueue:
    """Claims by a conditional update; the fence of a claim only ever grows."""

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner

    def claim(self, limit: int, now: datetime) -> Sequence[Claim]:
        """See `ports.WorkQueue.claim`."""
        with self._database.writing(durable=False) as connection:
            claims: dict[str, Claim] = {}
            for row in connection.execute(_due(now)).all():
                incident = None if row.target in claims or len(claims) >= limit else _read(row)
                if incident is None:
                    continue
                mine = update(incidents).where(incidents.c.id == row.id)
                connection.execute(mine.values(owner=self._owner, fence=row.fence + 1))
                claims[row.target] = Claim(incident=incident, fence=row.fence + 1)
        return list(claims.values())

    def release(self, claim: Claim) -> None:
        """See `ports.WorkQueue.release`."""
        with self._database.writing(durable=False) as connection:
            mine = and_(incidents.c.id == claim.incident.id, incidents.c.fence == claim.fence)
            connection.execute(update(incidents).where(mine).values(owner=None))

    def recover(self) -> int:
        """See `ports.WorkQueue.recover`. Holding the file's lock proves that no other agent lives."""
        with self._database.writing(durable=True) as connection:
            held = incidents.c.owner.is_not(None)
            return connection.execute(update(incidents).where(held).values(owner=None)).rowcount

    def next_wake(self, now: datetime) -> datetime | None:
        """See `ports.WorkQueue.next_wake`."""
        sleeping = and_(incidents.c.open, incidents.c.owner.is_(None), incidents.c.next_at > now)
        with self._database.reading() as connection:
            return connection.execute(select(func.min(incidents.c.next_at)).where(sleeping)).scalar()


def _read(row: Any) -> Incident | None:
    """One incident that cannot be read must not hold up all the others."""
    try:
        return Incident.model_validate_json(row.state)
    except ValidationError:
        log.exception("an incident cannot be read, and is passed over; see aegis doctor", incident=row.id)
        return None


def _due(now: datetime) -> Select[Any]:
    other = incidents.alias("other")
    hands_on = and_(other.c.open, other.c.id != incidents.c.id, other.c.status.in_(_HANDS_ON))
    busy = select(other.c.id).where(other.c.target == incidents.c.target, or_(other.c.owner.is_not(None), hands_on))
    ready = and_(
        incidents.c.open,
        incidents.c.owner.is_(None),
        or_(incidents.c.next_at.is_(None), incidents.c.next_at <= now),
        ~busy.exists(),
    )
    columns = select(incidents.c.id, incidents.c.target, incidents.c.fence, incidents.c.state)
    return columns.where(ready).order_by(incidents.c.priority, incidents.c.opened_at).limit(500)
