"""Evaluations for the stand-in of the core, as the core itself works them out and shows them."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fastapi.encoders import jsonable_encoder

from aegis_core.api import views
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source, Tokens
from aegis_core.domain.evaluation import OWN_INCIDENTS, Evaluation
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.score import score
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.trial import Answered, Expected, Question, marked

RIGHT = (
    (Category.OOM, Action.SCALE_UP, Action.RESTART),
    (Category.CPU_SATURATION, Action.SCALE_UP, Action.RESTART),
    (Category.DISK_FULL, Action.NOOP, Action.NOOP),
    (Category.STALE_CONNECTION, Action.RESTART, Action.RESTART),
    (Category.DNS_FAILURE, Action.NOOP, Action.NOOP),
    (Category.CONFIG_ERROR, Action.NOOP, Action.ROLLBACK),
    (Category.APP_CRASH_BUG, Action.ROLLBACK, Action.RESTART),
    (Category.HEALTHY, Action.NOOP, Action.NOOP),
)


class Run(NamedTuple):
    """Who was asked what, how good it was, and how long ago."""

    brain: str
    origin: str
    good: float
    minutes_ago: int
    cases: int


RUNS = (
    Run("ladder", "cases", 0.86, 4, 48),
    Run("rules", "cases", 0.78, 9, 48),
    Run("cloud", "cases", 0.45, 14, 48),
    Run("ladder", OWN_INCIDENTS, 0.7, 70, 12),
)


def evaluations(now: datetime, told: str) -> list[dict[str, Any]]:
    """What `GET /evaluations` answers; `told` is the root cause of what was said wrongly."""
    return [jsonable_encoder(views.evaluation(_evaluation(now, told, run))) for run in RUNS]


def _evaluation(now: datetime, told: str, run: Run) -> Evaluation:
    chance = random.Random(f"{run.brain} {run.origin}")
    answers = tuple(_answered(number, chance, run.brain, run.good, told) for number in range(run.cases))
    prompt = "" if run.brain == "rules" else "diagnose_v2"
    return Evaluation(
        at=now - timedelta(minutes=run.minutes_ago),
        brain=run.brain,
        origin=run.origin,
        version="0.1.0",
        prompt=prompt,
        score=score(answers),
        answers=answers,
    )


def _answered(number: int, chance: random.Random, brain: str, good: float, told: str) -> Answered:
    category, action, also = RIGHT[number % len(RIGHT)]
    expected = Expected(category=category, action=action, allowed=frozenset({action, also}), certainty="high")
    evidence = Evidence(fault=Fault.CUSTOM, severity=Severity.WARNING, at=datetime.fromisoformat("2026-11-20T12:00Z"))
    asked = Question(id=f"case-{number:02}", container="shop", evidence=evidence, expected=expected)
    right = chance.random() < good
    said = (category, action) if right else _something(chance)
    diagnosis = Diagnosis(
        root_cause="As it was." if right else told,
        category=said[0],
        action=said[1],
        confidence=round(chance.triangular(0.4, 0.97, 0.88 if right else 0.7), 2),
        justification="So it seemed.",
        evidence=("signal: custom (warning)",),
        source=Source.RULES if brain == "rules" else Source.CLOUD,
        model="rules-2" if brain == "rules" else "small",
        tokens=None if brain == "rules" else Tokens(prompt=1_500 + number, completion=120),
    )
    return marked(asked, diagnosis, 0.003 if brain == "rules" else 5.2)


def _something(chance: random.Random) -> tuple[Category, Action]:
    others: Sequence[tuple[Category, Action]] = [(category, action) for category, action, _ in RIGHT]
    return chance.choice([*others, (Category.UNKNOWN, Action.NOOP), (Category.NETWORK_FAULT, Action.RESTART)])
