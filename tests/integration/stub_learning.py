"""What the stand-in for the core has learned: by the core's own formulas, out of outcomes that are made up."""

import json
from datetime import datetime, timedelta
from typing import Any

from aegis_core.api import views
from aegis_core.domain import reliability as reliabilities
from aegis_core.domain.action import Action
from aegis_core.domain.lesson import Lesson, Outcome
from aegis_core.domain.reflex import earned
from aegis_core.domain.signal import Fault
from tests import examples as make

HELD: dict[tuple[Fault, str, Action], list[bool]] = {
    (Fault.MEMORY_PRESSURE, "buggy-app:2.1.0", Action.RESTART): [True] * 6,
    (Fault.UNHEALTHY, "shop-web:2026.11", Action.RESTART): [True, True, False],
    (Fault.CRASHED, "payments:5.0.3", Action.RESTART): [False, True],
}
SAID = [
    ("cloud", 0.91, True),
    ("cloud", 0.88, True),
    ("cloud", 0.83, False),
    ("rules", 0.76, True),
    ("rules", 0.93, True),
]


def trust(scene: str, now: datetime) -> dict[str, Any]:
    if scene == "empty":
        return {"items": [], "rule": views.REFLEX_RULE}
    told = [] if scene != "hostile" else [((Fault.CRASHED, "<b>image</b>:1", Action.RESTART), [True])]
    lessons = [
        _lesson(now - timedelta(hours=9 * number + 2), fault, image, action, held)
        for (fault, image, action), outcomes in [*told, *HELD.items()]
        for number, held in enumerate(outcomes)
    ]
    body = {"items": [views.trust(one) for one in earned(lessons, now)], "rule": views.REFLEX_RULE}
    return dict(json.loads(json.dumps(body, default=str)))


def reliability(scene: str) -> dict[str, Any]:
    said = [] if scene == "empty" else SAID
    outcomes = [Outcome(action=Action.RESTART, healthy=held, source=by, confidence=sure) for by, sure, held in said]
    return {"sources": [one.model_dump(mode="json") for one in reliabilities.reliability(outcomes)]}


def _lesson(at: datetime, fault: Fault, image: str, action: Action, held: bool) -> Lesson:
    return make.lesson(f"{at}", timestamp=at, fault=fault, image=image, fix=action, verified_healthy=held)
