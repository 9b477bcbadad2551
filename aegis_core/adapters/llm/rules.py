"""The rules rung: deterministic, offline, always there. It weighs what fits and says how sure that makes it."""

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Diagnosis, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.masking import mask

from .facts import Facts, Level, LogLine, facts_of
from .rule import Rule
from .rules_general import GENERAL_RULES
from .rules_of_log import LOG_RULES
from .rules_of_state import HEALTH_CHECK_RULES, STATE_RULES

VERSION: Final = "rules-1"
RULES: Final[tuple[Rule, ...]] = (*STATE_RULES, *HEALTH_CHECK_RULES, *LOG_RULES, *GENERAL_RULES)

# How sure: all measured on no data yet, and set so that one doubt keeps a strong rule above the threshold of 0.7,
# and two doubts do not.
OLD_LINE: Final = 0.15  # the line that counts is not among the newest
OTHER_ACTION: Final = 0.08  # another rule fits that wants something else done
OTHER_CATEGORY: Final = 0.03  # another rule fits that names another cause for the same action
SUPPORT: Final = 0.03  # another rule fits that names the same category
MOST_DOUBT: Final = 0.2
TRIED_ONCE: Final = 0.05
TRIED_TWICE_AT_MOST: Final = 0.6  # below the threshold: what did not help twice is for a person to judge
MOST_CONFIDENCE: Final = 0.95
SEEN_CHARACTERS: Final = 200
MOST_CITED: Final = 4


class _Fit(NamedTuple):
    rule: Rule
    weight: float
    cites: tuple[str, ...]
    seen: str


class RulesRung:
    """Diagnoses by rules. The percentages are the limits above which memory and CPU count as trouble."""

    source: Final = Source.RULES

    def __init__(
        self,
        *,
        memory_percent: float = 85.0,
        cpu_percent: float = 85.0,
        rules: Sequence[Rule] = RULES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory_percent = memory_percent
        self._cpu_percent = cpu_percent
        self._rules = (*rules, GENERAL_RULES[-1])  # the last one always fits
        self._monotonic = monotonic

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose. Raises nothing."""
        begun = self._monotonic()
        facts = facts_of(evidence, self._memory_percent, self._cpu_percent)
        fits = [fit for rule in self._rules if (fit := _fit(rule, facts)) is not None]
        causes = [fit for fit in fits if not fit.rule.general]
        best = max(causes or fits, key=lambda fit: fit.weight)  # the first among equals
        rule = best.rule
        confidence = _confidence(best, causes, evidence.tried)
        return Diagnosis(
            root_cause=mask(rule.root_cause.replace("{seen}", best.seen)),
            category=rule.category,
            action=rule.action,
            confidence=round(confidence, 2),
            justification=rule.justification,
            evidence=best.cites,
            source=self.source,
            model=VERSION,
            seconds=round(self._monotonic() - begun, 3),
        )


def _fit(rule: Rule, facts: Facts) -> _Fit | None:
    """Tell whether all that a rule names holds, and which lines say so."""
    if facts.fault not in rule.faults or not _state_fits(rule, facts):
        return None
    cites = [facts.cite[word] for word in _named(rule)]
    lines: list[LogLine] = []
    for pattern, where in ((rule.log, facts.log), (rule.health_log, facts.health_log)):
        if pattern is None:
            continue
        found = [line for line in where if pattern.search(line.plain)]
        if not found:
            return None
        lines += sorted(found, key=lambda line: not line.recent)[:2]
    seen = lines[0].text if lines else next(iter(cites), facts.cite["signal"])
    weight = rule.weight - (OLD_LINE if lines and not lines[0].recent else 0.0)
    told = dict.fromkeys([*(line.cite for line in lines), *cites, facts.cite["signal"]])
    return _Fit(rule, weight, tuple(told)[:MOST_CITED], seen.strip()[:SEEN_CHARACTERS])


def _state_fits(rule: Rule, facts: Facts) -> bool:
    return (
        (not rule.exit_codes or facts.exit_code in rule.exit_codes)
        and rule.down in (None, facts.down)
        and rule.oom_killed in (None, facts.oom_killed)
        and rule.person in (None, facts.person)
        and rule.health in (None, facts.health)
        and rule.memory in (None, facts.memory)
        and rule.cpu in (None, facts.cpu)
    )


def _named(rule: Rule) -> Sequence[str]:
    """The facts that a rule rests on, by the words of `Facts.cite`."""
    state = bool(rule.exit_codes) or rule.down is not None or rule.oom_killed is not None or rule.health is not None
    words = {
        "memory": rule.memory in (Level.OVER, Level.UNDER, Level.RISING),
        "cpu": rule.cpu in (Level.OVER, Level.UNDER),
        "person": rule.person is not None,
        "state": state,
    }
    return [word for word, named in words.items() if named]


def _confidence(best: _Fit, causes: Sequence[_Fit], tried: Sequence[str]) -> float:
    """Weigh a rule by what else fits and by what was tried already."""
    others = {fit.rule.category: fit.rule.action for fit in causes if fit.rule.category is not best.rule.category}
    doubt = sum(OTHER_CATEGORY if action is best.rule.action else OTHER_ACTION for action in others.values())
    meant = (best.rule.category, best.rule.action)
    agreeing = sum(1 for fit in causes if fit is not best and (fit.rule.category, fit.rule.action) == meant)
    confidence = min(MOST_CONFIDENCE, best.weight + SUPPORT * min(agreeing, 2)) - min(doubt, MOST_DOUBT)
    times = sum(1 for attempt in tried if best.rule.action in attempt.upper().split(":")[0])
    if best.rule.action is Action.NOOP or not times:
        return max(0.0, confidence)
    confidence -= TRIED_ONCE
    return max(0.0, confidence if times == 1 else min(confidence, TRIED_TWICE_AT_MOST))
