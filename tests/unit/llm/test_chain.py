"""The ladder asks in order, keeps why a rung gave no answer, and never raises."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.llm.chain import Ladder
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import AnswerInvalid, BrainError, BrainRefused, BrainUnavailable, Unfamiliar

EVIDENCE = Evidence(fault=Fault.CUSTOM, severity=Severity.INFO, at=datetime(2026, 1, 1, tzinfo=UTC))


class Scripted:
    """A rung that answers or raises as it is told."""

    def __init__(self, source: Source, error: BrainError | None = None) -> None:
        self.source = source
        self.error = error
        self.asked = 0

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Diagnosis(
            root_cause="x",
            category=Category.OOM,
            action=Action.RESTART,
            confidence=0.9,
            justification="y",
            evidence=("signal: custom (info)",),
            source=self.source,
        )


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_rung_that_answers_is_believed_and_the_next_are_not_asked() -> None:
    cloud, rules = Scripted(Source.CLOUD), Scripted(Source.RULES)
    diagnosis = Ladder([cloud, rules]).diagnose(EVIDENCE)
    assert (diagnosis.source, diagnosis.passed_over, rules.asked) == (Source.CLOUD, (), 0)


def test_a_rung_that_knows_nothing_of_it_has_not_failed_and_is_asked_every_time() -> None:
    runbook, told = Scripted(Source.RUNBOOK, Unfamiliar()), list[tuple[str, str]]()
    ladder = Ladder([runbook, Scripted(Source.RULES)], observe=lambda source, _, how: told.append((source, how)))
    answers = [ladder.diagnose(EVIDENCE) for _ in range(12)]
    assert runbook.asked == 12
    assert {one.passed_over for one in answers} == {()}
    assert told[:2] == [("runbook", "unfamiliar"), ("rules", "answered")]


def test_why_each_rung_before_gave_no_answer_is_kept_in_short_masked_sentences() -> None:
    ladder = Ladder(
        [
            Scripted(Source.CLOUD, BrainRefused("answered 401 (Incorrect API key provided: sk-abcdefgh12345678)\nx")),
            Scripted(Source.OLLAMA, AnswerInvalid("it is empty. " + "y" * 9_000)),
            Scripted(Source.RULES),
        ]
    )
    diagnosis = ladder.diagnose(EVIDENCE)
    assert diagnosis.source is Source.RULES
    cloud, ollama = diagnosis.passed_over
    assert cloud == "cloud: answered 401 (Incorrect API key provided: ***)\nx".replace("\n", " ")
    assert ollama.startswith("ollama: its answer cannot be used: it is empty.")
    assert len(ollama) <= 240


@pytest.mark.parametrize("error", [BrainUnavailable(), BrainRefused(), AnswerInvalid()])
def test_a_rung_that_keeps_failing_is_left_alone_and_tried_again_later(error: BrainError) -> None:
    time, cloud = Time(), Scripted(Source.CLOUD, error)
    ladder = Ladder([cloud, Scripted(Source.RULES)], monotonic=time)
    for _ in range(12):
        assert ladder.diagnose(EVIDENCE).source is Source.RULES
    assert cloud.asked == 5
    assert "left alone" in ladder.diagnose(EVIDENCE).passed_over[0]
    time.now = 31
    cloud.error = None
    assert ladder.diagnose(EVIDENCE).source is Source.CLOUD


def test_it_is_said_once_that_a_rung_rests_and_nothing_else_is_logged() -> None:
    ladder = Ladder([Scripted(Source.CLOUD, BrainUnavailable("no answer")), Scripted(Source.RULES)], monotonic=Time())
    with capture_logs() as logged:
        for _ in range(20):
            ladder.diagnose(EVIDENCE)
    assert [(entry["log_level"], entry["source"]) for entry in logged] == [("warning", "cloud")]


def test_each_rung_has_a_breaker_of_its_own() -> None:
    ladder = Ladder([Scripted(Source.CLOUD, BrainUnavailable()), Scripted(Source.OLLAMA)], monotonic=Time())
    assert [ladder.diagnose(EVIDENCE).source for _ in range(9)] == [Source.OLLAMA] * 9


def test_the_observer_hears_of_every_rung_how_it_ended() -> None:
    heard: list[tuple[Source, str]] = []
    rungs = [
        Scripted(Source.RUNBOOK, AnswerInvalid()),
        Scripted(Source.CLOUD, BrainRefused()),
        Scripted(Source.OLLAMA, BrainUnavailable()),
        Scripted(Source.RULES),
    ]
    ladder = Ladder(rungs, failures=1, monotonic=Time(), observe=lambda source, _, how: heard.append((source, how)))
    ladder.diagnose(EVIDENCE)
    assert [how for _, how in heard] == ["invalid", "refused", "unavailable", "answered"]
    heard.clear()
    ladder.diagnose(EVIDENCE)
    assert [how for _, how in heard] == ["resting", "resting", "resting", "answered"]


@pytest.mark.parametrize("rungs", [[], [Scripted(Source.CLOUD, BrainUnavailable())]], ids=["no rung", "none answers"])
def test_without_any_answer_nothing_is_done(rungs: list[Scripted]) -> None:
    diagnosis = Ladder(rungs).diagnose(EVIDENCE)
    assert (diagnosis.action, diagnosis.category, diagnosis.confidence) == (Action.NOOP, Category.UNKNOWN, 0.0)
