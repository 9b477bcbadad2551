"""The circuit breaker opens after five failures, rests, and closes after two successes."""

import threading

from aegis_core.breaker import CircuitBreaker


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(time: Time) -> CircuitBreaker:
    breaker = CircuitBreaker(time)
    for _ in range(5):
        breaker.failure()
    return breaker


def test_four_failures_leave_it_closed_and_the_fifth_opens_it() -> None:
    breaker = CircuitBreaker(Time())
    assert [breaker.failure() for _ in range(4)] == [False] * 4
    assert breaker.admits()
    assert breaker.failure()
    assert not breaker.admits()


def test_only_consecutive_failures_count() -> None:
    breaker = CircuitBreaker(Time())
    for _ in range(20):
        breaker.failure()
        breaker.failure()
        breaker.success()
    assert breaker.admits()


def test_after_the_cool_down_one_call_at_a_time_is_let_through() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 29.9
    assert not breaker.admits()
    time.now += 0.2
    assert [breaker.admits() for _ in range(3)] == [True, False, False]


def test_two_successes_close_it_and_one_does_not() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 31
    assert breaker.admits()
    breaker.success()
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.success()
    assert [breaker.admits(), breaker.admits()] == [True, True]


def test_a_failed_trial_begins_the_cool_down_anew() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 31
    assert breaker.admits()
    assert not breaker.failure()
    time.now += 29
    assert not breaker.admits()
    time.now += 2
    assert breaker.admits()


def test_it_opens_again_only_after_five_failures_once_it_was_closed() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 31
    for _ in range(2):
        assert breaker.admits()
        breaker.success()
    assert [breaker.failure() for _ in range(5)] == [False] * 4 + [True]


def test_failures_of_calls_begun_before_it_opened_do_not_prolong_the_rest() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 20
    breaker.failure()
    time.now += 11
    assert breaker.admits()


def test_of_many_threads_exactly_one_makes_the_trial() -> None:
    time = Time()
    breaker = opened(time)
    time.now += 31
    barrier = threading.Barrier(16)
    admitted: list[bool] = []

    def ask() -> None:
        barrier.wait()
        admitted.append(breaker.admits())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 1
