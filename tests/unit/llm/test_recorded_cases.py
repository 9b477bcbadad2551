"""What was recorded of containers that were broken for real, replayed: no change of the rules may lose one of them."""

import re

import pytest

from aegis_core.adapters.cases import read_cases
from aegis_core.adapters.llm.rules import RulesRung
from aegis_core.domain.trial import Question
from tests.acceptance.broken_for_real import BROKEN
from tests.evals.replay import RECORDED, read_recorded

QUESTIONS = read_recorded()
OF_ONE_RUN = re.compile(r"aegis-ward-|/work/|/root/|/home/|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b")


@pytest.mark.parametrize("question", QUESTIONS, ids=[one.id for one in QUESTIONS])
def test_the_rules_name_the_root_cause_and_the_action(question: Question) -> None:
    said = RulesRung().diagnose(question.evidence)
    assert (said.category, said.action) == (question.expected.category, question.expected.action), said


def test_whatever_is_broken_for_real_is_recorded_with_what_is_right_there() -> None:
    """Else: python -m tests.evals.record"""
    recorded = {one.id: (one.expected.category, one.expected.action) for one in QUESTIONS}
    assert recorded == {one.name: (one.category, one.action) for one in BROKEN}


def test_what_is_recorded_can_be_asked_about_with_aegis_eval() -> None:
    assert [one.id for one in read_cases(RECORDED)] == [one.id for one in QUESTIONS]


def test_nothing_is_recorded_that_another_run_or_machine_would_name_otherwise() -> None:
    left = {path.name: found[0] for path in RECORDED.glob("*.json") if (found := OF_ONE_RUN.search(path.read_text()))}
    assert left == {}
