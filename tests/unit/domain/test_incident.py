"""The fold: what a list of events makes of an incident."""

from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aegis_core.domain.action import Action
from aegis_core.domain.events import GENESIS, Agent, Draft, Event, EventType, chain, digest, first_broken
from aegis_core.domain.incident import CLOSED, Incident, Status, fold
from aegis_core.domain.policy import Verdict
from aegis_core.domain.signal import Severity
from tests import examples as make

SEVERITIES = st.sampled_from(Severity)
CLEARED = Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)


def test_a_signal_opens_an_incident() -> None:
    one = make.incident(make.received(target="web", severity=Severity.WARNING))
    assert (one.status, one.target, one.severity, one.signals, one.version) == (
        Status.RECEIVED,
        "web",
        Severity.WARNING,
        1,
        1,
    )


def test_the_way_to_resolved() -> None:
    way = [
        (make.received(), Status.RECEIVED),
        (make.gathered(), Status.ANALYZING),
        (make.diagnosed(), Status.ANALYZING),
        (make.decided(), Status.DECIDED),
        (make.intended(), Status.EXECUTING),
        (make.executed(), Status.VERIFYING),
        (make.verified(healthy=True), Status.VERIFYING),
        (make.resolved(), Status.RESOLVED),
    ]
    drafts = [draft for draft, _ in way]
    statuses = [make.incident(*drafts[: index + 1]).status for index in range(len(drafts))]
    assert statuses == [status for _, status in way]


@pytest.mark.parametrize("verdict", [Verdict.ASK, Verdict.REFUSE, Verdict.REST])
def test_only_act_lets_anything_happen(verdict: Verdict) -> None:
    one = make.incident(make.gathered(), make.diagnosed(), make.decided(make.decision(verdict)))
    assert one.status is Status.ANALYZING


def test_signals_that_join_are_counted_and_the_worst_severity_stays() -> None:
    one = make.incident(
        make.received(severity=Severity.INFO),
        make.joined(severity=Severity.CRITICAL),
        make.joined(severity=Severity.WARNING),
    )
    assert (one.signals, one.severity) == (3, Severity.CRITICAL)


def test_a_storm_that_was_stored_as_one_event_is_counted_in_full() -> None:
    storm = make.joined(severity=Severity.WARNING)
    storm = storm.model_copy(update={"data": {**storm.data, "count": 998}})
    one = make.incident(make.received(severity=Severity.INFO), storm, make.joined(severity=Severity.INFO))
    assert (one.signals, one.severity, one.version) == (1000, Severity.WARNING, 3)


def test_a_new_incident_sleeps_until_its_symptom_has_had_time_to_go_away() -> None:
    first = make.received()
    waiting = first.model_copy(update={"data": {**first.data, "until": make.later(2).isoformat()}})
    assert make.incident(waiting).wake_at == make.later(2)
    assert make.incident(waiting, make.joined()).wake_at == make.later(2)
    assert make.incident(waiting, make.gathered()).wake_at is None
    assert make.incident(first).wake_at is None


def test_what_its_sender_takes_back_is_looked_at_at_once() -> None:
    first = make.received()
    waiting = first.model_copy(update={"data": {**first.data, "until": make.later(2).isoformat()}})
    one = make.incident(waiting, CLEARED)
    assert (one.status, one.cleared_at, one.wake_at) == (Status.RECEIVED, make.NOON, None)


def test_what_is_reported_again_was_not_over() -> None:
    assert make.incident(CLEARED, make.joined()).cleared_at is None
    assert make.incident(CLEARED, make.joined(), CLEARED).cleared_at == make.NOON


def test_that_it_is_over_is_not_forgotten_while_it_rests() -> None:
    assert make.incident(CLEARED, make.rested(make.later(60))).cleared_at == make.NOON


