"""What one answer is worth."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.case import Case
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.trial import SURE, Marks, marks_of, question_of
from tests.examples import NOON

from .trials import question, said

ROLLBACK, RESTART, NOOP, SCALE_UP = Action.ROLLBACK, Action.RESTART, Action.NOOP, Action.SCALE_UP
BUG, OOM = Category.APP_CRASH_BUG, Category.OOM


def test_the_right_answer_is_right_in_everything() -> None:
    marks = marks_of(question(BUG, ROLLBACK, NOOP).expected, said(BUG, ROLLBACK))
    assert marks == Marks(cause=True, strict=True, acceptable=True, acted=True, wrong_act=False, abstained=False)


def test_what_is_acceptable_is_no_wrong_act_and_not_the_very_action_either() -> None:
    marks = marks_of(question(BUG, ROLLBACK, RESTART).expected, said(OOM, RESTART))
    assert marks == Marks(cause=False, strict=False, acceptable=True, acted=True, wrong_act=False, abstained=False)


@pytest.mark.parametrize(
    ("action", "confidence", "acted", "wrong"),
    [
        (RESTART, SURE, True, True),
        (RESTART, 0.69, False, False),
        (ROLLBACK, SURE, True, False),
        (NOOP, 1.0, False, False),
    ],
)
def test_a_wrong_act_is_one_that_is_sure_enough_to_be_done_and_does_harm(
    action: Action, confidence: float, acted: bool, wrong: bool
) -> None:
    marks = marks_of(question(BUG, ROLLBACK).expected, said(BUG, action, confidence))
    assert (marks.acted, marks.wrong_act) == (acted, wrong)


@pytest.mark.parametrize(
    ("answer", "abstained"),
    [
        (said(OOM, RESTART, SURE), False),
        (said(OOM, RESTART, 0.699), True),
        (said(Category.UNKNOWN, NOOP, 0.95), True),
        (None, True),
    ],
)
def test_who_does_not_know_abstains(answer: object, abstained: bool) -> None:
    assert marks_of(question(OOM, RESTART).expected, answer).abstained is abstained  # type: ignore[arg-type]


def test_no_answer_is_wrong_in_everything_but_in_what_it_did() -> None:
    marks = marks_of(question(Category.HEALTHY, NOOP).expected, None)
    assert marks == Marks(cause=False, strict=False, acceptable=False, acted=False, wrong_act=False, abstained=True)


def test_where_only_the_harm_of_an_action_is_known_only_that_is_judged() -> None:
    harmful = question(None, None, SCALE_UP, ROLLBACK, NOOP).expected
    assert marks_of(harmful, said(OOM, RESTART)) == Marks(
        cause=None, strict=None, acceptable=False, acted=True, wrong_act=True, abstained=False
    )
    assert marks_of(harmful, said(OOM, SCALE_UP)).acceptable


def test_what_is_allowed_is_written_in_one_order() -> None:
    written = question(OOM, NOOP, ROLLBACK, RESTART, SCALE_UP).expected.model_dump(mode="json")
    assert written["allowed"] == ["RESTART", "SCALE_UP", "ROLLBACK", "NOOP"]


def test_a_case_becomes_a_question_without_its_answer_in_the_evidence() -> None:
    case = Case(id="c-1", container="shop", log="x", label=OOM, sensible_action=SCALE_UP, also_acceptable=(RESTART,))
    asked = question_of(case, NOON)
    assert asked.expected.allowed == {SCALE_UP, RESTART}
    assert (asked.id, asked.container, asked.evidence.name) == ("c-1", "shop", "shop")
