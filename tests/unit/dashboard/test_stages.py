"""The way of an incident, folded from its events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aegis_dashboard.stages import Mark, Step, way
from aegis_dashboard.wire import Event

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACT = {"decision": {"verdict": "ACT"}}
ASK = {"decision": {"verdict": "ASK"}}
TO_THE_ACTION = [
    (0, "SignalReceived", {}), (0.5, "EvidenceGathered", {}), (3, "Diagnosed", {}), (3.1, "Decided", ACT),
    (3.2, "ActionIntended", {}), (4.6, "ActionExecuted", {}),
]  # fmt: skip
Row = tuple[float, str, dict[str, Any]]


def events_of(rows: Sequence[Row]) -> list[Event]:
    return [
        Event(version=version, type=type_, at=START + timedelta(seconds=at), data=data)
        for version, (at, type_, data) in enumerate(rows, start=1)
    ]


def steps_of(rows: Sequence[Row], status: str, now: float) -> dict[str, Step]:
    return {step.status: step for step in way(events_of(rows), status, START + timedelta(seconds=now))}


def marks(steps: dict[str, Step]) -> str:
    return " ".join(step.mark for step in steps.values())


def test_the_time_of_a_stage_runs_from_its_event_to_the_next_stages_event() -> None:
    steps = steps_of([*TO_THE_ACTION, (15, "Verified", {}), (15.1, "Resolved", {})], "RESOLVED", now=900)
    seconds = {name: round(step.seconds, 3) for name, step in steps.items() if step.seconds is not None}
    assert seconds == {"RECEIVED": 0.5, "ANALYZING": 2.6, "DECIDED": 0.1, "EXECUTING": 1.4, "VERIFYING": 10.5}
    assert steps["RESOLVED"].at == START + timedelta(seconds=15.1)
    assert marks(steps) == "done done done done done healed"


def test_the_current_stage_goes_on_counting_and_what_follows_is_still_to_come() -> None:
    steps = steps_of(TO_THE_ACTION[:3], "ANALYZING", now=8)
    assert steps["ANALYZING"].seconds == 7.5
    assert marks(steps) == "done current todo todo todo todo"


def test_a_clock_behind_the_cores_gives_no_negative_time() -> None:
    assert steps_of(TO_THE_ACTION[:1], "RECEIVED", now=-4)["RECEIVED"].seconds == 0.0


def test_a_decision_that_asks_a_person_is_no_step_and_the_rest_is_skipped() -> None:
    rows = [*TO_THE_ACTION[:3], (3.1, "Decided", ASK), (3.2, "Failed", {})]
    steps = steps_of(rows, "FAILED", now=60)
    assert marks(steps) == "done done skipped skipped skipped failed"
    assert steps["DECIDED"].at is None
    assert list(steps)[-1] == "FAILED"


def test_noop_goes_to_verifying_without_executing_and_that_step_is_skipped_at_once() -> None:
    steps = steps_of([*TO_THE_ACTION[:4], (3.2, "Verified", {})], "VERIFYING", now=5)
    assert marks(steps) == "done done done skipped current todo"


def test_a_second_attempt_adds_up_the_times_and_marks_what_comes_again() -> None:
    again = [(9, "Verified", {}), (9.1, "Rested", {}), (60, "EvidenceGathered", {})]
    steps = steps_of([*TO_THE_ACTION, *again], "ANALYZING", now=62)
    assert steps["ANALYZING"].visits == 2
    assert steps["ANALYZING"].seconds == 2.6 + 52.9
    assert marks(steps) == "done current earlier earlier earlier todo"


def test_a_status_that_is_not_known_is_shown_and_not_swallowed() -> None:
    steps = steps_of(TO_THE_ACTION[:3], "PONDERING", now=8)
    assert list(steps)[-2:] == ["PONDERING", "RESOLVED"]
    assert steps["PONDERING"].mark is Mark.CURRENT


def test_a_persons_answer_is_a_step_where_one_is_asked_for_and_only_there() -> None:
    asked = [*TO_THE_ACTION[:3], (3.1, "Decided", ASK), (3.2, "ApprovalRequested", {})]
    steps = steps_of(asked, "AWAITING_APPROVAL", now=63.2)
    assert steps["AWAITING_APPROVAL"].seconds == 60.0
    assert marks(steps) == "done done current todo todo todo todo"
    answered = steps_of([*asked, (30.2, "Approved", {})], "DECIDED", now=31)
    assert answered["AWAITING_APPROVAL"].seconds == 27.0
    assert marks(answered) == "done done done current todo todo todo"
    assert "AWAITING_APPROVAL" not in steps_of(TO_THE_ACTION, "VERIFYING", now=8)


def test_no_events_yet_is_a_way_that_lies_ahead() -> None:
    assert marks(steps_of([], "RECEIVED", now=0)) == "current todo todo todo todo todo"
