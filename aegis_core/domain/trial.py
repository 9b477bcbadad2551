"""Trials of a brain: a question whose answer is known, and what the brain made of it."""

from datetime import datetime
from typing import Final

from pydantic import field_serializer

from .action import Action
from .case import Case, evidence_of
from .diagnosis import Category, Diagnosis
from .evidence import Evidence
from .model import Stored

SURE: Final = 0.7
"""The confidence from which on a diagnosis is acted on (DESIGN §6). Fixed: a score means the same everywhere."""


class Expected(Stored):
    """What is known about a trouble. None where only the harm of an action is known, and not what would have been
    right; `allowed` are the actions that do no harm."""

    category: Category | None
    action: Action | None
    allowed: frozenset[Action]
    certainty: str

    @field_serializer("allowed")
    def _in_their_order(self, allowed: frozenset[Action]) -> list[Action]:
        """So that the same evaluation is written in the same bytes."""
        return [action for action in Action if action in allowed]


class Question(Stored):
    """Evidence, and what the right answer to it is. The brain gets the evidence and nothing else."""

    id: str
    container: str
    evidence: Evidence
    expected: Expected


class Marks(Stored):
    """What one answer is worth. None: it is not known what would have been right.

    `strict`: the very action. `acceptable`: an action that does no harm. `acted`: any action but NOOP, with at least
    `SURE` confidence. `wrong_act`: acted, and not acceptable. `abstained`: no answer, below `SURE`, or `unknown`.
    """

    cause: bool | None
    strict: bool | None
    acceptable: bool
    acted: bool
    wrong_act: bool
    abstained: bool


class Answered(Stored):
    """What the brain answered to a question, in how many seconds. `problem` says why there is no diagnosis."""

    id: str
    container: str
    expected: Expected
    diagnosis: Diagnosis | None
    problem: str = ""
    seconds: float
    marks: Marks


def question_of(case: Case, at: datetime) -> Question:
    """Make a question of a recorded case."""
    expected = Expected(
        category=case.label,
        action=case.sensible_action,
        allowed=frozenset({case.sensible_action, *case.also_acceptable}),
        certainty=case.label_certainty,
    )
    return Question(id=case.id, container=case.container, evidence=evidence_of(case, at), expected=expected)


def marked(question: Question, diagnosis: Diagnosis | None, seconds: float, problem: str = "") -> Answered:
    """Mark an answer; no answer is wrong in everything but in what it did, which is nothing."""
    return Answered(
        id=question.id,
        container=question.container,
        expected=question.expected,
        diagnosis=diagnosis,
        problem=problem,
        seconds=seconds,
        marks=marks_of(question.expected, diagnosis),
    )


def marks_of(expected: Expected, said: Diagnosis | None) -> Marks:
    """Compare what was said with what is known."""
    acceptable = said is not None and said.action in expected.allowed
    sure = said is not None and said.confidence >= SURE
    acted = sure and said is not None and said.action is not Action.NOOP
    return Marks(
        cause=None if expected.category is None else said is not None and said.category is expected.category,
        strict=None if expected.action is None else said is not None and said.action is expected.action,
        acceptable=acceptable,
        acted=acted,
        wrong_act=acted and not acceptable,
        abstained=not sure or said is None or said.category is Category.UNKNOWN,
    )
