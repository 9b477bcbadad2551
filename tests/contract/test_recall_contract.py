"""What every recall promises: the closest lessons first, never more than asked, and nothing that says nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from aegis_core.adapters.runbook.recall import LessonRecall
from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.search import SqlTexts
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson, signature_of
from aegis_core.domain.logs import fold
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import RunbookError
from aegis_core.ports import Recall, Runbook
from aegis_core.testing import MarksRecall
from tests import examples as make

EVIDENCE = Evidence(
    fault=Fault.MEMORY_PRESSURE,
    severity=Severity.CRITICAL,
    at=make.NOON,
    name="web",
    target=make.state(image="shop/web:1"),
    templates=fold(("ERROR the cache of sessions is full",)),
)


class Written:
    """A runbook whose lessons a test sets. `problem` is raised as long as it is set."""

    def __init__(self) -> None:
        self.entries: list[Lesson] = []
        self.problem: RunbookError | None = None

    def lessons(self) -> Sequence[Lesson]:
        if self.problem:
            raise self.problem
        return self.entries

    def add(self, lesson: Lesson) -> None:
        self.entries.append(lesson)


Opened = Callable[[Runbook], Recall]


@pytest.fixture(params=["marks", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:
        if request.param == "marks":
            yield MarksRecall
        else:
            database = stack.enter_context(closing(Database(f"sqlite:///{tmp_path / 'aegis.db'}")))
            yield lambda runbook: LessonRecall(runbook, SqlTexts(database))


@pytest.fixture
def runbook() -> Written:
    return Written()


@pytest.fixture
def recall(opened: Opened, runbook: Written) -> Recall:
    return opened(runbook)


def lesson(number: int, **known: object) -> Lesson:
    fields = {"container": f"web-{number}", "timestamp": make.later(number), "root_cause": f"Cause {number}."}
    return make.lesson(f"inc-{number}", **{**fields, **known})


def ids(found: Sequence[Lesson]) -> list[str]:
    return [one.incident_id for one in found]


def test_an_empty_runbook_recalls_nothing(recall: Recall) -> None:
    assert list(recall.similar(EVIDENCE)) == []


def test_the_same_trouble_comes_before_any_other(recall: Recall, runbook: Written) -> None:
    same = lesson(
        1, signature=signature_of(EVIDENCE), image="shop/web:1", errors=("ERROR the cache of sessions is full",)
    )
    runbook.entries += [same, *(lesson(number) for number in range(2, 9))]
    assert ids(recall.similar(EVIDENCE))[0] == "inc-1"


def test_it_finds_at_most_as_many_as_were_asked_for(recall: Recall, runbook: Written) -> None:
    runbook.entries += [lesson(number) for number in range(9)]
    assert [len(recall.similar(EVIDENCE, most)) for most in (1, 3, 5)] == [1, 3, 5]


def test_the_newest_come_first_where_nothing_else_tells_them_apart(recall: Recall, runbook: Written) -> None:
    runbook.entries += [lesson(number) for number in range(5)]
    assert ids(recall.similar(EVIDENCE)) == ["inc-4", "inc-3", "inc-2"]


def test_lessons_that_say_the_same_are_told_once_by_the_newest(recall: Recall, runbook: Written) -> None:
    same = {"container": "web", "root_cause": "A cache grows.", "signature": signature_of(EVIDENCE)}
    runbook.entries += [lesson(number, **same) for number in range(6)]
    runbook.entries.append(lesson(9, **{**same, "verified_healthy": False}))
    assert ids(recall.similar(EVIDENCE)) == ["inc-9", "inc-5"]


def test_what_has_nothing_to_do_with_it_is_not_told(recall: Recall, runbook: Written) -> None:
    runbook.entries.append(lesson(1, fault=Fault.DISK_PRESSURE, root_cause="An export never deletes its files."))
    assert list(recall.similar(EVIDENCE)) == []


def test_what_people_delete_or_change_in_the_runbook_is_forgotten(recall: Recall, runbook: Written) -> None:
    runbook.entries += [lesson(1), lesson(2)]
    assert ids(recall.similar(EVIDENCE)) == ["inc-2", "inc-1"]
    runbook.entries[:] = [lesson(1, root_cause="It was something else.")]
    assert [one.root_cause for one in recall.similar(EVIDENCE)] == ["It was something else."]


def test_a_runbook_that_cannot_be_read_is_said_to_be_so(recall: Recall, runbook: Written) -> None:
    runbook.problem = RunbookError("the file is locked")
    with pytest.raises(RunbookError):
        recall.similar(EVIDENCE)
