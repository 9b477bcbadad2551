"""What the API shows of the domain: plain JSON in the wire names that users rely on."""

from collections.abc import Mapping, Sequence
from typing import Any

from aegis_core.domain.evaluation import Evaluation
from aegis_core.domain.events import Event
from aegis_core.domain.evidence import lines_of
from aegis_core.domain.forecast import Forecast
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.reflex import LEAST_LOWER, LEAST_SUCCESSES, Earned
from aegis_core.domain.target import TargetState, Usage
from aegis_core.domain.trial import Answered
from aegis_core.domain.trust import HALF_LIFE

Json = Mapping[str, Any]
MOST_FOR_IMPACT = 2_000  # incidents that the impact figures are computed over, the newest
REFLEX_RULE = (
    f"By reflex: {LEAST_SUCCESSES} verified successes of the same trouble since the last failure, and the lower "
    f"quartile of Beta(1 + successes, 1 + failures) at {LEAST_LOWER:g} or more; outcomes count half after "
    f"{HALF_LIFE.days} days."
)
MOST_WRONG = 20  # answers of an evaluation that are shown


def brief(incident: Incident) -> dict[str, Any]:
    """One row of the list."""
    diagnosis, decision = incident.diagnosis, incident.decision
    chosen = decision.action if decision else (diagnosis.action if diagnosis else None)
    return {
        "incident_id": incident.id,
        "container_name": incident.target,
        "fault": incident.fault,
        "alert_type": incident.signal.alert_type or incident.fault,
        "severity": incident.severity,
        "status": incident.status,
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "closed_at": incident.closed_at,
        "seconds": incident.seconds,
        "signals": incident.signals,
        "attempts": incident.attempts,
        "root_cause": diagnosis.root_cause if diagnosis else None,
        "category": diagnosis.category if diagnosis else None,
        "action": incident.last_action or chosen,
        "source": diagnosis.source if diagnosis else None,
        "confidence": diagnosis.confidence if diagnosis else None,
        "error": incident.error,
        "cost_savings": incident.impact.saved_dollars if incident.impact else None,
        "waits_until": incident.wake_at,
    }


def detail(incident: Incident) -> dict[str, Any]:
    """Everything about one incident."""
    evidence, judgement = incident.evidence, incident.judgement
    verification = None
    if judgement:
        conditions = [condition.model_dump() for condition in judgement.conditions]
        verification = {"healthy": judgement.healthy, "conditions": conditions}
    return {
        **brief(incident),
        "analysis": incident.diagnosis.model_dump() if incident.diagnosis else None,
        "evidence_lines": [line.model_dump() for line in lines_of(evidence)] if evidence else [],
        "missing": evidence.missing if evidence else (),
        "log_tail": evidence.tail if evidence else incident.signal.logs,
        "metrics": incident.signal.metrics,
        "precedents": [one.model_dump() for one in evidence.precedents] if evidence else [],
        "opinions": [one.model_dump() for one in incident.opinions],
        "decision": incident.decision.model_dump() if incident.decision else None,
        "approval": incident.approval.model_dump() if incident.approval else None,
        "intent": incident.intent.model_dump() if incident.intent else None,
        "verification": verification,
        "lesson": incident.lesson.model_dump() if incident.lesson else None,
        "impact": incident.impact.model_dump() if incident.impact else None,
        "undone": incident.undone,
        "tried": incident.tried,
        "comments": [one.model_dump() for one in incident.comments],
        "version": incident.version,
    }


def accepted(incident: Incident) -> dict[str, Any]:
    """The answer to a webhook."""
    return {
        "incident_id": incident.id,
        "container_name": incident.target,
        "status": incident.status,
        "analysis": incident.diagnosis.model_dump(mode="json") if incident.diagnosis else None,
        "error": incident.error,
    }


def taken(incident: Incident) -> dict[str, Any]:
    """One incident in the answer to somebody else's webhook."""
    return {"incident_id": incident.id, "container_name": incident.target, "status": incident.status}


def event(one: Event) -> dict[str, Any]:
    """One line of the timeline."""
    return one.model_dump(include={"version", "type", "at", "agent", "data", "hash"})


def target(
    state: TargetState,
    series: Sequence[Usage],
    *,
    opted_in: bool,
    own: bool,
    open_incident: str | None,
    foreseen: Forecast | None,
) -> dict[str, Any]:
    """One target with its curves."""
    fields = {"run", "health", "image", "started_at", "exit_code", "oom_killed", "restart_count", "limits", "usage"}
    return {
        "name": state.ref.name,
        "id": state.ref.id,
        **state.model_dump(include=fields),
        "stopped_by_person": state.stopped_by_person,
        "opted_in": opted_in,
        "own": own,
        "series": [usage.model_dump() for usage in series],
        "open_incident_id": open_incident,
        "forecast": {**foreseen.model_dump(), "words": foreseen.words} if foreseen else None,
    }


def evaluation(one: Evaluation) -> dict[str, Any]:
    """One evaluation with its figures and what went wrong in it."""
    head = one.model_dump(include={"at", "brain", "origin", "version", "prompt"})
    wrong = [_answer(answered) for answered in one.worst[:MOST_WRONG]]
    return {**head, "score": one.score.model_dump(), "wrong": wrong}


def _answer(one: Answered) -> dict[str, Any]:
    said = one.diagnosis
    return {
        "id": one.id,
        "container_name": one.container,
        "expected": one.expected.model_dump(mode="json"),
        "analysis": said.model_dump() if said else None,
        "problem": one.problem,
        "wrong_act": one.marks.wrong_act,
    }


def trust(one: Earned) -> dict[str, Any]:
    """One row of trust."""
    head = {"fault": one.fault, "image": one.image, "reflexes": one.reflexes}
    return {**head, **one.trust.model_dump(exclude={"newest"}), "newest_at": one.trust.newest}


def impact(closed: Sequence[Incident], manual_minutes: float) -> dict[str, Any]:
    """Sum up what was healed and what that saved; every figure comes from the incidents listed with it."""
    healed = [one for one in closed if one.healed]
    failed = [one for one in closed if one.status is Status.FAILED]
    acted = len(healed) + sum(1 for one in failed if one.attempts > 0)
    seconds = [one.seconds for one in healed if one.seconds is not None]
    return {
        "incidents_resolved": len([one for one in closed if one.status is Status.RESOLVED]),
        "incidents_healed": len(healed),
        "incidents_failed": len(failed),
        "success_rate": len(healed) / acted if acted else None,
        "avg_mttr_seconds": sum(seconds) / len(seconds) if seconds else None,
        "total_cost_savings": sum(one.impact.saved_dollars for one in healed if one.impact),
        "manual_mttr_minutes": manual_minutes,
        "formula": "saved = (minutes by hand − measured minutes) × dollars a minute of the target's tier",
        "incidents": [_counted(one) for one in closed],
    }


def _counted(one: Incident) -> dict[str, Any]:
    return {
        "incident_id": one.id,
        "container_name": one.target,
        "fault": one.fault,
        "status": one.status,
        "opened_at": one.opened_at,
        "closed_at": one.closed_at,
        "seconds": one.seconds,
        "attempts": one.attempts,
        "saved_dollars": one.impact.saved_dollars if one.impact else 0.0,
        "formula": one.impact.formula if one.impact else None,
    }
