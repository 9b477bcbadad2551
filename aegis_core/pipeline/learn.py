"""Learn: what an incident taught, as a lesson for the runbook. Failures teach too."""

from collections.abc import Sequence

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.lesson import Lesson, signature_of


def learn(closed: Incident) -> Sequence[Draft]:
    """Draft the lesson of an incident that has just been closed; none where nothing was done."""
    if closed.lesson is not None or closed.attempts == 0 or closed.closed_at is None:
        return ()
    lesson = _lesson(closed, closed.evidence)
    data = {"lesson": lesson.model_dump(mode="json")}
    return (Draft(type=EventType.LESSON_LEARNED, agent=Agent.COMMUNICATION, data=data),)


def _lesson(closed: Incident, evidence: Evidence | None) -> Lesson:
    diagnosis, target = closed.diagnosis, evidence.target if evidence else None
    return Lesson(
        timestamp=closed.closed_at or closed.updated_at,
        incident_id=closed.id,
        container=closed.target,
        fault=closed.fault,
        issue=f"{closed.fault} on {closed.target}",
        fix=closed.last_action or Action.NOOP,
        root_cause=diagnosis.root_cause if diagnosis else "not known",
        source=diagnosis.source if diagnosis else "",
        verified_healthy=closed.status is Status.RESOLVED and closed.proven,
        seconds=round(closed.seconds or 0.0, 3),
        signature=signature_of(evidence) if evidence else "",
        category=diagnosis.category if diagnosis else "unknown",
        image=target.image if target else "",
        attempts=closed.attempts,
        confidence=diagnosis.confidence if diagnosis else 0.0,
    )
