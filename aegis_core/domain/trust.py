"""Trust: how far an action has proven itself for one fault of one image, as a Beta distribution of its outcomes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from .action import Action
from .beta import quantile
from .lesson import Lesson, outcomes_of
from .model import Stored
from .signal import Fault

HALF_LIFE: Final = timedelta(days=90)
"""After so long an outcome counts half. Images of one name, loads and data change over months; with 90 days three
successes on three days in a row are still as good as three, and weekly ones need one more."""

LOWER: Final = 0.25
"""The lower bound is this quantile: the lower quartile. Of the usual quantiles it is the strictest that three successes
without a failure lift above 0.7: 0.25^(1/4) = 0.707 (5 %: 0.473, needs eight successes; 10 %: 0.562, six;
20 %: 0.669, four)."""


class Trust(Stored):
    """What is to be expected of an action: Beta(1 + successes, 1 + failures), each outcome weighed by its age."""

    action: Action
    successes: int  # whole counts, whatever their age
    failures: int
    streak: int  # successes since the newest failure
    mean: float
    lower: float
    newest: datetime  # when the newest outcome was verified


def trust_of(lessons: Iterable[Lesson], fault: Fault, image: str, action: Action, now: datetime) -> Trust | None:
    """Compute the trust in an action for a fault of an image; None before there is a verified outcome.

    A success is an action after which the target was verified healthy, and nothing else. Targets without an image have
    nothing in common, so nothing is known of them.
    """
    if not image:
        return None
    mine = [one for one in lessons if one.fault is fault and one.image == image]
    mine.sort(key=lambda one: one.timestamp)
    held = [
        (one.timestamp, outcome.healthy) for one in mine for outcome in outcomes_of(one) if outcome.action is action
    ]
    if not held:
        return None
    streak = 0
    a = b = 1.0  # the uniform prior: without an outcome anything is as likely as anything else
    for at, healthy in held:
        streak = streak + 1 if healthy else 0
        a, b = a + healthy * weight(at, now), b + (not healthy) * weight(at, now)
    successes = sum(healthy for _, healthy in held)
    return Trust(
        action=action,
        successes=successes,
        failures=len(held) - successes,
        streak=streak,
        mean=a / (a + b),
        lower=quantile(LOWER, a, b),
        newest=held[-1][0],
    )


def weight(at: datetime, now: datetime) -> float:
    """Weigh an outcome by its age: 1 for a new one, half of it after each `HALF_LIFE`. The future counts as now."""
    return float(0.5 ** (max(timedelta(0), now - at) / HALF_LIFE))
