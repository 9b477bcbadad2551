"""Writes the event log, its projection and the outbox, always together."""

import json
from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from aegis_core.domain.events import GENESIS, Agent, Draft, Event, EventType, canonical, chain
from aegis_core.domain.incident import Incident, Status, fold
from aegis_core.domain.notice import Notice
from aegis_core.domain.signal import Signal
from aegis_core.errors import Fenced
from aegis_core.ports import Claim, Routes

from .database import Database
from .tables import events, incidents, outbox

# Losing one of these with the host's power could cost a second effect, or an accepted signal.
_DURABLE: Final = frozenset(
    {EventType.ACTION_INTENDED, EventType.ACTION_EXECUTED, EventType.RESOLVED, EventType.FAILED}
)


class SqlEventLog:
    """The event log in a SQL database (port `EventLog`)."""

    def __init__(self, database: Database, routes: Routes) -> None:
        self._database = database
        self._routes = routes

    def open(self, signal: Signal, at: datetime) -> tuple[Incident, bool]:
        """See `ports.EventLog.open`. An id that is closed already opens nothing: its incident is returned as it is."""
        with self._database.writing(durable=True) as connection:
            known = _named(connection, signal.incident_id) or _open_one(connection, signal)
            if known and known.closed:
                return known, False
            if known:
                data = {"signal": signal.model_copy(update={"logs": ()}).model_dump(mode="json")}
                draft = Draft(type=EventType.SIGNAL_JOINED, agent=Agent.DETECTION, data=data)
                return self._record(connection, known, known.id, [draft], at), False
            incident_id = signal.incident_id or f"inc-{at:%Y%m%d-%H%M%S}-{token_hex(3)}"
            data = {"signal": signal.model_dump(mode="json")}
            draft = Draft(type=EventType.SIGNAL_RECEIVED, agent=Agent.DETECTION, data=data)
            return self._record(connection, None, incident_id, [draft], at), True

    def append(self, claim: Claim, drafts: Sequence[Draft], at: datetime) -> Claim:
        """See `ports.EventLog.append`."""
        durable = any(draft.type in _DURABLE for draft in drafts)
        with self._database.writing(durable=durable) as connection:
            columns = select(incidents.c.state, incidents.c.fence, incidents.c.owner)
            row = connection.execute(columns.where(incidents.c.id == claim.incident.id)).one_or_none()
            if row is None or row.owner is None or row.fence != claim.fence:
                raise Fenced(f"{claim.incident.id} was taken over by another worker")
            current = Incident.model_validate_json(row.state)
            incident = self._record(connection, current, current.id, drafts, at)
        return Claim(incident=incident, fence=claim.fence)

    def _record(
        self, connection: Connection, before: Incident | None, incident_id: str, drafts: Sequence[Draft], at: datetime
    ) -> Incident:
        """Write events, projection and notices within the caller's transaction."""
        version, head = (before.version, before.head) if before else (0, GENESIS)
        written = chain(drafts, incident_id, at, version, head)
        after = fold(written, before)
        connection.execute(insert(events), [_event_row(event) for event in written])
        _project(connection, after, written, fresh=before is None)
        notices = [_notice_row(channel, notice, at) for channel, notice in self._routes(before, after)]
        if notices:
            connection.execute(upsert(outbox).on_conflict_do_nothing(), notices)
        return after


def _named(connection: Connection, incident_id: str | None) -> Incident | None:
    if incident_id is None:
        return None
    return _load(connection, incidents.c.id == incident_id)


def _open_one(connection: Connection, signal: Signal) -> Incident | None:
    same = (incidents.c.target == signal.target) & (incidents.c.fault == signal.fault) & incidents.c.open
    return _load(connection, same)


def _load(connection: Connection, condition: Any) -> Incident | None:
    state = connection.execute(select(incidents.c.state).where(condition).limit(1)).scalar()
    return None if state is None else Incident.model_validate_json(state)


def _event_row(event: Event) -> dict[str, Any]:
    return {**event.model_dump(exclude={"data"}), "data": canonical(event.data)}


def _project(connection: Connection, incident: Incident, written: Sequence[Event], fresh: bool) -> None:
    row: dict[str, Any] = {
        "target": incident.target,
        "fault": incident.fault,
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
    if fresh:
        connection.execute(insert(incidents), [{"id": incident.id, "fence": 0, **row}])
    else:
        connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**row))


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
            _project(connection, fold(written), written, fresh=known is None)
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
