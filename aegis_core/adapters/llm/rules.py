"""The rules rung: deterministic, offline, always there. It weighs every category and says how sure that makes it."""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source, Suspicion
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.masking import mask
from aegis_core.domain.symptom import Thresholds, thresholds_of

from .confidence import Confidence, read_confidence
from .facts import Facts, facts_of
from .levels import Limits
from .rule import Rule, read_rules
from .weigh import Weight, step_of, weigh

VERSION: Final = "rules-3"
CLOSE: Final = 0.85  # of the heaviest weight from which the second is as likely a cause
UNSURE: Final = 0.69  # below the threshold of 0.7: a person is asked
TRIED_ONCE: Final = 0.05
TRIED_TWICE_AT_MOST: Final = 0.6  # what did not help twice is for a person to judge
UNKNOWN_CONFIDENCE: Final = 0.2  # of 235 real cases three were unknown to those who judged it
LEAST_WEIGHT: Final = 0.15  # below it the evidence does not tell
MOST_CITED: Final = 4


@lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    return read_rules()


class RulesRung:
    """Diagnoses by rules. The percentages are the limits above which memory and CPU count as trouble, unless a target's
    own labels set others."""

    source: Final = Source.RULES

    def __init__(
        self,
        *,
        memory_percent: float = 85.0,
        cpu_percent: float = 85.0,
        rules: Sequence[Rule] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usual = Thresholds(memory_percent=memory_percent, cpu_percent=cpu_percent)
        self._rules = rules if rules is not None else _rules()
        self._confidence: Confidence = read_confidence()
        self._monotonic = monotonic

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose. Raises nothing."""
        begun = self._monotonic()
        facts, weights = self._weighed(evidence)
        found = self._found(weights, facts, evidence.tried) if weights else _nothing(facts)
        return found.model_copy(update={"seconds": round(self._monotonic() - begun, 3)})

    def shortlist(self, evidence: Evidence, most: int = 3) -> tuple[Suspicion, ...]:
        """Name the likeliest categories, the likeliest first, with what would follow from each; none for no sign."""
        facts, weights = self._weighed(evidence)
        sure = self._confidence.of([weight.value for weight in weights], known=facts.known)
        rest = sum(weight.value for weight in weights[1:])
        return tuple(
            Suspicion(
                category=weight.rule.category,
                action=step_of(weight.rule, facts).do,
                confidence=round(sure if place == 0 else (1.0 - sure) * weight.value / rest, 2),
                evidence=weight.cites or (facts.cite["signal"],),
            )
            for place, weight in enumerate(weights[:most])
        )

    def _weighed(self, evidence: Evidence) -> tuple[Facts, list[Weight]]:
        facts = facts_of(evidence, self._limits(evidence))
        weights = weigh(self._rules, facts)
        return facts, weights if weights and weights[0].value >= LEAST_WEIGHT else []

    def _limits(self, evidence: Evidence) -> Limits:
        own = thresholds_of(evidence.target.labels if evidence.target else {}, self._usual)
        return Limits(own.memory_percent, own.cpu_percent)

    def _found(self, weights: Sequence[Weight], facts: Facts, tried: Sequence[str]) -> Diagnosis:
        best, step = weights[0], step_of(weights[0].rule, facts)
        rival = next((one for one in weights[1:2] if one.value >= CLOSE * best.value), None)
        sure = min(self._confidence.of([weight.value for weight in weights], known=facts.known), step.at_most)
        root_cause = best.rule.root_cause.replace("{seen}", best.seen)
        doubt = ""
        if rival is not None:
            sure = min(sure, UNSURE)
            root_cause += f" It may as well be {rival.rule.category}: {rival.seen}"
            doubt = f" The evidence speaks nearly as much for {rival.rule.category}, so a person should look."
        cites = dict.fromkeys([*best.cites, *(rival.cites[:1] if rival else ()), facts.cite["signal"]])
        return Diagnosis(
            root_cause=mask(root_cause),
            category=best.rule.category,
            action=step.do,
            confidence=round(_after_attempts(sure, step.do, tried), 2),
            justification=step.why + doubt,
            evidence=tuple(cites)[:MOST_CITED],
            source=self.source,
            model=VERSION,
        )


def _nothing(facts: Facts) -> Diagnosis:
    return Diagnosis(
        root_cause="The evidence does not tell what is wrong.",
        category=Category.UNKNOWN,
        action=Action.NOOP,
        confidence=UNKNOWN_CONFIDENCE,
        justification="Nothing is done without a reason; a person has to look.",
        evidence=(facts.cite["signal"],),
        source=Source.RULES,
        model=VERSION,
    )


def _after_attempts(sure: float, action: Action, tried: Sequence[str]) -> float:
    """Lower what was tried already: once a little, twice below the threshold."""
    times = sum(1 for attempt in tried if action in attempt.upper().split(":")[0])
    if action is Action.NOOP or not times:
        return sure
    return max(0.0, sure - TRIED_ONCE if times == 1 else min(sure - TRIED_ONCE, TRIED_TWICE_AT_MOST))
