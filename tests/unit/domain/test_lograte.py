"""Telling lines, and how many of them are more than usual."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.lograte import LEAST_LINES, SETTLING, LogRate, matching
from tests.examples import later

LINES = ["order 7 rejected", "ERROR: no connection", "GET / 200", "Payment FAILED for order 8"]
STEP = 5.0  # seconds of an interval


class Log:
    """A log that is read every five seconds."""

    def __init__(self) -> None:
        self._rate = LogRate(later(0))
        self._now = 0.0

    def reads(self, errors: int, others: int = 0, seconds: float = STEP) -> int:
        """Read an interval with so many telling lines; returns how many were found to be too many."""
        self._now += seconds
        lines = [f"ERROR number {number}" for number in range(errors)] + ["all is well"] * others
        return len(self._rate.exceeded(lines, "error", later(self._now)))


# ---- which lines


@pytest.mark.parametrize("pattern", ["", " ", "*", "|", " | * | "])
def test_no_word_or_a_star_stands_for_any_error(pattern: str) -> None:
    assert matching([*LINES, "* started *"], pattern) == [LINES[1], LINES[3]]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("rejected", [0]),
        ("Rejected|payment failed", [0, 3]),
        (" rejected | ", [0]),
        ("rejected|*", [0, 1, 3]),
        ("order", [0, 3]),
        ("nothing of this", []),
    ],
)
def test_a_line_is_telling_that_holds_one_of_the_words_whatever_their_case(pattern: str, found: list[int]) -> None:
    assert matching(LINES, pattern) == [LINES[number] for number in found]


def test_words_are_no_regular_expressions() -> None:
    assert matching(["a.b", "axb", "(a+)+$"], "a.b") == ["a.b"]
    assert matching(["a.b", "axb", "(a+)+$"], "(a+)+$") == ["(a+)+$"]


def test_a_label_cannot_keep_the_watcher_busy() -> None:
    begun = time.perf_counter()
    matching(["a" * 2048] * 200, "|".join(["(a+)+$", "(a|a)*b", "a" * 2049] * 10))
    assert time.perf_counter() - begun < 1.0


@given(st.lists(st.text(), max_size=5), st.text(max_size=20))
def test_whatever_the_label_says_only_lines_of_the_log_are_chosen_each_once(lines: list[str], pattern: str) -> None:
    assert [line for line in lines if line in matching(lines, pattern)] == matching(lines, pattern)


# ---- how many are too many


def test_a_few_lines_are_no_rate() -> None:
    log = Log()
    assert [log.reads(errors=LEAST_LINES - 1) for _ in range(20)] == [0] * 20


def test_an_outbreak_after_silence_is_told_with_its_lines() -> None:
    log = Log()
    assert [log.reads(errors=0, others=50) for _ in range(10)] == [0] * 10
    assert log.reads(errors=LEAST_LINES, others=50) == LEAST_LINES


def test_an_outbreak_right_at_the_beginning_is_told() -> None:
    assert Log().reads(errors=20) == 20


def test_an_outbreak_goes_on_being_one_however_long_it_lasts() -> None:
    log = Log()
    for _ in range(SETTLING + 2):
        log.reads(errors=0)
    assert [log.reads(errors=50) for _ in range(50)] == [50] * 50


def test_what_was_so_from_the_beginning_is_soon_known_to_be_normal() -> None:
    """A container that has always complained much."""
    log = Log()
    told = [log.reads(errors=20) for _ in range(50)]
    assert told[SETTLING:] == [0] * (50 - SETTLING)


@pytest.mark.parametrize(("errors", "told"), [(79, 0), (81, 81)])
def test_against_a_high_normal_only_a_multiple_of_it_counts(errors: int, told: int) -> None:
    log = Log()
    for _ in range(50):
        log.reads(errors=20)
    assert log.reads(errors=errors) == told


def test_after_an_outbreak_the_normal_is_what_it_was_before() -> None:
    log = Log()
    for _ in range(50):
        log.reads(errors=10)
    for _ in range(10):
        assert log.reads(errors=100) == 100
    assert log.reads(errors=10) == 0
    assert log.reads(errors=60) == 60


def test_it_is_the_rate_that_counts_and_not_how_long_an_interval_was() -> None:
    log = Log()
    for _ in range(50):
        log.reads(errors=10)
    assert log.reads(errors=100, seconds=10 * STEP) == 0


def test_two_reads_at_one_moment_are_no_endless_rate() -> None:
    log = Log()
    assert log.reads(errors=LEAST_LINES - 1, seconds=0.0) == 0
    assert log.reads(errors=LEAST_LINES, seconds=0.0) == LEAST_LINES
