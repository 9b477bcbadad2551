"""The messages of the live stream, as JSON. Every figure in them comes from the events."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from aegis_core.domain.chronicle import sentence
from aegis_core.domain.events import Event, EventType
from aegis_core.domain.incident import Incident
from aegis_core.pipeline.live import Happening
from aegis_core.ports import Filter, Incidents

from . import views

MOST_DETAILS: Final = 16_384  # characters of the details of one action; all of it is at /incidents/{id}/events
_STANDS: Final[Mapping[EventType, str]] = {
    EventType.ACTION_INTENDED: "started",
    EventType.APPROVAL_REQUESTED: "waiting",
    EventType.RESTED: "waiting",
    EventType.ACTION_FAILED: "failed",
    EventType.STAGE_FAILED: "failed",
    EventType.FAILED: "failed",
}
_SURE: Final = ("diagnosis", "opinion", "decision", "lesson")  # what says how sure somebody is


def messages(happening: Happening) -> Sequence[str]:
    """What an agent did and, where that moved the incident on, how it stands now."""
    event, before, after = happening
    told = [_action(event, before)]
    if before is None or after.status is not before.status:
        told.append(_status(after))
    return [text(message) for message in told]


def _action(event: Event, before: Incident | None) -> dict[str, Any]:
    return {
        "type": "agent_action",
        "incident_id": event.incident_id,
        "action": {
            "agent_type": event.agent,
            "action_id": f"{event.incident_id}:{event.version}",
            "description": sentence(event),
            "timestamp": event.at.isoformat(),
            "status": _stands(event),
            "details": _details(event),
            "duration_ms": round((event.at - before.updated_at).total_seconds() * 1000) if before else None,
            "confidence": _confidence(event),
        },
    }


def _stands(event: Event) -> str:
    if event.type is EventType.VERIFIED:
        conditions = event.data.get("judgement", {}).get("conditions", ())
        return "completed" if conditions and all(one.get("holds") for one in conditions) else "failed"
    return _STANDS.get(event.type, "completed")


def _details(event: Event) -> dict[str, Any]:
    """What the event holds; evidence and log lines only by their number, because they are long."""
    data: dict[str, Any] = {"event": event.type, **event.data}
    evidence, signal = data.pop("evidence", None), data.get("signal")
    if isinstance(evidence, Mapping):
        data |= {"missing": evidence.get("missing", ()), "log_patterns": len(evidence.get("templates", ()))}
    if isinstance(signal, Mapping):
        data["signal"] = {**signal, "logs": len(signal.get("logs", ()))}
    return data if len(json.dumps(data)) <= MOST_DETAILS else {"event": event.type, "cut": True}


def _confidence(event: Event) -> float | None:
    parts = (event.data.get(name) for name in _SURE)
    return next((part.get("confidence") for part in parts if isinstance(part, Mapping)), None)


def _status(incident: Incident) -> dict[str, Any]:
    return {
        "type": "incident_status",
        "incident_id": incident.id,
        "status": incident.status,
        "resolution_time": incident.seconds,
        "cost_savings": incident.impact.saved_dollars if incident.impact else None,
    }


def performance(incidents: Incidents, manual_minutes: float) -> str:
    """The sums over the incidents that have ended, as at /impact; times in seconds, the rate a share of 1."""
    closed, _ = incidents.list(Filter(open=False), views.MOST_FOR_IMPACT, 0)
    impact = views.impact(closed, manual_minutes)
    figures = {
        "incidents_resolved": impact["incidents_resolved"],
        "total_cost_savings": impact["total_cost_savings"],
        "avg_mttr": impact["avg_mttr_seconds"],
        "success_rate": impact["success_rate"],
    }
    return text({"type": "performance_metrics", **figures})


def heartbeat(now: datetime) -> str:
    """Nothing has happened; the connection lives."""
    return text({"type": "heartbeat", "timestamp": now.isoformat()})


def text(message: Mapping[str, Any]) -> str:
    """A message as JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def marked(message: str, since: int) -> str:
    """The message with what its receiver has to ask for to miss nothing that comes after it."""
    return f'{{"since":{since},{message[1:]}'


def frames(entry_messages: Sequence[str], mark: int) -> Sequence[str]:
    """The messages of one event. Only after the last of them is the event behind its receiver."""
    last = len(entry_messages) - 1
    return [marked(message, mark if index == last else mark - 1) for index, message in enumerate(entry_messages)]
