"""Events as sentences."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aegis_dashboard.format import Clock
from aegis_dashboard.samples import SampleFeed
from aegis_dashboard.settings import Settings
from aegis_dashboard.story import Told, Tone, tell
from aegis_dashboard.wire import Event

CLOCK = Clock(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))


def told(type_: str, data: dict[str, Any]) -> Told:
    return tell(Event(version=1, type=type_, at=CLOCK.now, data=data), CLOCK)


def test_a_diagnosis_is_told_with_its_source_its_action_and_how_sure_it_is() -> None:
    data = {"diagnosis": {"source": "rules", "action": "RESTART", "confidence": 0.9, "root_cause": "It leaks."}}
    assert told("Diagnosed", data) == Told("Diagnosis by rules: RESTART, 0.90 sure", "It leaks.", Tone.WORK)


def test_a_verification_names_the_conditions_that_fail() -> None:
    conditions = [
        {"name": "running", "holds": True, "seen": "running"},
        {"name": "stable", "holds": False, "seen": "2 s"},
    ]
    assert told("Verified", {"judgement": {"conditions": conditions}}) == Told("Not healthy", "stable: 2 s", Tone.WARN)


def test_a_condition_that_only_needs_time_is_not_told_as_a_failure() -> None:
    conditions = [{"name": "stable", "holds": False, "seen": "2 s", "pending": True}]
    assert told("Verified", {"judgement": {"conditions": conditions}}).text == "Not proven healthy yet"


def test_a_verification_without_conditions_is_not_taken_for_health() -> None:
    assert told("Verified", {"judgement": {"conditions": []}}).tone is Tone.WARN


def test_the_action_that_does_nothing_is_not_told_as_if_it_did_something() -> None:
    decision = {"verdict": "ACT", "action": "NOOP", "reasons": ["It is healthy."]}
    assert told("Decided", {"decision": decision}).text == "Policy: NOOP it is, nothing has to be done"
    assert told("ActionExecuted", {"action": "NOOP", "seen": "nothing was done"}).text == "Nothing was done, on purpose"


def test_a_rest_says_until_when() -> None:
    assert told("Rested", {"until": "2026-11-20T12:01:00Z"}).text == "Rests until 12:01:00, then looks again"


def test_a_type_that_is_not_known_is_told_by_its_name() -> None:
    assert told("Approved", {"by": "ann"}) == Told("Approved")


@pytest.mark.parametrize(
    "data", [{}, {"signal": None}, {"signal": "x"}, {"diagnosis": 3}, {"judgement": {"conditions": 1}}]
)
@pytest.mark.parametrize(
    "type_",
    ["SignalReceived", "SignalJoined", "EvidenceGathered", "Diagnosed", "Decided", "Rested", "ActionIntended",
     "ActionExecuted", "ActionFailed", "Verified", "LessonLearned", "Resolved", "Failed", "StageFailed"],
)  # fmt: skip
def test_an_event_with_nothing_in_it_is_told_all_the_same(type_: str, data: dict[str, Any]) -> None:
    assert told(type_, data).text


def test_every_event_of_the_samples_has_a_sentence_of_its_own() -> None:
    feed = SampleFeed(Settings().samples_file)
    for lesson in feed.impact().incidents:
        for event in feed.events(feed.incident(lesson.incident_id)):
            assert tell(event, CLOCK).text != event.type
