"""How health checks add up, by Docker's rules."""

from aegis_core.adapters.process.health import LOG_ENTRIES, Standing
from aegis_core.domain.target import Health

NEW = Standing(retries=3)


def after(*checks: bool, lenient: bool = False, standing: Standing = NEW) -> Standing:
    for number, passed in enumerate(checks):
        standing = standing.after(passed, f"check {number}", lenient)
    return standing


def test_nothing_is_known_before_the_first_check() -> None:
    assert NEW.status is Health.STARTING


def test_one_success_makes_it_healthy() -> None:
    assert after(False, False, True).status is Health.HEALTHY


def test_failures_in_a_row_make_it_unhealthy_and_fewer_do_not() -> None:
    assert after(True, False, False).status is Health.HEALTHY
    assert after(True, False, False, False).status is Health.UNHEALTHY


def test_a_success_between_failures_begins_the_count_anew() -> None:
    assert after(True, False, False, True, False, False).status is Health.HEALTHY


def test_it_recovers_with_one_success() -> None:
    assert after(False, False, False, True).status is Health.HEALTHY


def test_failures_in_the_start_period_do_not_count() -> None:
    assert after(*[False] * 9, lenient=True).status is Health.STARTING
    assert after(False, False, standing=after(*[False] * 9, lenient=True)).status is Health.STARTING


def test_failures_count_from_the_first_success_even_in_the_start_period() -> None:
    assert after(True, False, False, False, lenient=True).status is Health.UNHEALTHY


def test_the_newest_checks_are_kept() -> None:
    assert list(after(*[True] * 9).log) == [f"check {number}" for number in range(9 - LOG_ENTRIES, 9)]
