"""Takes signals in, many in one transaction: opens incidents, and joins what belongs to an open one."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import PRIORITY, Signal
from aegis_core.ports import Opening

from .tables import incidents


class Book:
    """The incidents that a batch of signals may belong to, and what the batch adds to each."""

    def __init__(self, connection: Connection, openings: Sequence[Opening], at: datetime) -> None:
        self._at = at
        self.before: dict[str, Incident | None] = {}
        self.drafts: dict[str, list[Draft]] = {}
        self.closed: dict[str, Incident] = {}  # named by a signal, and over: a replay opens nothing
        self._fresh: set[tuple[str, str]] = set()  # opened by this batch: id and target
        self._joined: dict[str, list[Signal]] = {}
        self._by_key: dict[str, str] = {}
        self._by_symptom: dict[tuple[str, str], str] = {}
        for state in connection.execute(_candidates(openings)).scalars():
            self._know(Incident.model_validate_json(state))

    def enter(self, opening: Opening) -> tuple[str, bool]:
        """Note a signal; returns the id of its incident and whether it opens one."""
        signal = opening.signal
        known = self._find(signal)
        if known:
            if known not in self.closed:
                self._joined.setdefault(known, []).append(signal)
            return known, False
        named = signal.incident_id if signal.incident_id not in (*self.before, *self.closed) else None
        incident_id = named or f"inc-{self._at:%Y%m%d-%H%M%S}-{token_hex(4)}"
        data: dict[str, Any] = {"signal": signal.model_dump(mode="json")}
        if opening.until:
            data["until"] = opening.until.isoformat()
        self.before[incident_id] = None
        self._point(incident_id, signal.key, signal.target, signal.fault)
        self._fresh.add((incident_id, signal.target))
        self.drafts[incident_id] = [Draft(type=EventType.SIGNAL_RECEIVED, agent=Agent.DETECTION, data=data)]
        return incident_id, True

    def close(self) -> None:
        """Turn the signals that joined into one event for each incident: a storm is counted, not copied."""
        for incident_id, signals in self._joined.items():
            worst = min(signals, key=lambda one: PRIORITY[one.severity])
            newest = signals[-1].model_copy(update={"logs": (), "severity": worst.severity})
            data = {"signal": newest.model_dump(mode="json"), "count": len(signals)}
            draft = Draft(type=EventType.SIGNAL_JOINED, agent=Agent.DETECTION, data=data)
            self.drafts.setdefault(incident_id, []).append(draft)

    def _is_about(self, incident_id: str, target: str) -> bool:
        """An id that is used again for another target names nothing: that one must not be lost in the first's."""
        if incident_id in self.closed:
            return self.closed[incident_id].target == target
        before = self.before.get(incident_id)
        return before.target == target if before else (incident_id, target) in self._fresh

    def _know(self, incident: Incident) -> None:
        if incident.closed:
            self.closed[incident.id] = incident
            return
        self.before[incident.id] = incident
        self._point(incident.id, incident.signal.key, incident.target, incident.fault)

    def _point(self, incident_id: str, key: str | None, target: str, fault: str) -> None:
        if key:
            self._by_key.setdefault(key, incident_id)
        self._by_symptom.setdefault((target, fault), incident_id)

    def _find(self, signal: Signal) -> str | None:
        named = signal.incident_id
        if named and self._is_about(named, signal.target):
            return named
        by_key = self._by_key.get(signal.key) if signal.key else None
        return by_key or self._by_symptom.get((signal.target, signal.fault))


def _candidates(openings: Sequence[Opening]) -> Any:
    signals = [opening.signal for opening in openings]
    ids = {signal.incident_id for signal in signals if signal.incident_id}
    keys = {signal.key for signal in signals if signal.key}
    targets = {signal.target for signal in signals}
    related = or_(incidents.c.key.in_(keys), incidents.c.target.in_(targets))
    return select(incidents.c.state).where(or_(incidents.c.id.in_(ids), and_(incidents.c.open, related)))