def test_waiting_for_another_target_is_counted_and_other_rests_are_not() -> None:
    rest = make.rested(make.later(5))
    wait = rest.model_copy(update={"data": {**rest.data, "waits_for": "db"}})
    one = make.incident(wait, wait, make.gathered(), make.diagnosed(), make.decided(), rest)
    assert (one.waits, one.wake_at, one.tried) == (2, make.later(5), ())


def test_a_rest_forgets_what_was_thought_and_remembers_what_was_tried() -> None:
    one = make.incident(
        make.gathered(),
        make.diagnosed(),
        make.decided(),
        make.intended(),
        make.executed(),
        make.verified(healthy=False),
        make.rested(make.later(60)),
    )
    assert (one.status, one.wake_at) == (Status.ANALYZING, make.later(60))
    assert (one.evidence, one.diagnosis, one.decision, one.intent, one.judgement) == (None,) * 5
    assert one.tried == ("RESTART: not healthy afterwards (running: as seen)",)
    assert (one.attempts, one.last_action) == (1, Action.RESTART)


def test_what_every_action_led_to_is_remembered_with_who_had_asked_for_it() -> None:
    first = (make.diagnosed(), make.intended(), make.executed(), make.verified(healthy=False))
    again = (make.rested(make.later(60)), *first[:3], make.verified(healthy=True), make.resolved())
    one = make.incident(*first, *again)
    told = [(outcome.action, outcome.healthy, outcome.source, outcome.confidence) for outcome in one.outcomes]
    assert told == [(Action.RESTART, False, "rules", 0.9), (Action.RESTART, True, "rules", 0.9)]


def test_what_went_away_by_itself_and_what_a_person_stopped_is_no_outcome_of_an_action() -> None:
    assert make.incident(make.diagnosed(), make.executed(Action.NOOP), make.verified(healthy=True)).outcomes == ()
    stopped = make.verified(healthy=True, name="as a person left it")
    assert make.incident(make.diagnosed(), make.intended(), make.executed(), stopped).outcomes == ()


def test_an_action_that_was_called_off_does_not_count_as_done() -> None:
    """It was intended, and then the target was gone, or a person had stopped it."""
    one = make.incident(make.intended(), make.called_off("a person stopped it"), make.rested(make.later(0)))
    assert (one.attempts, one.last_action, one.tried) == (0, None, ("a person stopped it",))


def test_an_earlier_action_still_counts_when_a_later_one_is_called_off() -> None:
    first = (make.intended(), make.executed(), make.verified(healthy=False), make.rested(make.later(60)))
    one = make.incident(*first, make.intended(), make.called_off(), make.failed())
    assert (one.attempts, one.last_action) == (1, Action.RESTART)


def test_what_is_called_off_before_it_was_intended_takes_nothing_away() -> None:
    one = make.incident(make.decided(), make.called_off(), make.rested(make.later(0)))
    assert one.attempts == 0


def test_stumbles_are_counted_in_a_row_only() -> None:
    stumbled = make.incident(make.stage_failed(make.later(1)), make.stage_failed(make.later(3)))
    assert (stumbled.stumbles, stumbled.wake_at) == (2, make.later(3))
    assert make.incident(make.stage_failed(make.later(1)), make.gathered()).stumbles == 0


def test_a_joining_signal_neither_wakes_a_sleeping_incident_nor_forgives_its_stumbles() -> None:
    one = make.incident(make.stage_failed(make.later(5)), make.joined())
    assert (one.stumbles, one.wake_at) == (1, make.later(5))


def test_failed_says_why_and_a_lesson_does_not_reopen() -> None:
    one = make.incident(make.failed("not opted in"), make.learned())
    assert (one.status, one.error, one.closed, one.seconds) == (Status.FAILED, "not opted in", True, 0.0)


def test_proven_needs_to_be_seen_running() -> None:
    assert make.incident(make.verified(healthy=True, name="running")).proven
    assert not make.incident(make.verified(healthy=True, name="as a person left it")).proven
    assert not make.incident(make.verified(healthy=False, name="running")).proven
    assert not make.incident().proven


