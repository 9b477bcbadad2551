"""The money that healing saved, and the formula that is shown next to it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.impact import Rates, Tier, assess, tier_of

NIGHT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # a Friday
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("tier", "saved"), [(Tier.CRITICAL, 290_000), (Tier.IMPORTANT, 29_000), (Tier.SUPPORTING, 2_900)]
)
def test_each_minute_below_thirty_saves_the_rate_of_the_tier(tier: Tier, saved: float) -> None:
    assert assess(NIGHT, NIGHT + MINUTE, tier, Rates()).saved_dollars == saved


def test_business_hours_double_it() -> None:
    noon = assess(NOON, NOON + MINUTE, Tier.IMPORTANT, Rates())
    assert (noon.business_hours, noon.rate_per_minute, noon.saved_dollars) == (True, 2_000, 58_000)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "business"),
    [
        (20, 8, 59, False),
        (20, 9, 0, True),
        (20, 16, 59, True),
        (20, 17, 0, False),
        (21, 12, 0, False),  # Saturday
        (22, 12, 0, False),  # Sunday
        (23, 12, 0, True),  # Monday
    ],
)
def test_business_hours_are_nine_to_five_on_working_days(day: int, hour: int, minute: int, business: bool) -> None:
    opened = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
    assert assess(opened, opened + MINUTE, Tier.SUPPORTING, Rates()).business_hours is business


@pytest.mark.parametrize(("users", "rate"), [(0, 100), (1_000, 100), (1_001, 101), (5_000, 4_100)])
def test_each_user_above_a_thousand_adds_a_dollar_a_minute(users: int, rate: float) -> None:
    assert assess(NIGHT, NIGHT + MINUTE, Tier.SUPPORTING, Rates(), users).rate_per_minute == rate


def test_users_are_not_doubled_in_business_hours() -> None:
    assert assess(NOON, NOON + MINUTE, Tier.SUPPORTING, Rates(), 1_500).rate_per_minute == 700


@pytest.mark.parametrize("minutes", [30, 31, 600])
def test_what_took_longer_than_a_person_saved_nothing(minutes: int) -> None:
    assert assess(NIGHT, NIGHT + minutes * MINUTE, Tier.CRITICAL, Rates()).saved_dollars == 0


def test_a_clock_that_was_set_back_saves_no_more_than_the_whole_baseline() -> None:
    assert assess(NIGHT, NIGHT - 60 * MINUTE, Tier.SUPPORTING, Rates()).saved_dollars == 3_000


def test_the_settings_replace_every_constant() -> None:
    rates = Rates(
        supporting=7,
        manual_mttr_minutes=11,
        business_start_hour=2,
        business_end_hour=4,
        business_factor=3,
        free_users=10,
    )
    impact = assess(NIGHT, NIGHT + MINUTE, Tier.SUPPORTING, rates, affected_users=15)
    assert (impact.rate_per_minute, impact.saved_dollars, impact.manual_minutes) == (26, 260, 11)


@pytest.mark.parametrize(
    ("label", "tier"),
    [("critical", Tier.CRITICAL), (" Important ", Tier.IMPORTANT), ("", Tier.SUPPORTING), ("gold", Tier.SUPPORTING)],
)
def test_a_label_names_the_tier_and_without_a_known_one_it_is_supporting(label: str, tier: Tier) -> None:
    assert tier_of(label) is tier


def test_the_formula_names_its_inputs() -> None:
    impact = assess(NOON, NOON + timedelta(seconds=14.2), Tier.CRITICAL, Rates(), affected_users=2_500)
    assert re.fullmatch(
        r"\(30 min by hand − 0\.24\d* min measured\)"
        r" × \(\$10,000/min, tier critical × 2 \(business hours\) \+ \$1,500 \(users\)\)",
        impact.formula,
    )


@given(
    seconds=st.floats(0, 3_600),
    opened=st.integers(0, 14 * 24 * 60).map(lambda minutes: NIGHT + minutes * MINUTE),
    tier=st.sampled_from(Tier),
    users=st.integers(0, 10_000),
)
def test_whoever_does_the_sum_of_the_formula_gets_the_figure(
    seconds: float, opened: datetime, tier: Tier, users: int
) -> None:
    impact = assess(opened, opened + timedelta(seconds=seconds), tier, Rates(), users)
    by_hand, measured, base = re.findall(r"[\d.,]+", impact.formula)[:3]
    factor = 2 if "business hours" in impact.formula else 1
    extra = re.search(r"\+ \$([\d,]+) \(users\)", impact.formula)
    rate = float(base.replace(",", "")) * factor + (float(extra[1].replace(",", "")) if extra else 0)
    assert rate == impact.rate_per_minute
    shown = max(0.0, float(by_hand) - float(measured)) * rate
    half_a_digit = 0.5 * 10 ** -len(measured.partition(".")[2])  # the minutes are shown rounded
    assert abs(shown - impact.saved_dollars) <= half_a_digit * rate + 0.01
    assert impact.saved_dollars >= 0
