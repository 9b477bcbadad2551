"""What an outage costs, and what healing it by itself saved. Every input is shown next to the figure."""

from datetime import datetime
from enum import StrEnum

from .model import Stored


class Tier(StrEnum):
    """How much depends on a target (label `aegis.tier`)."""

    CRITICAL = "critical"
    IMPORTANT = "important"
    SUPPORTING = "supporting"


class Rates(Stored):
    """The settings of the formula. Dollars a minute by tier; minutes a person needs without Aegis."""

    critical: float = 10_000.0
    important: float = 1_000.0
    supporting: float = 100.0
    manual_mttr_minutes: float = 30.0
    business_start_hour: int = 9  # local time of the host, Monday to Friday
    business_end_hour: int = 17
    business_factor: float = 2.0
    free_users: int = 1_000  # each affected user above this adds a dollar a minute


class Impact(Stored):
    """Money saved in dollars, with the inputs that it was computed from."""

    saved_dollars: float
    rate_per_minute: float
    measured_minutes: float
    manual_minutes: float
    tier: Tier
    business_hours: bool
    affected_users: int
    formula: str


def tier_of(label: str) -> Tier:
    """Read the tier from the label; without a (known) one a target is `supporting`."""
    try:
        return Tier(label.strip().lower())
    except ValueError:
        return Tier.SUPPORTING


def assess(opened_at: datetime, closed_at: datetime, tier: Tier, rates: Rates, affected_users: int = 0) -> Impact:
    """Compute what was saved: (manual MTTR − measured MTTR) × rate, never below zero.

    The rate is the tier's, doubled in business hours, plus one dollar per affected user above 1,000
    (the formula of the design; all constants are settings). `opened_at` is in local time.
    """
    business = opened_at.weekday() < 5 and rates.business_start_hour <= opened_at.hour < rates.business_end_hour  # noqa: PLR2004
    base = {Tier.CRITICAL: rates.critical, Tier.IMPORTANT: rates.important, Tier.SUPPORTING: rates.supporting}[tier]
    users = max(0, affected_users - rates.free_users)
    rate = base * (rates.business_factor if business else 1.0) + users
    measured = max(0.0, (closed_at - opened_at).total_seconds() / 60)
    minutes = round(measured, 2)  # as it is shown, so that whoever checks the sum gets the same
    saved = max(0.0, rates.manual_mttr_minutes - minutes) * rate
    hours = f" × {rates.business_factor:g} (business hours)" if business else ""
    extra = f" + ${users:,} (users)" if users else ""
    formula = (
        f"({rates.manual_mttr_minutes:g} min by hand − {minutes:.2f} min measured)"
        f" × (${base:,.0f}/min, tier {tier}{hours}{extra})"
    )
    return Impact(
        saved_dollars=round(saved, 2),
        rate_per_minute=rate,
        measured_minutes=minutes,
        manual_minutes=rates.manual_mttr_minutes,
        tier=tier,
        business_hours=business,
        affected_users=affected_users,
        formula=formula,
    )