def test_seconds_are_never_negative_when_the_clock_was_set_back() -> None:
    opened = make.incident()
    ended = chain([make.failed()], opened.id, make.later(-3600), opened.version, opened.head)
    assert fold(ended, opened).seconds == 0.0


def test_what_does_not_begin_with_a_signal_is_no_incident() -> None:
    with pytest.raises(ValueError, match="begins with"):
        fold(make.events_of(make.gathered()))
    with pytest.raises(ValueError, match="at least one event"):
        fold([])


def test_an_incident_survives_storing() -> None:
    one = make.incident(make.gathered(), make.diagnosed(), make.decided(), make.intended())
    assert Incident.model_validate_json(one.model_dump_json()) == one


def test_an_incident_as_a_later_version_wrote_it_can_be_read() -> None:
    one = make.incident()
    assert Incident.model_validate({**one.model_dump(mode="json"), "of_a_later_version": 1}) == one


# ---- any legal way


class AnyWay(RuleBasedStateMachine):
    """Stages, signals, stumbles and clocks in any order that the table of stages allows."""

    @initialize(severity=SEVERITIES)
    def open(self, severity: Severity) -> None:
        self.seconds = 0.0
        self.severities = [severity]
        self.events: list[Event] = []
        self.incident: Incident | None = None
        self.write(make.received(severity=severity))

    def write(self, *drafts: Draft) -> None:
        self.seconds += 1
        version, head = (self.events[-1].version, self.events[-1].hash) if self.events else (0, GENESIS)
        written = chain(drafts, "inc-1", make.later(self.seconds), version, head)
        self.events += written
        self.incident = fold(written, self.incident)

    def stands(self, *statuses: Status) -> bool:
        return self.incident is not None and self.incident.status in statuses

    @precondition(lambda self: not self.stands(*CLOSED))
    @rule(severity=SEVERITIES)
    def the_same_signal_again(self, severity: Severity) -> None:
        self.severities.append(severity)
        self.write(make.joined(severity=severity))

    @precondition(lambda self: not self.stands(*CLOSED))
    @rule()
    def its_sender_takes_it_back(self) -> None:
        self.write(CLEARED)

    @precondition(lambda self: not self.stands(*CLOSED))
    @rule()
    def a_stage_breaks(self) -> None:
        self.write(make.stage_failed(make.later(self.seconds + 1)))

    @precondition(lambda self: self.stands(Status.RECEIVED, Status.ANALYZING))
    @rule()
    def evidence(self) -> None:
        self.write(make.gathered())

    @precondition(lambda self: self.stands(Status.ANALYZING))
    @rule(verdict=st.sampled_from(Verdict))
    def decision(self, verdict: Verdict) -> None:
        follows: dict[Verdict, list[Draft]] = {
            Verdict.ACT: [],
            Verdict.REST: [make.rested(make.later(self.seconds + 60))],
        }
        self.write(
            make.diagnosed(), make.decided(make.decision(verdict)), *follows.get(verdict, [make.failed("no leave")])
        )

    @precondition(lambda self: self.stands(Status.DECIDED))
    @rule()
    def intent(self) -> None:
        self.write(make.intended())

    @precondition(lambda self: self.stands(Status.DECIDED, Status.EXECUTING))
    @rule()
    def called_off(self) -> None:
        self.write(make.called_off(), make.rested(make.later(self.seconds)))

    @precondition(lambda self: self.stands(Status.EXECUTING))
    @rule()
    def effect(self) -> None:
        self.write(make.executed())

    @precondition(lambda self: self.stands(Status.VERIFYING))
    @rule(healthy=st.booleans(), last=st.booleans())
    def verification(self, healthy: bool, last: bool) -> None:
        end = make.resolved() if healthy else make.failed() if last else make.rested(make.later(self.seconds + 60))
        self.write(make.verified(healthy=healthy), end)

    @precondition(lambda self: self.stands(*CLOSED))
    @rule()
    def lesson(self) -> None:
        self.write(make.learned())

    @invariant()
    def the_fold_is_the_same_in_one_go_and_the_chain_is_whole(self) -> None:
        if not self.events:
            return
        assert fold(self.events) == self.incident
        assert first_broken(self.events) is None
        assert Incident.model_validate_json(fold(self.events).model_dump_json()) == self.incident

    @invariant()
    def what_it_says_agrees_with_the_events(self) -> None:
        if self.incident is None:
            return
        one, kinds = self.incident, [event.type for event in self.events]
        signals = kinds.count(EventType.SIGNAL_RECEIVED) + kinds.count(EventType.SIGNAL_JOINED)
        assert one.signals == signals
        assert one.severity == min(self.severities, key=lambda word: list(Severity).index(word))
        assert one.version == len(kinds)
        told = [kind for kind in kinds if kind in (EventType.SIGNAL_JOINED, EventType.SIGNAL_CLEARED)]
        assert (one.cleared_at is not None) == (told[-1:] == [EventType.SIGNAL_CLEARED])
        ended = EventType.RESOLVED in kinds or EventType.FAILED in kinds
        assert one.closed == (one.closed_at is not None) == ended, "closed once is closed for ever"
        assert one.attempts >= kinds.count(EventType.ACTION_EXECUTED)
        assert one.attempts - kinds.count(EventType.ACTION_EXECUTED) == (one.status is Status.EXECUTING)
        assert (one.status is Status.FAILED) == bool(one.error)
        if one.status is Status.RESOLVED:
            assert one.proven


