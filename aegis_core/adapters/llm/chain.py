"""The ladder: asks one rung after the other until one answers."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from aegis_core.breaker import CircuitBreaker
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.evidence import Evidence, lines_of
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask
from aegis_core.domain.opinion import COOLDOWN_SECONDS, FAILURES, SUCCESSES
from aegis_core.errors import AnswerInvalid, BrainError, BrainRefused, Unfamiliar

REASON_CHARACTERS: Final = 240
_log = structlog.get_logger(__name__)

Observer = Callable[[Source, float, str], None]
"""Told of every rung that was asked: which, after how many seconds, and how it ended (answered, unavailable,
refused, invalid), that it had nothing to say (unfamiliar) or was not asked (resting)."""


class Rung(Protocol):
    """One way to a diagnosis."""

    @property
    def source(self) -> Source:
        """What stands in `Diagnosis.source`."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose. Raises BrainError."""


class Ladder:
    """Asks the rungs in order; a rung that keeps failing rests behind a circuit breaker. Never raises.

    Put the rules last: they always answer. What is not configured is simply not among the rungs.
    """

    def __init__(
        self,
        rungs: Sequence[Rung],
        *,
        failures: int = FAILURES,
        cooldown_seconds: float = COOLDOWN_SECONDS,
        successes: int = SUCCESSES,
        monotonic: Callable[[], float] = time.monotonic,
        observe: Observer | None = None,
    ) -> None:
        self._rungs = [(rung, CircuitBreaker(monotonic, failures, cooldown_seconds, successes)) for rung in rungs]
        self._monotonic = monotonic
        self._observe = observe

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose by the first rung that answers; `passed_over` says why those before it did not."""
        passed_over: list[str] = []
        for rung, breaker in self._rungs:
            if not breaker.admits():
                passed_over.append(f"{rung.source}: left alone for a while after it failed again and again")
                self._tell(rung.source, 0.0, "resting")
                continue
            begun = self._monotonic()
            try:
                diagnosis = rung.diagnose(evidence)
            except Unfamiliar:  # nothing has failed, so there is nothing to tell people, and no breaker to open
                self._tell(rung.source, self._monotonic() - begun, "unfamiliar")
                breaker.success()
                continue
            except BrainError as error:
                self._tell(rung.source, self._monotonic() - begun, _outcome(error))
                passed_over.append(_reason(rung.source, error))
                if breaker.failure():
                    _log.warning("brain rung rests", source=str(rung.source), reason=passed_over[-1])
                continue
            breaker.success()
            self._tell(rung.source, self._monotonic() - begun, "answered")
            return diagnosis.model_copy(update={"passed_over": tuple(passed_over)})
        return _silence(evidence, tuple(passed_over))

    def _tell(self, source: Source, seconds: float, outcome: str) -> None:
        if self._observe is not None:
            self._observe(source, seconds, outcome)


def _outcome(error: BrainError) -> str:
    if isinstance(error, AnswerInvalid):
        return "invalid"
    return "refused" if isinstance(error, BrainRefused) else "unavailable"


def _reason(source: Source, error: BrainError) -> str:
    prefix = "its answer cannot be used: " if isinstance(error, AnswerInvalid) else ""
    return f"{source}: {prefix}{mask(clean_line(str(error)))}"[:REASON_CHARACTERS]


def _silence(evidence: Evidence, passed_over: tuple[str, ...]) -> Diagnosis:
    return Diagnosis(
        root_cause="No rung of the brain gave an answer.",
        category=Category.UNKNOWN,
        action=Action.NOOP,
        confidence=0.0,
        justification="Without a diagnosis nothing is done.",
        evidence=(lines_of(evidence)[0].text,),
        source=Source.RULES,
        passed_over=passed_over,
    )
