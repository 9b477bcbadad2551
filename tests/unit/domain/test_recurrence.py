"""How often the same trouble came, and when it is to be expected again."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.recurrence import Recurrence, duration, ordinal, recurrence
from tests.examples import NOON, later

MINUTE = 60.0


def at_minutes(*minutes: float) -> list[datetime]:
    return [later(minute * MINUTE) for minute in minutes]


def seen(*minutes: float) -> Recurrence | None:
    """The recurrence at the moment of the last of these."""
    return recurrence(at_minutes(*minutes), later(minutes[-1] * MINUTE))


def test_what_came_once_does_not_recur() -> None:
    assert recurrence([], NOON) is None
    assert seen(0) is None


def test_the_second_time_is_told_without_a_guess_at_the_third() -> None:
    found = seen(0, 40)
    assert found
    assert (found.words, found.regular, found.expected) == ("2nd time in 40 min", False, None)


def test_a_regular_trouble_is_told_with_its_gap_and_its_next_window() -> None:
    found = seen(0, 38, 80, 120)
    assert found
    assert found.words == "4th time in 2 h, about every 40 min"
    assert found.expected == (later(158 * MINUTE), later(162 * MINUTE))


def test_an_irregular_trouble_is_only_counted() -> None:
    found = seen(0, 3, 50, 52, 170)
    assert found
    assert (found.words, found.expected) == ("5th time in 3 h", None)


def test_one_long_pause_makes_it_irregular() -> None:
    found = seen(0, 10, 20, 30, 400)
    assert found
    assert not found.regular


def test_a_window_that_is_over_is_no_longer_expected() -> None:
    times = at_minutes(0, 40, 80)
    assert recurrence(times, later(119 * MINUTE)) != recurrence(times, later(121 * MINUTE))
    late = recurrence(times, later(121 * MINUTE))
    assert late
    assert (late.regular, late.expected) == (True, None)


def test_the_order_and_repeats_of_the_same_moment_do_not_matter() -> None:
    assert recurrence(at_minutes(80, 0, 40, 40), later(5000)) == recurrence(at_minutes(0, 40, 80), later(5000))


def test_what_is_still_to_come_does_not_count() -> None:
    assert recurrence(at_minutes(0, 40, 80), later(41 * MINUTE)) == recurrence(at_minutes(0, 40), later(41 * MINUTE))


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True),
    st.integers(0, 10**6),
)
def test_the_window_lies_after_the_last_time_and_is_not_over(seconds: list[int], now: int) -> None:
    found = recurrence([later(one) for one in seconds], later(now))
    past = [one for one in seconds if one <= now]
    assert (found is None) == (len(past) < 2)
    if found:
        assert found.count == len(past)
        assert found.span_seconds == max(past) - min(past)
        if found.expected:
            first, last = found.expected
            assert later(max(past)) < first <= last
            assert later(now) <= last


@given(st.floats(30, 10**6), st.integers(3, 20), st.randoms(use_true_random=False))
def test_gaps_within_a_tenth_of_each_other_are_regular(gap: float, count: int, rng: object) -> None:
    times = [NOON]
    for _ in range(count - 1):
        times.append(times[-1] + timedelta(seconds=gap * rng.uniform(0.95, 1.05)))  # type: ignore[attr-defined]
    found = recurrence(times, times[-1])
    assert found
    assert found.regular
    assert abs(found.gap_seconds - gap) <= 0.06 * gap


@pytest.mark.parametrize(
    ("number", "told"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"),
     (102, "102nd"), (112, "112th")],
)  # fmt: skip
def test_numbers_are_counted_as_people_do(number: int, told: str) -> None:
    assert ordinal(number) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (90, "90 s"), (119, "119 s"), (120, "2 min"), (2400, "40 min"), (7199, "120 min"), (7200, "2 h"),
     (172_800, "2 d")],
)  # fmt: skip
def test_times_are_told_in_the_unit_that_fits(seconds: float, told: str) -> None:
    assert duration(seconds) == told
