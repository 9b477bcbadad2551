"""A series in words."""

from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.course import LEAST_CHANGE, course_of
from aegis_core.domain.target import Usage
from tests.examples import later

PERCENT = st.none() | st.floats(0, 100)


def series(memory: list[float | None], cpu: list[float | None] | None = None) -> list[Usage]:
    """One sample every two seconds."""
    return [
        Usage(at=later(2 * number), memory_bytes=1, memory_percent=percent, cpu_percent=cpu[number] if cpu else None)
        for number, percent in enumerate(memory)
    ]


def test_a_leak_is_told_with_where_it_began_and_where_it_is() -> None:
    assert list(course_of(series([20.0, 45.0, 70.0, 95.0]))) == [
        "memory went from 20 % to 95 % within 6 s (lowest 20, highest 95 %)"
    ]


def test_a_tooth_is_told_with_its_peak() -> None:
    assert list(course_of(series([20.0, 90.0, 22.0]))) == [
        "memory went from 20 % to 22 % within 4 s (lowest 20, highest 90 %)"
    ]


def test_what_hardly_changes_is_steady() -> None:
    assert list(course_of(series([50.0, 50.0 + LEAST_CHANGE - 0.1, 50.0]))) == [
        "memory was steady at about 53 % within 4 s"
    ]
    assert "went from" in next(iter(course_of(series([50.0, 50.0 + LEAST_CHANGE, 50.0]))))


def test_memory_and_cpu_are_told_each_for_itself() -> None:
    told = list(course_of(series([50.0] * 4, [None, 1.0, 99.0, 98.0])))
    assert told == [
        "memory was steady at about 50 % within 6 s",
        "CPU went from 1 % to 98 % within 4 s (lowest 1, highest 99 %)",
    ]


def test_nothing_used_is_measured_too() -> None:
    assert list(course_of(series([0.0, 0.0, 0.0]))) == ["memory was steady at about 0 % within 4 s"]


def test_what_was_not_measured_often_enough_is_not_told() -> None:
    assert list(course_of([])) == []
    assert list(course_of(series([50.0, 60.0]))) == []
    assert list(course_of(series([None] * 9))) == []


@given(st.lists(st.tuples(PERCENT, PERCENT), max_size=30))
def test_whatever_was_measured_there_is_at_most_one_line_each(samples: list[tuple[float | None, float | None]]) -> None:
    told = list(course_of(series([one for one, _ in samples], [two for _, two in samples])))
    assert len(told) <= 2
    assert all(line.startswith(("memory ", "CPU ")) for line in told)
