"""Learn: what an incident taught, as a lesson for the runbook. Failures teach too."""

from collections.abc import Sequence
from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.lesson import Lesson, errors_of, signature_of
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask

CAUSE_CHARACTERS: Final = 600  # as many as a model may write
ISSUE_CHARACTERS: Final = 300
ERROR_CHARACTERS: Final = 300
MOST_OUTCOMES: Final = 20


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
        issue=_told(f"{closed.fault} on {closed.target}", ISSUE_CHARACTERS),
        fix=closed.last_action or Action.NOOP,
        root_cause=_told(diagnosis.root_cause, CAUSE_CHARACTERS) if diagnosis else "not known",
        source=diagnosis.source if diagnosis else "",
        verified_healthy=closed.status is Status.RESOLVED and closed.proven,
        seconds=round(closed.seconds or 0.0, 3),
        signature=signature_of(evidence) if evidence else "",
        category=diagnosis.category if diagnosis else "unknown",
        image=target.image if target else "",
        attempts=closed.attempts,
        confidence=diagnosis.confidence if diagnosis else 0.0,
        outcomes=closed.outcomes[-MOST_OUTCOMES:],
        errors=tuple(_told(one, ERROR_CHARACTERS) for one in errors_of(evidence)) if evidence else (),
    )


def _told(text: str, most: int) -> str:
    """Text as it may be kept and told to a model later: cleaned, masked once more, and bounded."""
    return mask(clean_line(text))[:most]
