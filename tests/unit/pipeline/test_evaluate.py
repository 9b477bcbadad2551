"""Asking a brain all questions: in order, several at once where that is wanted, and whatever it does."""

import threading
from collections.abc import Sequence

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.trial import Question
from aegis_core.errors import AnswerInvalid, BrainUnavailable
from aegis_core.pipeline.evaluate import evaluate
from aegis_core.testing import StubBrain
from tests import examples as make
from tests.unit.domain.trials import EVIDENCE, question


def questions(count: int) -> Sequence[Question]:
    return [question(Category.OOM, Action.RESTART, name=f"case-{number}") for number in range(count)]


def test_every_question_is_asked_and_marked_and_told_as_it_is_answered() -> None:
    brain, told = StubBrain(make.diagnosis()), list[str]()
    answers = evaluate(questions(3), brain, told=lambda one: told.append(one.id))
    assert [one.id for one in answers] == told == ["case-0", "case-1", "case-2"]
    assert all(one.marks.cause and one.marks.strict for one in answers)
    assert brain.asked == [EVIDENCE] * 3


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_brain_that_does_not_answer_has_abstained_and_why_is_kept(at_once: int) -> None:
    brain = StubBrain(make.diagnosis())
    brain.problems += [BrainUnavailable("nobody listens"), AnswerInvalid("it is empty")]
    answers = evaluate(questions(3), brain, at_once)
    assert sorted(one.problem for one in answers) == ["", "it is empty", "nobody listens"]
    assert sum(one.marks.abstained for one in answers) == 2


class Meeting:
    """Answers only when this many are asking at the same time; each gets the confidence of its own evidence."""

    def __init__(self, together: int) -> None:
        self.barrier = threading.Barrier(together, timeout=20)

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        self.barrier.wait()
        return make.diagnosis(confidence=evidence.metrics["number"])


def test_several_are_asked_at_once_and_the_answers_keep_their_order() -> None:
    evidences = [EVIDENCE.model_copy(update={"metrics": {"number": number / 10}}) for number in range(6)]
    asked = [
        one.model_copy(update={"evidence": evidence}) for one, evidence in zip(questions(6), evidences, strict=True)
    ]
    answers = evaluate(asked, Meeting(together=3), at_once=3)
    assert [one.diagnosis and one.diagnosis.confidence for one in answers] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_case_is_timed_by_itself() -> None:
    moments = iter([10.0, 12.5, 20.0, 20.25])
    answers = evaluate(questions(2), StubBrain(make.diagnosis()), clock=lambda: next(moments))
    assert [one.seconds for one in answers] == [2.5, 0.25]


class Slow:
    """Answers the first question at once, and the others when it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = threading.Event()

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        self.asked += 1
        if self.asked > 1:
            self.go.wait(20)
        return make.diagnosis()


def test_who_interrupts_waits_for_what_is_under_way_only() -> None:
    brain = Slow()

    def told(_: object) -> None:  # somebody presses Ctrl-C after the first answer
        brain.go.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(questions(500), brain, at_once=2, told=told)
    assert brain.asked < 500
