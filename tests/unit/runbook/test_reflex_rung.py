"""The reflex rung: what the runbook has proven is answered at once, and what it has not is not."""

from collections.abc import Sequence

import pytest

from aegis_core.adapters.runbook.reflex import CAUSE_CHARACTERS, ReflexRung
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Source
from aegis_core.domain.evidence import Evidence, lines_of
from aegis_core.domain.lesson import Lesson, signature_of
from aegis_core.domain.logs import fold
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import BrainUnavailable, RunbookError, Unfamiliar
from tests import examples as make

EVIDENCE = Evidence(
    fault=Fault.MEMORY_PRESSURE,
    severity=Severity.CRITICAL,
    at=make.NOON,
    target=make.state(image="shop/web:1"),
    templates=fold(("ERROR cache is full",)),
)


class Written:
    """A runbook with these lessons, or one that cannot be read."""

    def __init__(self, *lessons: Lesson, problem: RunbookError | None = None) -> None:
        self._lessons = lessons
        self._problem = problem

    def lessons(self) -> Sequence[Lesson]:
        if self._problem:
            raise self._problem
        return self._lessons

    def add(self, lesson: Lesson) -> None:
        raise NotImplementedError


def lesson(number: int, **known: object) -> Lesson:
    fields = {"image": "shop/web:1", "signature": signature_of(EVIDENCE), "category": "oom"}
    return make.lesson(f"inc-{number}", timestamp=make.later(number - 100), **{**fields, **known})


def test_it_answers_with_what_healed_it_and_names_the_lesson_and_real_lines() -> None:
    found = ReflexRung(Written(lesson(1), lesson(2), lesson(3))).diagnose(EVIDENCE)
    assert (found.source, found.action, found.category) == (Source.RUNBOOK, Action.RESTART, Category.OOM)
    assert (found.confidence, found.model) == (pytest.approx(0.8, abs=0.001), "lesson inc-3")
    assert found.root_cause == "A cache grows without bound."
    assert "3 of 3 times" in found.justification
    assert found.evidence == ("signal: memory_pressure (critical)", "log: ERROR cache is full")
    assert set(found.evidence) <= {line.text for line in lines_of(EVIDENCE)}


def test_what_the_runbook_does_not_know_is_unfamiliar() -> None:
    with pytest.raises(Unfamiliar):
        ReflexRung(Written(lesson(1), lesson(2))).diagnose(EVIDENCE)


def test_a_runbook_that_cannot_be_read_is_a_failure_that_the_ladder_tells_of() -> None:
    with pytest.raises(BrainUnavailable, match="the file is locked"):
        ReflexRung(Written(problem=RunbookError("the file is locked"))).diagnose(EVIDENCE)


def test_what_people_wrote_into_the_runbook_is_masked_bounded_and_read_with_care() -> None:
    said = "password=hunter2hunter2 " + "x" * 9_000
    written = Written(lesson(1), lesson(2), lesson(3, root_cause=said, category="my own words"))
    found = ReflexRung(written).diagnose(EVIDENCE)
    assert "hunter2" not in found.root_cause
    assert len(found.root_cause) <= CAUSE_CHARACTERS
    assert found.category is Category.UNKNOWN
