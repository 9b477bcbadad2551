"""Events as sentences."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aegis_dashboard.format import Clock
from aegis_dashboard.samples import SampleFeed
from aegis_dashboard.settings import Settings
from aegis_dashboard.story import Told, Tone, reported_by, tell, waits_for
from aegis_dashboard.wire import Event

CLOCK = Clock(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))


def event(type_: str, data: dict[str, Any]) -> Event:
    return Event(version=1, type=type_, at=CLOCK.now, data=data)


def told(type_: str, data: dict[str, Any]) -> Told:
    return tell(event(type_, data), CLOCK)


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


def test_a_rest_for_another_target_names_it_and_says_why() -> None:
    data = {"until": "2026-11-20T12:01:00Z", "waits_for": "db", "reason": "It fails because of db."}
    assert told("Rested", data) == Told("Waits for db, because of which it fails", "It fails because of db.", Tone.WARN)
    assert waits_for([event("Rested", data)]) == "db"
    assert waits_for([event("Rested", data), event("SignalJoined", {})]) == "db"
    assert waits_for([event("Rested", data), event("EvidenceGathered", {})]) == ""
    assert waits_for([]) == ""


def test_a_sender_is_named_as_people_know_it_and_with_its_own_word() -> None:
    signal = {"fault": "memory_pressure", "source": "uptime_kuma", "alert_type": "shop is down"}
    assert told("SignalReceived", {"signal": signal}).text == (
        "Signal: memory pressure, reported by Uptime Kuma as “shop is down”"
    )
    assert reported_by([event("SignalReceived", {"signal": signal})]) == "Uptime Kuma as “shop is down”"
    assert reported_by([]) == ""


@pytest.mark.parametrize(
    ("source", "named"),
    [("native", "the webhook"), ("sensor", "Aegis' own sensor"), ("pagerduty_v3", "PagerDuty"), ("new_one", "New one")],
)
def test_every_sender_has_a_name(source: str, named: str) -> None:
    signal = {"fault": "crashed", "source": source, "alert_type": "crashed"}
    assert told("SignalReceived", {"signal": signal}).text == f"Signal: crashed, reported by {named}"


def test_a_leak_that_was_foreseen_is_told_as_such() -> None:
    words = "a leak of 3.0 MiB/s reaches the limit of 256 MiB in about 38 s"
    signal = {"fault": "memory_pressure", "source": "sensor", "metrics": {"oom_in_seconds": 38.0}, "logs": [words]}
    heard = told("SignalReceived", {"signal": signal})
    assert heard.text == "Signal: memory pressure foreseen, reported by Aegis' own sensor"
    assert heard.more == f"A{words[1:]}"


def test_a_signal_that_may_go_away_by_itself_says_until_when_it_is_waited() -> None:
    signal = {"fault": "latency", "metrics": {"latency_p95_ms": 3012}}
    assert told("SignalReceived", {"signal": signal, "until": "2026-11-20T12:00:05Z"}).more == (
        "Latency p95 3,012 ms. Looked at from 12:00:05 on, if it has not gone away by then"
    )


def test_a_storm_of_the_same_symptom_is_counted() -> None:
    signal = {"fault": "cpu_saturation", "source": "alertmanager"}
    assert told("SignalJoined", {"signal": signal, "count": 1200}).text == (
        "The same symptom 1,200 times more: CPU saturation, reported by Alertmanager"
    )
    assert told("SignalJoined", {"signal": signal, "count": 1}).text.startswith("The same symptom again: CPU")


def test_the_end_of_an_alert_is_told_as_what_its_sender_says() -> None:
    assert told("SignalCleared", {}) == Told("Its sender says that it is over", "", Tone.GOOD)


def test_a_type_that_is_not_known_is_told_by_its_name() -> None:
    assert told("Pondered", {"by": "ann"}) == Told("Pondered")


def test_a_vote_says_what_how_sure_and_why() -> None:
    data = {"opinion": {"agent": "prediction", "action": "RESTART", "confidence": 0.6, "reason": "It helped before."}}
    assert told("OpinionGiven", data) == Told("Votes for RESTART, 0.60 sure", "It helped before.")


def test_a_question_says_until_when_and_an_answer_by_whom_and_on_which_way() -> None:
    asked = {"approval": {"action": "ROLLBACK", "expires_at": "2026-11-20T12:30:00Z", "reasons": ["It asks.", "More."]}}
    assert told("ApprovalRequested", asked) == Told("People are asked: ROLLBACK, until 12:30:00", "It asks.", Tone.WARN)
    said = {"by": "ann", "via": "cli", "comment": "go on"}
    assert told("Approved", said) == Told("Approved by ann (the command line)", "go on", Tone.GOOD)
    assert told("Declined", said | {"comment": ""}) == Told("Refused by ann (the command line)", "", Tone.BAD)


def test_what_people_say_and_what_was_taken_back_is_told() -> None:
    assert told("Commented", {"comment": {"by": "ann", "text": "I am on it."}}) == Told("ann says", "I am on it.")
    assert told("Undone", {"seen": "the old limits are back"}).text == "What did not help was taken back"


@pytest.mark.parametrize(
    "data", [{}, {"signal": None}, {"signal": "x"}, {"diagnosis": 3}, {"judgement": {"conditions": 1}}]
)
@pytest.mark.parametrize(
    "type_",
    ["SignalReceived", "SignalJoined", "SignalCleared", "EvidenceGathered", "Diagnosed", "Decided", "Rested",
     "ActionIntended", "ActionExecuted", "ActionFailed", "Verified", "LessonLearned", "Resolved", "Failed",
     "StageFailed", "OpinionGiven", "ApprovalRequested", "Approved", "Declined", "Commented", "Undone"],
)  # fmt: skip
def test_an_event_with_nothing_in_it_is_told_all_the_same(type_: str, data: dict[str, Any]) -> None:
    assert told(type_, data).text


def test_every_event_of_the_samples_has_a_sentence_of_its_own() -> None:
    feed = SampleFeed(Settings().samples_file)
    for lesson in feed.impact().incidents:
        for event in feed.events(feed.incident(lesson.incident_id)):
            assert tell(event, CLOCK).text != event.type
