"""Reads the projection (port `Incidents`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import JSON, ColumnElement, Connection, String, and_, func, or_, select, true, type_coerce, union

from aegis_core.domain.events import Event, EventType, first_broken
from aegis_core.domain.incident import Incident
from aegis_core.domain.lesson import Lesson, Outcome
from aegis_core.domain.policy import History
from aegis_core.errors import IncidentUnknown
from aegis_core.ports import Filter

from .database import Database
from .event_log import event_of, read_events
from .tables import events, incidents

_TOLD: Final = (
    ("signal", "alert_type"),
    ("signal", "logs"),
    ("evidence", "tail"),
    ("diagnosis", "root_cause"),
    ("diagnosis", "justification"),
    ("error",),
)


MOST_JUDGED: Final = 1_000
_OUTCOMES: Final = TypeAdapter(tuple[Outcome, ...])
_DECISIVE: Final = (EventType.ACTION_INTENDED, EventType.ACTION_EXECUTED, EventType.ACTION_FAILED)


class SqlIncidents:
    """Incidents as they stand, and their events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, incident_id: str) -> Incident:
        """See `ports.Incidents.get`."""
        with self._database.reading() as connection:
            state = connection.execute(select(incidents.c.state).where(incidents.c.id == incident_id)).scalar()
        if state is None:
            raise IncidentUnknown(f"there is no incident {incident_id}")
        return Incident.model_validate_json(state)

    def list(self, wanted: Filter, limit: int, offset: int) -> tuple[Sequence[Incident], int]:
        """See `ports.Incidents.list`."""
        condition = _condition(wanted)
        newest = incidents.c.opened_at.desc(), incidents.c.id.desc()
        query = select(incidents.c.state).where(condition).order_by(*newest).limit(limit).offset(offset)
        with self._database.reading() as connection:
            total = connection.execute(select(func.count()).select_from(incidents).where(condition)).scalar_one()
            states = connection.execute(query).scalars().all()
        return [Incident.model_validate_json(state) for state in states], total

    def events(self, incident_id: str) -> Sequence[Event]:
        """See `ports.Incidents.events`."""
        with self._database.reading() as connection:
            found = read_events(connection, incident_id)
        if not found:
            raise IncidentUnknown(f"there is no incident {incident_id}")
        return found

    def history(self, target: str) -> History:
        """See `ports.Incidents.history`."""
        mine = incidents.c.target == target
        decisive = (
            select(events.c.incident_id, events.c.type, events.c.at)
            .join(incidents, incidents.c.id == events.c.incident_id)
            .where(mine, incidents.c.acted_at.is_not(None), events.c.type.in_(_DECISIVE))
            .order_by(events.c.at.desc(), events.c.version.desc())
            .limit(150)
        )
        with self._database.reading() as connection:
            proven = connection.execute(select(func.max(incidents.c.proven_at)).where(mine)).scalar()
            moments = _begun(connection.execute(decisive).all())
        since = [at for at in moments if proven is None or at > proven]
        return History(attempts=tuple(reversed(since)), last_action_at=max(moments, default=None))


def _begun(newest_first: Sequence[Any]) -> list[datetime]:
    """The moments at which actions were begun: not those of intents that were called off, for nothing was done."""
    moments: list[datetime] = []
    next_of: dict[str, str] = {}
    for incident_id, kind, at in newest_first:
        if kind == EventType.ACTION_INTENDED and next_of.get(incident_id) != EventType.ACTION_FAILED:
            moments.append(at)
        next_of[incident_id] = kind
    return moments


class Break(NamedTuple):
    """The first place where the log of an incident is not what was written."""

    incident_id: str
    version: int
    reason: str


class Archive:
    """The whole log at once: what `aegis doctor` checks and a lost runbook is rebuilt from."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outcomes: tuple[Any, tuple[Outcome, ...]] = (None, ())

    def outcomes(self) -> Sequence[Outcome]:
        """Return what verification said of every action, of the newest `MOST_JUDGED` incidents that were acted on."""
        ended = incidents.c.acted_at.is_not(None) & incidents.c.closed_at.is_not(None)
        mark = select(func.count(), func.max(incidents.c.closed_at)).where(ended)
        told = func.json_extract(incidents.c.state, "$.outcomes")
        newest = select(told).where(ended).order_by(incidents.c.closed_at.desc()).limit(MOST_JUDGED)
        with self._database.reading() as connection:
            stand = tuple(connection.execute(mark).one())
            if stand != self._outcomes[0]:
                states = connection.execute(newest).scalars().all()
                found = [outcome for state in states if state for outcome in _OUTCOMES.validate_json(state)]
                self._outcomes = (stand, tuple(found))
        return self._outcomes[1]

    def lessons(self) -> Sequence[Lesson]:
        """Return every lesson that was ever learned, oldest first."""
        query = select(events.c.data, events).where(events.c.type == EventType.LESSON_LEARNED).order_by(events.c.at)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [Lesson.model_validate(event_of(row).data["lesson"]) for row in rows]

    def broken(self) -> Sequence[Break]:
        """Verify every chain, and that none was cut off; return where each one breaks that does."""
        known = union(select(events.c.incident_id), select(incidents.c.id))
        with self._database.reading() as connection:
            checked = [
                _first_break(connection, incident_id) for incident_id in connection.execute(known).scalars().all()
            ]
        return [found for found in checked if found]

    def count(self) -> int:
        """Return how many events there are."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(events)).scalar_one())


def _first_break(connection: Connection, incident_id: str) -> Break | None:
    columns = [type_coerce(one, String).label("at") if one is events.c.at else one for one in events.c]
    raw = select(*columns).where(events.c.incident_id == incident_id)
    written: list[Event] = []
    for row in connection.execute(raw.order_by(events.c.version)).mappings():
        try:
            written.append(event_of(row))
        except ValueError:  # whatever was written can be read
            return Break(incident_id, row["version"], "it cannot be read")
    odd = first_broken(written)
    if odd:
        return Break(incident_id, odd.version, "it does not fit its own hash, or the event before it")
    last = written[-1].version if written else 0
    projected = connection.execute(select(incidents.c.version).where(incidents.c.id == incident_id)).scalar()
    if projected == last:
        return None
    return Break(incident_id, last + 1, f"the log ends at {last}, and the incident as it stands at {projected or 0}")


def _condition(wanted: Filter) -> ColumnElement[bool]:
    parts: list[Any] = [true()]
    if wanted.status:
        parts.append(incidents.c.status == wanted.status)
    if wanted.target:
        parts.append(incidents.c.target == wanted.target)
    if wanted.fault:
        parts.append(incidents.c.fault == wanted.fault)
    if wanted.open is not None:
        parts.append(incidents.c.open == wanted.open)
    if wanted.search:
        parts.append(or_(*(place.icontains(wanted.search, autoescape=True) for place in _searched())))
    return and_(*parts)


def _searched() -> Sequence[ColumnElement[str]]:
    """What people remember of an incident; the whole of its state would be found by any two letters of a hash."""
    state = type_coerce(incidents.c.state, JSON)
    return [incidents.c.id, incidents.c.target, incidents.c.fault, *(state[path].as_string() for path in _TOLD)]
