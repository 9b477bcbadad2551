"""Lessons: what happened, what was done about it, and whether it held."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from .action import Action
from .diagnosis import Diagnosis
from .evidence import Evidence, Precedent
from .logs import template_of
from .model import Stored
from .signal import Fault
from .verification import Judgement

SIGNATURE_TEMPLATES: Final = 3
_ACTIONS: Final = frozenset(action.value for action in Action)


class Outcome(Stored):
    """What verification said of one action, and who had asked for it how sure."""

    action: Action
    healthy: bool
    source: str = ""
    confidence: float | None = None


class Lesson(Stored):
    """An entry of the runbook. Flat and in plain words, so that people and other tools can read it."""

    timestamp: datetime
    incident_id: str
    container: str
    fault: Fault
    issue: str
    fix: str
    root_cause: str
    source: str
    verified_healthy: bool
    seconds: float  # from the first signal to the end
    signature: str
    category: str = "unknown"
    image: str = ""
    attempts: int = 1
    confidence: float = 0.0
    outcomes: tuple[Outcome, ...] = ()  # of every action that was verified, in order
    errors: tuple[str, ...] = ()  # the error lines that the signature was made of, without what varies


def outcomes_of(lesson: Lesson) -> tuple[Outcome, ...]:
    """Return what was verified; a lesson that does not list it (an older one, or one by hand) tells of its last action.

    Where nothing was done there is no outcome, however well the target is; and where the end was not verified healthy,
    nothing counts as a success.
    """
    if lesson.outcomes:
        return tuple(one for one in lesson.outcomes if lesson.verified_healthy or not one.healthy)
    if lesson.attempts < 1 or lesson.fix not in _ACTIONS:
        return ()
    action = Action(lesson.fix)
    return (
        Outcome(action=action, healthy=lesson.verified_healthy, source=lesson.source, confidence=lesson.confidence),
    )


def outcome_of(action: Action, judgement: Judgement, said: Diagnosis | None) -> tuple[Outcome, ...]:
    """Tell what an action led to; nothing where a person has stopped the target meanwhile, for that proves nothing."""
    if judgement.healthy and not judgement.shows_running:
        return ()
    source, sure = (said.source, said.confidence) if said else ("", None)
    return (Outcome(action=action, healthy=judgement.healthy, source=source, confidence=sure),)


def errors_of(evidence: Evidence) -> tuple[str, ...]:
    """Choose the error lines that tell a trouble, without what varies from time to time."""
    errors = sorted(template_of(t.example) for t in evidence.templates if t.error)
    return tuple(errors[:SIGNATURE_TEMPLATES])


def signature_of(evidence: Evidence) -> str:
    """Fingerprint of a fault: the same image failing with the same kind of error lines gives the same 16 hex digits."""
    errors = errors_of(evidence)
    image = evidence.target.image if evidence.target else ""
    exit_code = str(evidence.target.exit_code) if evidence.target else ""
    text = "\n".join([evidence.fault, image, exit_code, *errors])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def resemblance(lesson: Lesson, fault: Fault, container: str, image: str, signature: str) -> int:
    """Rate how much a lesson resembles a fault; 0 where it has nothing to say about it."""
    if lesson.fault is not fault:
        return 0
    same_image = bool(image) and lesson.image == image
    return 1 + 4 * (lesson.signature == signature) + 2 * (lesson.container == container) + same_image


def similar(lessons: Iterable[Lesson], evidence: Evidence, container: str, most: int = 3) -> tuple[Lesson, ...]:
    """Choose the lessons that resemble the evidence most; among equals the newest first."""
    image = evidence.target.image if evidence.target else ""
    signature = signature_of(evidence)
    rated = [(resemblance(one, evidence.fault, container, image, signature), one.timestamp, one) for one in lessons]
    rated = [row for row in rated if row[0] > 0]
    rated.sort(key=lambda row: (row[0], row[1]), reverse=True)
    return tuple(lesson for _, _, lesson in rated[:most])


def precedents(lessons: Sequence[Lesson]) -> tuple[Precedent, ...]:
    """Shorten lessons to what a brain is told of them."""
    return tuple(
        Precedent(
            fault=one.fault,
            root_cause=one.root_cause[:200],
            fix=one.fix,
            verified_healthy=one.verified_healthy,
            container=one.container,
            tried=one.attempts > 0,
        )
        for one in lessons
    )
