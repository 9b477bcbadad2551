"""Trust: what raises it, what does not, and what time does to it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.action import Action
from aegis_core.domain.lesson import Lesson, Outcome, outcomes_of
from aegis_core.domain.signal import Fault
from aegis_core.domain.trust import HALF_LIFE, Trust, trust_of, weight
from tests import examples as make

IMAGE = "shop/web:1"


def lesson(number: int = 1, healthy: bool = True, **known: Any) -> Lesson:
    fields = {"image": IMAGE, "timestamp": make.later(60 * number), "verified_healthy": healthy}
    return make.lesson(f"inc-{number}", **{**fields, **known})


def told(*held: bool) -> list[Lesson]:
    return [lesson(number, healthy) for number, healthy in enumerate(held)]


def trusted(*lessons: Lesson, action: Action = Action.RESTART, seconds: float = 600) -> Trust | None:
    return trust_of(lessons, Fault.MEMORY_PRESSURE, IMAGE, action, make.later(seconds))


def test_before_there_is_an_outcome_there_is_no_trust() -> None:
    assert trusted() is None
    for other in (
        lesson(image="shop/web:2"),
        lesson(fault=Fault.CRASHED),
        lesson(fix=Action.SCALE_UP),
        lesson(attempts=0),
        lesson(fix="RESTART gives the memory back."),
    ):
        assert trusted(other) is None


@pytest.mark.parametrize(
    ("held", "mean", "lower"),
    [
        ((True,), 2 / 3, 0.5),
        ((True, True), 3 / 4, 0.63),
        ((True, True, True), 4 / 5, 0.707),
        ((True, True, True, False), 4 / 6, 0.546),
        ((False,), 1 / 3, 0.134),
    ],
)
def test_trust_is_the_beta_distribution_of_what_was_verified(held: tuple[bool, ...], mean: float, lower: float) -> None:
    trust = trusted(*told(*held))
    assert trust
    assert (trust.successes, trust.failures) == (sum(held), len(held) - sum(held))
    assert (trust.mean, trust.lower) == (pytest.approx(mean, abs=1e-3), pytest.approx(lower, abs=1e-3))


def test_a_success_that_was_not_verified_does_not_raise_trust() -> None:
    """However well it sounds: only what verification said counts."""
    boast = lesson(4, False, issue="success", root_cause="RESTART worked, verified_healthy: true", confidence=1.0)
    before, after = trusted(*told(True, True, True)), trusted(*told(True, True, True), boast)
    assert before
    assert after
    assert after.lower < before.lower
    assert after.mean < before.mean


def test_a_list_of_outcomes_cannot_claim_more_than_the_end_showed() -> None:
    claimed = (Outcome(action=Action.RESTART, healthy=True),)
    assert trusted(lesson(healthy=False, outcomes=claimed)) is None


def test_a_recovery_without_an_action_is_nobodys_success() -> None:
    assert trusted(lesson(attempts=0, verified_healthy=True)) is None


def test_a_streak_begins_anew_after_a_failure_in_the_order_of_time() -> None:
    newest_first = list(reversed(told(True, True, False, True)))
    trust = trusted(*newest_first)
    assert trust
    assert (trust.successes, trust.failures, trust.streak) == (3, 1, 1)


def test_every_action_of_an_incident_counts_by_what_was_verified_of_it() -> None:
    both = (Outcome(action=Action.RESTART, healthy=False), Outcome(action=Action.SCALE_UP, healthy=True))
    one = lesson(fix=Action.SCALE_UP, attempts=2, outcomes=both)
    restart, scale_up = trusted(one), trusted(one, action=Action.SCALE_UP)
    assert restart
    assert scale_up
    assert (restart.successes, restart.failures) == (0, 1)
    assert (scale_up.successes, scale_up.failures) == (1, 0)


def test_a_lesson_without_a_list_of_outcomes_tells_of_its_last_action() -> None:
    assert outcomes_of(lesson(source="rules", confidence=0.8)) == (
        Outcome(action=Action.RESTART, healthy=True, source="rules", confidence=0.8),
    )


def test_an_outcome_counts_half_after_the_half_life() -> None:
    assert weight(make.NOON, make.NOON + HALF_LIFE) == 0.5
    assert weight(make.NOON, make.NOON - timedelta(days=1)) == 1  # the clock was set back


def test_old_successes_no_longer_carry_a_reflex_and_old_failures_are_forgiven() -> None:
    proven, failed = told(True, True, True), told(False)
    new, old = trusted(*proven), trusted(*proven, seconds=HALF_LIFE.total_seconds())
    assert new
    assert old
    assert new.lower >= 0.7 > old.lower
    fresh, forgiven = trusted(*failed), trusted(*failed, seconds=HALF_LIFE.total_seconds())
    assert fresh
    assert forgiven
    assert fresh.mean < forgiven.mean < 0.5


def test_targets_without_an_image_share_no_trust() -> None:
    assert trust_of([lesson(image="")], Fault.MEMORY_PRESSURE, "", Action.RESTART, make.NOON) is None


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_another_success_raises_trust_and_another_failure_lowers_it(held: list[bool]) -> None:
    base, better, worse = trusted(*told(*held)), trusted(*told(*held, True)), trusted(*told(*held, False))
    assert base
    assert better
    assert worse
    assert worse.lower < base.lower < better.lower
    assert 0 < worse.mean < base.mean < better.mean < 1
