"""The arbiter: has a model's answer judged beside what the rules make of the same evidence."""

from collections.abc import Sequence
from typing import Protocol

from aegis_core.domain.arbitration import Witnessed, arbitrate
from aegis_core.domain.diagnosis import Diagnosis, Source, Suspicion
from aegis_core.domain.evidence import Evidence

from .chain import Rung


class Witness(Protocol):
    """Whoever says the same of the same evidence every time, in milliseconds, and raises nothing: the rules."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose."""

    def shortlist(self, evidence: Evidence) -> Sequence[Suspicion]:
        """Name the likeliest causes, the likeliest first."""


class Arbitrated:
    """A rung with a model, whose every answer is arbitrated. Where it gives none there is nothing to arbitrate."""

    def __init__(self, rung: Rung, witness: Witness) -> None:
        self._rung = rung
        self._witness = witness

    @property
    def source(self) -> Source:
        """The rung's own."""
        return self._rung.source

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose. Raises what the rung raises."""
        said = self._rung.diagnose(evidence)
        suspected = tuple(self._witness.shortlist(evidence))
        return arbitrate(said, Witnessed(diagnosis=self._witness.diagnose(evidence), suspected=suspected))
