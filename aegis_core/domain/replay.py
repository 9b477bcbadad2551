"""The user's own incidents as questions: what was verified tells what was right, or at least what was not."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from .action import Action
from .diagnosis import Diagnosis
from .events import Event, EventType
from .evidence import Evidence
from .incident import Incident, Status, fold
from .trial import Expected, Question

OBSERVED: Final = "observation"  # the model of a diagnosis that no brain was asked for
VERIFIED: Final = "verified"
IN_VAIN: Final = "in vain"


class _Attempt(NamedTuple):
    """What was known, what was done about it, and whether the target was seen well and running afterwards."""

    evidence: Evidence
    diagnosis: Diagnosis
    action: Action
    proven: bool


def question_of_past(events: Iterable[Event]) -> Question | None:
    """Make a question of a closed incident; None where nothing was verified, or no brain was asked.

    Resolved: the right action is the one after which the target was verified healthy, and the right category that of
    the diagnosis behind it. Failed after an action: that action is known to be wrong, and nothing is known to be right.
    The evidence is the one that the brain had. Raises ValueError for events that are no incident.
    """
    incident, attempts = _walk(events)
    if incident is None or not attempts:
        return None
    last = attempts[-1]
    if incident.status is Status.RESOLVED and last.proven and last.diagnosis.model != OBSERVED:
        category, action = last.diagnosis.category, last.action
        right = Expected(category=category, action=action, allowed=frozenset({action}), certainty=VERIFIED)
        return Question(id=incident.id, container=incident.target, evidence=last.evidence, expected=right)
    vain = [one for one in attempts if one.action is not Action.NOOP and not one.proven]
    if incident.status is Status.FAILED and vain:
        allowed = frozenset(Action) - {one.action for one in vain}
        wrong = Expected(category=None, action=None, allowed=allowed, certainty=IN_VAIN)
        return Question(id=incident.id, container=incident.target, evidence=vain[0].evidence, expected=wrong)
    return None


def _walk(events: Iterable[Event]) -> tuple[Incident | None, list[_Attempt]]:
    incident: Incident | None = None
    attempts: list[_Attempt] = []
    for event in events:
        before, incident = incident, fold([event], incident)
        if event.type is not EventType.VERIFIED or before is None or not (before.evidence and before.diagnosis):
            continue
        action = before.intent.action if before.intent else Action.NOOP
        proven = incident.proven
        attempts.append(_Attempt(before.evidence, before.diagnosis, action, proven))
    return incident, attempts
