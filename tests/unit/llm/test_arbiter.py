"""A rung with a model answers as before, but for its answer being arbitrated with the rules as the witness."""

from collections.abc import Sequence

import pytest

from aegis_core.adapters.llm.arbiter import Arbitrated
from aegis_core.adapters.llm.rules import RulesRung
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source, Suspicion
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.logs import fold
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import BrainUnavailable
from tests.examples import NOON, diagnosis

FULL = ("write /var/lib/data: no space left on device",)
EVIDENCE = Evidence(fault=Fault.CUSTOM, severity=Severity.WARNING, at=NOON, templates=fold(FULL), tail=FULL)


class Model:
    """A rung that says what it is told to say, or nothing."""

    source = Source.OLLAMA

    def __init__(self, says: Diagnosis | None = None) -> None:
        self._says = says

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        if self._says is None:
            raise BrainUnavailable("nobody listens")
        return self._says


class Silent:
    """A witness that may not be asked."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        raise AssertionError("there is nothing to arbitrate")

    def shortlist(self, evidence: Evidence) -> Sequence[Suspicion]:
        raise AssertionError("there is nothing to arbitrate")


def test_the_rules_have_their_say_about_every_answer() -> None:
    told = diagnosis(Action.RESTART, 1.0, source=Source.OLLAMA, category=Category.OOM)
    made = Arbitrated(Model(told), RulesRung()).diagnose(EVIDENCE)
    assert (made.category, made.action, made.source) == (Category.DISK_FULL, Action.NOOP, Source.OLLAMA)
    assert made.dissent


def test_a_rung_that_gives_no_answer_gives_none() -> None:
    with pytest.raises(BrainUnavailable, match="nobody listens"):
        Arbitrated(Model(), Silent()).diagnose(EVIDENCE)


def test_it_is_known_by_the_name_of_its_rung() -> None:
    assert Arbitrated(Model(), Silent()).source is Source.OLLAMA
