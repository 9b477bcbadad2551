"""The reflex: what has healed the same trouble often enough is done again without asking anybody (DESIGN §5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from .action import Action
from .evidence import MOST_TEMPLATES, Evidence, lines_of
from .lesson import Lesson, outcomes_of, signature_of
from .model import Value
from .signal import Fault
from .trust import Trust, trust_of

LEAST_SUCCESSES: Final = 3
LEAST_LOWER: Final = 0.7
MOST_CITED_ERRORS: Final = 3


class Reflex(Value):
    """The newest lesson of an action that has proven itself for this very trouble, and the trust in it.

    `own` counts the outcomes with the same signature, `trust` all of the fault and the image.
    """

    action: Action
    lesson: Lesson
    own: Trust
    trust: Trust


class Earned(Value):
    """The trust in an action for a fault of an image. It answers so many troubles (`reflexes`) without a question."""

    fault: Fault
    image: str
    trust: Trust
    reflexes: int


def reflex_of(lessons: Iterable[Lesson], evidence: Evidence) -> Reflex | None:
    """Choose the action that healed the same fault, image and signature three times in a row or more, the most trusted
    one; None where none has, or where something is new this time.

    New is: an attempt of this incident that has failed already, a definition that changed lately, and a person's hand.
    A `custom` alert may be about anything, so two of them are not taken for the same trouble.
    """
    target = evidence.target
    if target is None or target.stopped_by_person or evidence.tried or evidence.changes:
        return None
    if evidence.fault is Fault.CUSTOM:
        return None
    alike = [one for one in lessons if one.fault is evidence.fault and one.image == target.image]
    trusts = _trusts(alike, evidence.fault, target.image, evidence.at)
    return _best(alike, signature_of(evidence), trusts, evidence.at)


def _trusts(alike: Sequence[Lesson], fault: Fault, image: str, now: datetime) -> Sequence[Trust]:
    found = (trust_of(alike, fault, image, action, now) for action in Action)
    return [trust for trust in found if trust]


def _best(alike: Sequence[Lesson], signature: str, trusts: Sequence[Trust], now: datetime) -> Reflex | None:
    """Choose among the lessons of one fault and one image."""
    same = [one for one in alike if one.signature == signature]
    proven = [reflex for trust in trusts if (reflex := _proven(trust, same, now)) is not None]
    return max(proven, key=lambda one: one.trust.lower, default=None)


def _proven(trust: Trust, same: Sequence[Lesson], now: datetime) -> Reflex | None:
    """One failure takes a reflex away: three successes since then, and enough of them, bring it back."""
    if len(same) < LEAST_SUCCESSES or trust.lower < LEAST_LOWER:
        return None
    own = trust_of(same, same[0].fault, same[0].image, trust.action, now)
    if own is None or own.streak < LEAST_SUCCESSES:
        return None
    told = [one for one in same if any(outcome.action is trust.action for outcome in outcomes_of(one))]
    return Reflex(action=trust.action, lesson=max(told, key=lambda one: one.timestamp), own=own, trust=trust)


def earned(lessons: Iterable[Lesson], now: datetime) -> tuple[Earned, ...]:
    """List the trust in every action for every fault and image that there is one of, the newest outcome first."""
    grouped: dict[tuple[Fault, str], list[Lesson]] = {}
    for one in lessons:
        if one.image:
            grouped.setdefault((one.fault, one.image), []).append(one)
    rows = [row for (fault, image), alike in grouped.items() for row in _rows(fault, image, alike, now)]
    return tuple(sorted(rows, key=lambda row: row.trust.newest, reverse=True))


def _rows(fault: Fault, image: str, alike: Sequence[Lesson], now: datetime) -> Iterable[Earned]:
    trusts = _trusts(alike, fault, image, now)
    signatures = {one.signature for one in alike} if fault is not Fault.CUSTOM else set()
    best = [_best(alike, signature, trusts, now) for signature in signatures]
    for trust in trusts:
        reflexes = sum(one is not None and one.action is trust.action for one in best)
        yield Earned(fault=fault, image=image, trust=trust, reflexes=reflexes)


def cites_of(evidence: Evidence) -> tuple[str, ...]:
    """Choose the evidence lines that make it the same trouble: the signal, its errors, and how often it came."""
    texts = [line.text for line in lines_of(evidence)]
    templates = evidence.templates[:MOST_TEMPLATES]
    logged = texts[len(texts) - len(templates) :]
    errors = [text for text, template in zip(logged, templates, strict=True) if template.error]
    recurring = [f"recurrence: {evidence.recurrence}"] if evidence.recurrence else []
    return (texts[0], *errors[:MOST_CITED_ERRORS], *recurring)
