"""The first rung of the brain: what the runbook has proven is answered at once, without a model."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.masking import mask
from aegis_core.domain.reflex import Reflex, cites_of, reflex_of
from aegis_core.errors import BrainUnavailable, RunbookError, Unfamiliar
from aegis_core.ports import Runbook

CAUSE_CHARACTERS: Final = 600  # as many as a model may write


class ReflexRung:
    """Diagnoses by the lessons of a runbook. It asks nobody, and takes milliseconds."""

    source: Final = Source.RUNBOOK

    def __init__(self, runbook: Runbook, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._runbook = runbook
        self._monotonic = monotonic

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Answer with what has healed this before. Raises Unfamiliar where nothing has, BrainUnavailable."""
        begun = self._monotonic()
        try:
            found = reflex_of(self._runbook.lessons(), evidence)
        except RunbookError as error:
            raise BrainUnavailable(f"the lessons cannot be read ({error})") from error
        if found is None:
            raise Unfamiliar
        return Diagnosis(
            root_cause=mask(found.lesson.root_cause)[:CAUSE_CHARACTERS] or "not known",
            category=_category(found.lesson.category),
            action=found.action,
            confidence=round(found.trust.mean, 3),
            justification=_why(found),
            evidence=cites_of(evidence),
            source=self.source,
            model=f"lesson {found.lesson.incident_id}",
            seconds=round(self._monotonic() - begun, 3),
        )


def _why(found: Reflex) -> str:
    own = found.own
    often = f"{own.successes} of {own.successes + own.failures} times"
    return (
        f"The same trouble of this image was healed by {found.action} {often}, verified each time, "
        f"last in incident {mask(found.lesson.incident_id)}. It is done again without asking a model."
    )


def _category(word: str) -> Category:
    with suppress(ValueError):  # people may write anything into the runbook
        return Category(word)
    return Category.UNKNOWN