TestAnyWay = AnyWay.TestCase
TestAnyWay.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


# ---- the chain


@given(
    place=st.integers(0, 5),
    change=st.sampled_from(["incident_id", "version", "type", "at", "agent", "data", "prev_hash", "hash"]),
)
def test_a_change_of_any_field_of_any_event_breaks_the_chain(place: int, change: str) -> None:
    whole = list(
        make.events_of(
            make.received(), make.gathered(), make.diagnosed(), make.decided(), make.intended(), make.executed()
        )
    )
    other: dict[str, Any] = {
        "incident_id": "inc-2",
        "version": whole[place].version + 1,
        "type": EventType.RESOLVED,
        "at": make.later(1),
        "agent": "prediction",
        "data": {**whole[place].data, "extra": 1},
        "prev_hash": "f" * 64,
        "hash": "f" * 64,
    }
    whole[place] = whole[place].model_copy(update={change: other[change]})
    broken = first_broken(whole)
    assert broken is not None
    assert broken in (whole[place], *whole[place + 1 : place + 2])


@given(place=st.integers(0, 4))
def test_an_event_that_was_taken_out_or_moved_breaks_the_chain(place: int) -> None:
    whole = list(
        make.events_of(
            make.received(), make.gathered(), make.diagnosed(), make.decided(), make.intended(), make.executed()
        )
    )
    assert first_broken(whole) is None
    without = whole[:place] + whole[place + 1 :]
    assert first_broken(without) == whole[place + 1]
    swapped = [*whole[:place], whole[place + 1], whole[place], *whole[place + 2 :]]
    assert first_broken(swapped) == whole[place + 1]


def test_a_moment_means_the_same_in_every_zone() -> None:
    """What is hashed must not depend on how a database gives a moment back."""
    elsewhere = make.NOON.astimezone(timezone(timedelta(hours=5)))
    assert digest(make.received(), "inc-1", 1, make.NOON, GENESIS) == digest(
        make.received(), "inc-1", 1, elsewhere, GENESIS
    )


FACTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: "\\ud" not in ascii(value))


@given(data=st.dictionaries(st.text(), FACTS, max_size=4).filter(lambda value: "\\ud" not in ascii(value)))
def test_any_data_has_one_text_that_reads_back_to_the_same_hash(data: dict[str, Any]) -> None:
    draft = Draft(type=EventType.VERIFIED, agent="resolution", data=data)
    (event,) = chain([draft], "inc-1", make.NOON, 0, GENESIS)
    assert first_broken([Event.model_validate_json(event.model_dump_json())]) is None
