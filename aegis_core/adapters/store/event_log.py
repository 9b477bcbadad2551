"""Writes the event log, its projection and the outbox, always together."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from aegis_core.domain.events import GENESIS, Agent, Draft, Event, EventType, canonical, chain
from aegis_core.domain.incident import Incident, Status, fold
from aegis_core.domain.notice import Notice
from aegis_core.errors import Fenced, IncidentUnknown
from aegis_core.ports import Claim, Opening, Routes

from .database import Database
from .intake import Book
from .tables import events, incidents, outbox

# Losing one of these with the host's power could cost a second effect, or an accepted signal.
_DURABLE: Final = frozenset(
    {EventType.ACTION_INTENDED, EventType.ACTION_EXECUTED, EventType.RESOLVED, EventType.FAILED}
)

_Change = tuple[str, Incident | None, Sequence[Draft]]  # id, the incident before, and what is added


class SqlEventLog:
    """The event log in a SQL database (port `EventLog`)."""

    def __init__(self, database: Database, routes: Routes) -> None:
        self._database = database
        self._routes = routes

    def open(self, openings: Sequence[Opening], at: datetime) -> Sequence[tuple[Incident, bool]]:
        """See `ports.EventLog.open`. An id that is closed already opens nothing: its incident is returned as it is."""
        with self._database.writing(durable=True, urgent=True) as connection:
            book = Book(connection, openings, at)
            entered = [book.enter(opening) for opening in openings]
            book.close()
            changes = [
                (incident_id, book.before.get(incident_id), drafts) for incident_id, drafts in book.drafts.items()
            ]
            after = {incident.id: incident for incident in self._record(connection, changes, at)}
        return [(after.get(incident_id) or book.closed[incident_id], created) for incident_id, created in entered]

    def clear(self, keys: Sequence[str], at: datetime) -> Sequence[Incident]:
        """See `ports.EventLog.clear`."""
        if not keys:
            return ()
        draft = Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)
        with self._database.writing(durable=True, urgent=True) as connection:
            mine = incidents.c.open & incidents.c.key.in_(set(keys)) & incidents.c.acted_at.is_(None)
            states = connection.execute(select(incidents.c.state).where(mine)).scalars().all()
            known = [Incident.model_validate_json(state) for state in states]
            return self._record(connection, [(one.id, one, [draft]) for one in known if not one.cleared_at], at)

    def append(self, claim: Claim, drafts: Sequence[Draft], at: datetime) -> Claim:
        """See `ports.EventLog.append`."""
        durable = any(draft.type in _DURABLE for draft in drafts)
        with self._database.writing(durable=durable) as connection:
            columns = select(incidents.c.state, incidents.c.fence, incidents.c.owner)
            row = connection.execute(columns.where(incidents.c.id == claim.incident.id)).one_or_none()
            if row is None or row.owner is None or row.fence != claim.fence:
                raise Fenced(f"{claim.incident.id} was taken over by another worker")
            current = Incident.model_validate_json(row.state)
            [incident] = self._record(connection, [(current.id, current, drafts)], at)
        return Claim(incident=incident, fence=claim.fence)

    def answer(self, incident_id: str, said: Callable[[Incident], Sequence[Draft]], at: datetime) -> Incident:
        """See `ports.EventLog.answer`."""
        with self._database.writing(durable=True, urgent=True) as connection:
            mine = incidents.c.id == incident_id
            row = connection.execute(select(incidents.c.state, incidents.c.fence).where(mine)).one_or_none()
            if row is None:
                raise IncidentUnknown(f"there is no incident {incident_id}")
            before = Incident.model_validate_json(row.state)
            [after] = self._record(connection, [(incident_id, before, said(before))], at)
            if after.status is not before.status:
                connection.execute(update(incidents).where(mine).values(owner=None, fence=row.fence + 1))
        return after

    def _record(self, connection: Connection, changes: Sequence[_Change], at: datetime) -> list[Incident]:
        """Write events, projections and notices of these changes within the caller's transaction."""
        event_rows: list[dict[str, Any]] = []
        fresh: list[dict[str, Any]] = []
        notices: list[dict[str, Any]] = []
        recorded = []
        for incident_id, before, drafts in changes:
            version, head = (before.version, before.head) if before else (0, GENESIS)
            written = chain(drafts, incident_id, at, version, head)
            after = fold(written, before)
            recorded.append(after)
            event_rows += [_event_row(event) for event in written]
            row = _projection(after, written)
            if before is None:
                fresh.append({**row, "id": after.id, "fence": 0})
            else:
                connection.execute(update(incidents).where(incidents.c.id == after.id).values(**row))
            notices += [_notice_row(channel, notice, at) for channel, notice in self._routes(before, after)]
        for table, rows in ((events, event_rows), (incidents, fresh)):
            if rows:
                connection.execute(insert(table), rows)
        if notices:
            connection.execute(upsert(outbox).on_conflict_do_nothing(), notices)
        return recorded


def _event_row(event: Event) -> dict[str, Any]:
    return {**event.model_dump(exclude={"data"}), "data": canonical(event.data)}


def _projection(incident: Incident, written: Sequence[Event]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "target": incident.target,
        "fault": incident.fault,
        "key": incident.signal.key,
        "status": incident.status,
        "priority": incident.priority,
        "open": not incident.closed,
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "closed_at": incident.closed_at,
        "next_at": incident.wake_at,
        "version": incident.version,
        "state": incident.model_dump_json(),
    }
    if any(event.type is EventType.ACTION_INTENDED for event in written):
        row["acted_at"] = incident.updated_at
    if incident.status is Status.RESOLVED and incident.proven:
        row["proven_at"] = incident.closed_at
    return row


def _notice_row(channel: str, notice: Notice, at: datetime) -> dict[str, Any]:
    return {
        "channel": channel,
        "incident_id": notice.incident_id,
        "version": notice.version,
        "kind": notice.kind,
        "notice": notice.model_dump_json(),
        "created_at": at,
        "next_at": at,
        "attempts": 0,
    }


def rebuild(database: Database) -> int:
    """Fold every incident anew from its events and rewrite the projection; returns how many were rewritten."""
    with database.writing(durable=True) as connection:
        ids = connection.execute(select(events.c.incident_id).distinct()).scalars().all()
        for incident_id in ids:
            written = read_events(connection, incident_id)
            known = connection.execute(select(incidents.c.id).where(incidents.c.id == incident_id)).scalar()
            row = _projection(fold(written), written)
            if known is None:
                connection.execute(insert(incidents), [{**row, "id": incident_id, "fence": 0}])
            else:
                connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**row))
    return len(ids)


def read_events(connection: Connection, incident_id: str) -> list[Event]:
    """Read the events of one incident in order."""
    rows = connection.execute(
        select(events).where(events.c.incident_id == incident_id).order_by(events.c.version)
    ).mappings()
    return [event_of(row) for row in rows]


def event_of(row: Any) -> Event:
    """Turn a row of the table into an event."""
    return Event.model_validate({**row, "data": json.loads(row["data"])})
