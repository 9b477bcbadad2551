"""Pace and patience, with a clock in the test's hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.notify.limits import (
    LONGEST_RETRY_AFTER,
    PATIENCE,
    RATES,
    Backoff,
    Patience,
    Rate,
    TokenBucket,
)


class Time:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_slack_gets_five_at_once_and_then_one_a_second() -> None:
    time = Time()
    bucket = TokenBucket(RATES["slack"], time)
    assert [bucket.take() for _ in range(6)] == [0, 0, 0, 0, 0, 1.0]
    time.now += 1.0
    assert [bucket.take(), bucket.take()] == [0, 1.0]


def test_a_quiet_time_fills_the_bucket_no_higher_than_the_burst() -> None:
    time = Time()
    bucket = TokenBucket(Rate(per_second=1, burst=3), time)
    time.now += 3_600
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 1.0]


@given(st.lists(st.floats(0, 5), max_size=200))
def test_a_bucket_never_lets_more_through_than_its_rate(pauses: list[float]) -> None:
    time = Time()
    bucket = TokenBucket(Rate(per_second=2, burst=4), time)
    began, taken = time.now, 0
    for pause in pauses:
        time.now += pause
        taken += bucket.take() == 0
        assert taken <= 4 + 2 * (time.now - began) + 1e-6


@given(st.floats(0.1, 50))
def test_after_the_time_that_a_bucket_names_there_is_a_token(per_second: float) -> None:
    time = Time()
    bucket = TokenBucket(Rate(per_second, burst=1), time)
    bucket.take()
    time.now += bucket.take() * (1 + 1e-9)
    assert bucket.take() == 0


def test_waits_double_from_a_second_to_five_minutes() -> None:
    backoff = Backoff(PATIENCE, jitter=lambda: 0.0)
    assert [backoff.failed() for _ in range(11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_success_starts_the_waits_over() -> None:
    backoff = Backoff(PATIENCE, jitter=lambda: 0.0)
    backoff.failed()
    backoff.failed()
    backoff.succeeded()
    assert backoff.failed() == 1


def test_jitter_only_ever_adds() -> None:
    assert Backoff(Patience(8, 300), jitter=lambda: 1.0).failed() == 10


@pytest.mark.parametrize(("asked", "wait"), [(0, 1), (17, 17), (LONGEST_RETRY_AFTER * 9, LONGEST_RETRY_AFTER)])
def test_the_other_side_is_never_asked_before_the_time_it_named(asked: float, wait: float) -> None:
    assert Backoff(PATIENCE, jitter=lambda: 0.0).failed(at_least=asked) == wait


def test_a_year_of_failures_does_not_overflow() -> None:
    backoff = Backoff(PATIENCE, jitter=lambda: 0.0)
    assert [backoff.failed() for _ in range(2_000)][-1] == 300
