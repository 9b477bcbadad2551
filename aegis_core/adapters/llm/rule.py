"""One rule as data: what is seen, what it means, and whether a restart mends it."""

import re
from dataclasses import dataclass

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health

from .facts import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fits where all that it names holds. A general rule gives way to any other.

    `weight` is the confidence that it deserves by itself: 0.75 and more only where what was seen leaves little else
    to think of. `root_cause` may hold `{seen}`: the line that counted.
    """

    category: Category
    action: Action
    weight: float
    root_cause: str
    justification: str
    faults: frozenset[Fault] = frozenset(Fault)
    log: re.Pattern[str] | None = None
    health_log: re.Pattern[str] | None = None
    exit_codes: frozenset[int] = frozenset()
    down: bool | None = None
    oom_killed: bool | None = None
    person: bool | None = None
    health: Health | None = None
    memory: Level | None = None
    cpu: Level | None = None
    general: bool = False


def any_of(*pieces: str) -> re.Pattern[str]:
    """Compile alternatives in lower case, as `LogLine.plain` is: ignoring case takes three times as long."""
    return re.compile("|".join(pieces))
