"""Answers to known questions, to work out scores of."""

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source, Tokens
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.trial import Answered, Expected, Question, marked
from tests.examples import NOON

EVIDENCE = Evidence(fault=Fault.CUSTOM, severity=Severity.WARNING, at=NOON)


def question(
    category: Category | None,
    action: Action | None,
    *also: Action,
    certainty: str = "high",
    name: str = "case",
) -> Question:
    """A question with this right answer; `also` are acceptable."""
    allowed = frozenset({*([action] if action else []), *also})
    expected = Expected(category=category, action=action, allowed=allowed, certainty=certainty)
    return Question(id=name, container="web", evidence=EVIDENCE, expected=expected)


def said(category: Category, action: Action, confidence: float = 0.9, tokens: Tokens | None = None) -> Diagnosis:
    """What a brain says."""
    return Diagnosis(
        root_cause="because",
        category=category,
        action=action,
        confidence=confidence,
        justification="so",
        evidence=("signal",),
        source=Source.RULES,
        model="test-1",
        tokens=tokens,
    )


def answered(asked: Question, answer: Diagnosis | None, seconds: float = 1.0) -> Answered:
    """Mark an answer."""
    return marked(asked, answer, seconds, "" if answer else "nothing answers there")
