"""The responder with the real store: the whole way of an incident, many at once, and what it does when things break."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from aegis_core.domain.action import Action
from aegis_core.domain.approval import Via, answer
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.events import Draft, Event, EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.impact import Rates
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.leave import Autonomy
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.policy import Policy
from aegis_core.domain.release import Release
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.standing import Standing
from aegis_core.domain.target import Limits, TargetRef
from aegis_core.errors import AlreadyAnswered, BrainUnavailable, RuntimeAway, RuntimeUnavailable, StoreUnavailable
from aegis_core.pipeline import responder as module
from aegis_core.pipeline.announce import routes_to
from aegis_core.pipeline.responder import MOST_ABSENCES, MOST_STUMBLES, Responder
from aegis_core.pipeline.tools import Tools, Verification
from aegis_core.ports import Claim, EventLog, Filter, WorkQueue
from aegis_core.testing import FakeClock, FakeRuntime, MarksRecall, MemoryReleases, StubBrain, StubProber
from tests import examples as make
from tests.contract.rigs import wait_until
from tests.contract.stores import Store, sqlite

MIB = 2**20
LIMIT = 128 * MIB


class NoLessons:
    """A runbook that nobody has written in."""

    def lessons(self) -> Sequence[Any]:
        return ()

    def add(self, lesson: object) -> None:
        raise NotImplementedError


class House:
    """A store, a runtime and a clock that outlive the agents that work with them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock(make.NOON)
        self.runtime = FakeRuntime(self.clock)
        self.brain: Any = StubBrain(make.diagnosis())
        self.releases = MemoryReleases()
        self.events: EventLog = store.events
        self.queue: WorkQueue = store.queue
        self.agents: list[Responder] = []
        self.changes: list[tuple[Status, Status]] = []
        self.tools: Tools

    def target(self, name: str = "web", memory_bytes: int = 120 * MIB, **known: Any) -> TargetRef:
        """Add a target whose memory is nearly used up."""
        fields = {"labels": make.LABELS, "limits": Limits(memory_bytes=LIMIT), "stop_timeout": 0.0}
        ref = self.runtime.add(name, **{**fields, **known})
        self.runtime.use(name, memory_bytes=memory_bytes)
        return ref

    def report(self, target: str = "web", **known: Any) -> str:
        """Store a signal; returns the id of its incident."""
        incident, _ = self.store.open(make.signal(target, **known), self.clock())
        for agent in self.agents:
            agent.nudge()
        return incident.id

    def start(self, workers: int = 8, **tools: Any) -> Responder:
        """Start an agent; the one before, if any, has to be stopped."""
        self.tools = replace(
            Tools(
                clock=self.clock,
                born=self.clock(),
                sensor=self.runtime,
                effector=self.runtime,
                reverter=self.runtime,
                source=self.runtime,
                prober=StubProber(),
                brain=self.brain,
                runbook=NoLessons(),
                recall=MarksRecall(NoLessons()),
                incidents=self.store.incidents,
                releases=self.releases,
                policy=Policy(),
                rates=Rates(),
                verification=Verification(attempts=2, wait_seconds=0.0, limit_seconds=0.05, stability_seconds=0.0),
            ),
            **tools,
        )
        agent = Responder(self.tools, self.events, self.queue, workers, self._changed)
        self.agents.append(agent)
        agent.start()
        return agent

    def stop(self) -> None:
        for agent in self.agents:
            agent.stop()
        self.agents.clear()

    def _changed(self, before: Incident, after: Incident) -> None:
        self.changes.append((before.status, after.status))

    def now(self, incident_id: str) -> Incident:
        return self.store.incidents.get(incident_id)

    def kinds(self, incident_id: str) -> list[EventType]:
        return [event.type for event in self.happened(incident_id)]

    def happened(self, incident_id: str) -> Sequence[Event]:
        return self.store.incidents.events(incident_id)

    def ended(self, incident_id: str) -> Incident:
        """Wait for the end without letting time pass."""
        wait_until(lambda: self.now(incident_id).closed, f"{incident_id} to be closed")
        return self.now(incident_id)

    def in_time(self, condition: Callable[[], object], what: str) -> None:
        """Let time pass until this holds: whenever all sleep, until the first of them wakes."""

        def later() -> object:
            wake = None if self.held() else self.store.queue.next_wake(self.clock())
            if wake:
                self.clock.advance((wake - self.clock()).total_seconds())
                for agent in self.agents:
                    agent.nudge()
            return condition()

        wait_until(later, what, 20)

    def sleeps(self, incident_id: str) -> Incident:
        """Wait until the incident has been given back to wait for its time."""
        wait_until(lambda: self.now(incident_id).wake_at and not self.held(), f"{incident_id} to sleep")
        return self.now(incident_id)

    def held(self) -> int:
        return len(self.store.tamper("SELECT id FROM incidents WHERE owner IS NOT NULL", {}))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    store = sqlite(tmp_path)
    store.routes.append(routes_to(["people"], "runbook"))
    opened = House(store)
    yield opened
    opened.stop()
    broken = store.archive.broken()
    store.close()
    assert broken == []


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STORE_PAUSE", 0.01)


# ---- the way


def test_a_signal_comes_to_resolved_by_way_of_every_stage(house: House) -> None:
    house.target()
    house.start()
    incident_id = house.report()
    healed = house.ended(incident_id)
    assert house.kinds(incident_id) == [
        EventType.SIGNAL_RECEIVED,
        EventType.EVIDENCE_GATHERED,
        EventType.DIAGNOSED,
        EventType.OPINION_GIVEN,
        EventType.OPINION_GIVEN,
        EventType.OPINION_GIVEN,
        EventType.DECIDED,
        EventType.ACTION_INTENDED,
        EventType.ACTION_EXECUTED,
        EventType.VERIFIED,
        EventType.RESOLVED,
        EventType.LESSON_LEARNED,
    ]
    assert (healed.status, healed.healed, healed.attempts) == (Status.RESOLVED, True, 1)
    assert healed.lesson
    assert healed.lesson.verified_healthy
    assert healed.impact
    assert house.runtime.starts("web") == 2
    statuses = [Status.RECEIVED, Status.ANALYZING, Status.DECIDED, Status.EXECUTING, Status.VERIFYING, Status.RESOLVED]
    assert list(dict.fromkeys(after for _, after in house.changes)) == statuses[1:]


def test_people_hear_of_the_way_and_the_runbook_of_the_lesson(house: House) -> None:
    house.target()
    house.start()
    house.ended(house.report())
    told = [item.notice.kind for item in house.store.outbox.due("people", house.clock())]
    assert told == [NoticeKind.RECEIVED, NoticeKind.ACTING, NoticeKind.RESOLVED]
    (lesson,) = house.store.outbox.due("runbook", house.clock())
    assert lesson.notice.lesson == house.now(lesson.notice.incident_id).lesson


def test_what_was_stored_before_the_start_is_taken_up(house: House) -> None:
    house.target()
    incident_id = house.report()
    house.start()
    assert house.ended(incident_id).status is Status.RESOLVED


def test_in_the_cool_down_it_rests_and_then_acts(house: House) -> None:
    house.target()
    house.start()
    house.ended(house.report())
    house.runtime.use("web", memory_bytes=120 * MIB)
    second = house.report()
    resting = house.sleeps(second)
    assert (resting.status, house.runtime.starts("web")) == (Status.ANALYZING, 2)
    assert EventType.RESTED in house.kinds(second)
    house.in_time(lambda: house.now(second).closed, "the rest to be over")
    assert house.now(second).status is Status.RESOLVED
    assert house.runtime.starts("web") == 3
    first_action, second_action = (
        event.at
        for one in reversed(house.store.incidents.list(Filter(), 10, 0)[0])
        for event in house.happened(one.id)
        if event.type is EventType.ACTION_INTENDED
    )
    assert (second_action - first_action).total_seconds() >= 60


@pytest.mark.parametrize(
    ("diagnosis", "reason"),
    [
        (make.diagnosis(confidence=0.5), "only 0.67 sure; 0.70 is needed"),
        (make.diagnosis(Action.SCALE_UP), "SCALE_UP needs approval"),
        (make.diagnosis(Action.ROLLBACK), "ROLLBACK needs approval"),
    ],
)
def test_what_may_not_be_done_without_a_person_waits_for_one_and_nothing_is_done_without_an_answer(
    house: House, diagnosis: Diagnosis, reason: str
) -> None:
    house.brain = StubBrain(diagnosis)
    house.target()
    house.runtime.images.add("sha256:good")
    house.releases.note(Release(target="web", image_id="sha256:good", image="shop:1", verified_at=make.NOON))
    house.start()
    incident_id = house.report()
    asked = house.sleeps(incident_id)
    assert asked.status is Status.AWAITING_APPROVAL
    assert asked.approval
    assert reason in asked.approval.reasons[0]
    house.in_time(lambda: house.now(incident_id).closed, "the question to expire")
    failed = house.now(incident_id)
    assert (failed.status, failed.lesson, failed.attempts) == (Status.FAILED, None, 0)
    assert failed.closed_at
    assert failed.closed_at >= asked.approval.expires_at
    assert "Nobody answered in time" in (failed.error or "")
    assert house.runtime.applied == []
    told = [item.notice for item in house.store.outbox.due("people", house.clock())]
    assert told[-1].kind is NoticeKind.FAILED
    assert "Nobody answered in time" in told[-1].reason


def say(house: House, incident_id: str, approved: bool) -> Incident:
    """Answer as a person does."""
    now = house.clock()
    house.store.events.answer(incident_id, lambda one: answer(one, approved, "ann", Via.API, "go on", now), now)
    for agent in house.agents:
        agent.nudge()
    return house.ended(incident_id)


def asked_for_a_restart(house: House) -> str:
    house.target()
    house.start(policy=Policy(autonomy=Autonomy.SUGGEST))
    incident_id = house.report()
    house.sleeps(incident_id)
    return incident_id


def test_what_a_person_approves_hours_later_and_after_a_restart_of_the_agent_is_done_once(house: House) -> None:
    house.target()
    house.start(policy=Policy(autonomy=Autonomy.SUGGEST, approval_seconds=10_000))
    incident_id = house.report()
    house.sleeps(incident_id)
    house.stop()
    house.clock.advance(7200)
    house.start(policy=Policy(autonomy=Autonomy.SUGGEST))
    healed = say(house, incident_id, approved=True)
    assert (healed.status, house.runtime.starts("web")) == (Status.RESOLVED, 2)
    assert healed.approval
    assert healed.approval.by == "ann"
    with pytest.raises(AlreadyAnswered):
        say(house, incident_id, approved=True)


def test_what_a_person_declines_ends_at_once_and_says_who_it_was(house: House) -> None:
    failed = say(house, asked_for_a_restart(house), approved=False)
    assert failed.status is Status.FAILED
    assert failed.error == "ann has declined RESTART; nothing was done. go on"
    assert house.runtime.applied == []


def test_what_its_sender_takes_back_is_no_question_any_more(house: House) -> None:
    house.target()
    house.start(policy=Policy(autonomy=Autonomy.SUGGEST))
    incident_id = house.report(key="alert-1")
    house.sleeps(incident_id)
    house.runtime.use("web", memory_bytes=MIB)
    assert house.store.events.clear(["alert-1"], house.clock())
    house.agents[0].nudge()
    over = house.ended(incident_id)
    assert (over.approval, over.attempts, house.runtime.applied) == (None, 0, [])


def test_an_approval_of_what_was_recreated_meanwhile_does_nothing_to_the_new_one(house: House) -> None:
    incident_id = asked_for_a_restart(house)
    house.runtime.remove("web")
    house.target()
    now = house.clock()
    house.store.events.answer(incident_id, lambda one: answer(one, True, "ann", Via.API, "", now), now)
    house.agents[0].nudge()
    wait_until(lambda: EventType.ACTION_FAILED in house.kinds(incident_id), "it to be called off")
    assert house.sleeps(incident_id).status is Status.AWAITING_APPROVAL, "people are asked about the new one"
    assert house.runtime.applied == []


def test_while_people_are_at_work_nobody_is_asked_and_nothing_is_done(house: House) -> None:
    class AtWork:
        def of(self, target: str) -> Standing:
            return Standing(maintenance_until=make.later(3600), by="ann")

    house.target()
    house.start(standings=AtWork())
    incident_id = house.report()
    assert house.sleeps(incident_id).wake_at
    assert (house.brain.asked, house.runtime.applied) == ([], [])
    house.in_time(lambda: house.now(incident_id).closed, "maintenance to be over")
    assert house.now(incident_id).status is Status.RESOLVED
    (acted,) = [event.at for event in house.happened(incident_id) if event.type is EventType.ACTION_INTENDED]
    assert acted >= make.later(3600)


def test_what_did_not_opt_in_is_never_touched(house: House) -> None:
    house.target(labels={})
    house.start()
    failed = house.ended(house.report())
    assert "not opted in" in (failed.error or "")
    assert house.runtime.applied == []


def test_what_a_person_stopped_is_left_and_no_incident_stays_open(house: House) -> None:
    house.target()
    house.runtime.end("web", 0, by_person=True)
    house.start()
    left = house.ended(house.report(fault=Fault.CRASHED))
    assert (left.status, left.attempts, left.impact, left.lesson) == (Status.RESOLVED, 0, None, None)
    assert house.runtime.applied == []


class Incurable(FakeRuntime):
    """A restart is no help: the memory is full again at once."""

    def start(self, name: str) -> None:
        super().start(name)
        self._targets[name].memory_bytes = 120 * MIB


def test_what_three_restarts_do_not_help_is_given_to_a_person_and_then_left_alone(house: House) -> None:
    house.runtime = Incurable(house.clock)
    house.target()
    house.start()
    incident_id = house.report()
    house.in_time(lambda: house.now(incident_id).closed, "it to be given up")
    failed = house.now(incident_id)
    assert (failed.status, failed.attempts, house.runtime.starts("web")) == (Status.FAILED, 3, 4)
    assert "3 times in a row" in (failed.error or "")
    assert failed.lesson
    assert not failed.lesson.verified_healthy
    acted = [event.at for event in house.happened(incident_id) if event.type is EventType.ACTION_INTENDED]
    pauses = [(second - first).total_seconds() for first, second in pairwise(acted)]
    assert 60 <= pauses[0] < 120 <= pauses[1]

    house.stop()  # the count survives a restart of the agent
    house.start()
    again = house.ended(house.report())
    assert (again.status, again.attempts, house.runtime.starts("web")) == (Status.FAILED, 0, 4)
    assert "3 attempts within 10 minutes" in (again.error or "")
    kinds = Counter(item.notice.kind for item in house.store.outbox.due("people", house.clock(), limit=99))
    assert kinds[NoticeKind.FAILED] == 1, "of the quarantine, and not of what it refuses"


# ---- many at once


class Meeting:
    """A brain that answers when so many ask at once, and not before."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties)

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        self._barrier.wait(60)
        return make.diagnosis()


def test_a_hundred_incidents_are_in_the_brain_at_once(house: House) -> None:
    """None of the hundred answers comes before all hundred have been asked for."""
    house.brain = Meeting(100)
    names = [f"web-{number}" for number in range(100)]
    for name in names:
        house.target(name)
    ids = [house.report(name) for name in names]
    house.start(workers=100)
    wait_until(lambda: house.store.incidents.list(Filter(open=True), 1, 0)[1] == 0, "all hundred to end", 60)
    assert {house.now(incident_id).status for incident_id in ids} == {Status.RESOLVED}
    assert {house.runtime.starts(name) for name in names} == {2}


class OneAtATime:
    """A brain that notes how many ask about one target at the same time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._busy: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        assert evidence.target
        name = evidence.target.ref.name
        with self._turn:
            self._busy[name] += 1
            self.most[name] = max(self.most[name], self._busy[name])
        time.sleep(0.01)  # long enough for another worker to come in, were it let in
        with self._turn:
            self._busy[name] -= 1
        return make.diagnosis(Action.NOOP)


def test_never_two_at_a_time_for_one_target_and_all_have_their_turn(house: House) -> None:
    house.brain = brain = OneAtATime()
    names = [f"web-{number}" for number in range(4)]
    for name in names:
        house.target(name)
    ids = [house.report(name, fault=fault) for name in names for fault in list(Fault)[:6]]
    house.start(workers=24)
    for incident_id in ids:
        house.ended(incident_id)
    assert brain.most == dict.fromkeys(names, 1)


def test_with_one_worker_critical_comes_first(house: House) -> None:
    house.brain = StubBrain(make.diagnosis(Action.NOOP))
    severities = [Severity.INFO, Severity.CRITICAL, Severity.WARNING]
    for severity in severities:
        house.target(severity)
        house.report(severity, severity=severity)
    house.start(workers=1)
    wait_until(lambda: house.store.incidents.list(Filter(open=True), 1, 0)[1] == 0, "all to end")
    assert [one.severity for one in house.brain.asked] == sorted(severities, key=list(Severity).index)


def test_a_target_that_rests_does_not_hold_up_another_one(house: House) -> None:
    house.target("flapping")
    house.target("web")
    house.start(workers=1)
    house.ended(house.report("flapping"))
    house.runtime.use("flapping", memory_bytes=120 * MIB)
    resting = house.report("flapping")
    house.sleeps(resting)
    assert house.ended(house.report("web")).status is Status.RESOLVED
    assert not house.now(resting).closed


# ---- what breaks


def test_a_stage_that_breaks_is_tried_again(house: House) -> None:
    house.target()
    house.brain.problems = [BrainUnavailable("timed out"), BrainUnavailable("timed out")]
    house.start()
    incident_id = house.report()
    house.in_time(lambda: house.now(incident_id).closed, "it to be healed")
    assert house.now(incident_id).status is Status.RESOLVED
    assert house.kinds(incident_id).count(EventType.STAGE_FAILED) == 2
    assert len(house.brain.asked) == 3


def test_a_stage_that_breaks_every_time_is_given_up_with_growing_pauses(house: House) -> None:
    house.target()
    house.brain.problems = [BrainUnavailable(f"timed out {number}") for number in range(100)]
    house.start()
    incident_id = house.report()
    house.in_time(lambda: house.now(incident_id).closed, "it to be given up")
    failed = house.now(incident_id)
    assert failed.status is Status.FAILED
    assert failed.error == f"Given up after {MOST_STUMBLES} tries to diagnose: timed out {MOST_STUMBLES - 1}"
    assert len(house.brain.asked) == MOST_STUMBLES
    broke = [event for event in house.happened(incident_id) if event.type is EventType.STAGE_FAILED]
    pauses = [round((datetime.fromisoformat(one.data["until"]) - one.at).total_seconds()) for one in broke]
    assert pauses == [1, 2, 4, 8, 16]


class RuntimeStopped:
    """A brain that only stands for any stage whose runtime is not there for a while."""

    def __init__(self, tries: int) -> None:
        self.tries = tries

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        if self.tries:
            self.tries -= 1
            raise RuntimeAway("inspecting web: Connection refused")
        return make.diagnosis()


def test_a_runtime_that_is_upgraded_for_minutes_is_waited_for(house: House) -> None:
    house.target()
    house.brain = RuntimeStopped(tries=40)
    house.start()
    incident_id = house.report()
    house.in_time(lambda: house.now(incident_id).closed, "it to be healed")
    assert house.now(incident_id).status is Status.RESOLVED
    broke = [event for event in house.happened(incident_id) if event.type is EventType.STAGE_FAILED]
    pauses = [round((datetime.fromisoformat(one.data["until"]) - one.at).total_seconds()) for one in broke]
    assert pauses[:6] == [1, 2, 4, 8, 15, 15]


def test_a_runtime_that_never_comes_back_is_given_up(house: House) -> None:
    house.target()
    house.brain = RuntimeStopped(tries=1000)
    house.start()
    incident_id = house.report()
    house.in_time(lambda: house.now(incident_id).closed, "it to be given up")
    assert str(house.now(incident_id).error).startswith(f"Given up after {MOST_ABSENCES} tries to diagnose")


class Buggy:
    """A brain with a bug that shows with one target only."""

    def __init__(self, target: str) -> None:
        self._target = target

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        if evidence.target and evidence.target.ref.name == self._target:
            raise ValueError("a secret that stood in the data")
        return make.diagnosis()


def test_a_bug_in_a_stage_ends_its_own_incident_and_no_other(house: House) -> None:
    house.brain = Buggy("bad")
    for name in ("bad", "web", "db"):
        house.target(name)
    bad, *others = [house.report(name) for name in ("bad", "web", "db")]
    house.start(workers=1)
    for incident_id in others:
        assert house.ended(incident_id).status is Status.RESOLVED
    house.in_time(lambda: house.now(bad).closed, "the bad one to be given up")
    assert house.now(bad).error == f"Given up after {MOST_STUMBLES} tries to diagnose: ValueError in diagnose"


def test_a_lost_reply_does_not_restart_twice(house: House) -> None:
    house.target()
    house.runtime.lost_replies.append(RuntimeUnavailable("the connection was reset"))
    house.start()
    incident_id = house.report()
    house.in_time(lambda: house.now(incident_id).closed, "it to be healed")
    assert house.now(incident_id).status is Status.RESOLVED
    assert house.runtime.starts("web") == 2


class BugError(Exception):
    """What a mistake in making the notices would raise."""


def test_an_incident_that_cannot_be_written_is_left_to_the_next_start_and_does_not_spin(house: House) -> None:
    tried: list[str] = []

    def broken(before: Incident | None, after: Incident) -> list[tuple[str, Notice]]:
        if after.target == "bad" and before is not None:
            tried.append(after.status)
            raise BugError
        return []

    house.target("bad")
    bad = house.report("bad")
    house.store.routes.append(broken)
    house.start(workers=1)
    wait_until(lambda: len(tried) >= 2, "the bad one to be tried")
    for name in ("web", "db"):
        house.target(name)
        assert house.ended(house.report(name)).status is Status.RESOLVED, "the only worker is free again"
    assert tried == [Status.ANALYZING, Status.RECEIVED], "the stage, and that it broke"
    assert house.now(bad).status is Status.RECEIVED
    house.stop()
    house.store.routes.remove(broken)
    house.start()
    assert house.ended(bad).status is Status.RESOLVED


def test_an_incident_that_cannot_be_read_holds_up_no_other(house: House) -> None:
    for name in ("bad", "web"):
        house.target(name)
    bad = house.report("bad")
    whole = house.store.tamper("SELECT state FROM incidents WHERE id = :id", {"id": bad})[0][0]
    house.store.tamper("UPDATE incidents SET state = '{}' WHERE id = :id", {"id": bad})
    house.start()
    assert house.ended(house.report("web")).status is Status.RESOLVED
    house.store.tamper("UPDATE incidents SET state = :state WHERE id = :id", {"id": bad, "state": whole})
    house.agents[0].nudge()
    assert house.ended(bad).status is Status.RESOLVED


def test_who_was_overtaken_by_another_agent_leaves_the_incident_alone(house: House) -> None:
    house.brain = Blocking()
    house.target()
    house.start()
    incident_id = house.report()
    assert house.brain.asked.wait(10)
    claims: Sequence[Claim] = ()
    while not claims:  # the dispatcher may be looking just now, and be quicker
        house.queue.recover()  # as another agent does that believes this one to be dead
        claims = house.queue.claim(1, house.clock())
    (other,) = claims
    with capture_logs() as said:
        house.brain.answer.set()
        house.target("db")
        assert house.ended(house.report("db")).status is Status.RESOLVED
        wait_until(lambda: said, "it to be noticed")
    assert {(one["log_level"], one["incident"]) for one in said} == {("warning", incident_id)}, "nothing is broken"
    assert EventType.DIAGNOSED not in house.kinds(incident_id)
    assert house.runtime.starts("web") == 1
    assert house.events.append(other, [make.failed()], house.clock()).incident.closed


# ---- stopped and started again


class Blocking:
    """A brain that does not answer before it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        self.asked.set()
        assert self.answer.wait(60)
        return make.diagnosis()


def test_stopping_in_the_middle_leaves_everything_to_be_finished_by_the_next_one(house: House) -> None:
    house.brain = Blocking()
    names = [f"web-{number}" for number in range(6)]
    for name in names:
        house.target(name)
    ids = [house.report(name) for name in names]
    house.start(workers=3)
    assert house.brain.asked.wait(10)
    stopping = threading.Thread(target=house.stop)
    stopping.start()
    wait_until(house.tools.stopping.is_set, "the agent to be told")
    house.brain.answer.set()
    stopping.join(30)
    assert not stopping.is_alive()
    assert not any(house.now(incident_id).closed for incident_id in ids)
    assert house.held() == 0
    house.start()
    for incident_id in ids:
        assert house.ended(incident_id).status is Status.RESOLVED
    assert {house.runtime.starts(name) for name in names} == {2}


def test_stopping_while_it_verifies_does_not_wait_for_the_verdict_nor_act_again(house: House) -> None:
    house.target()
    slow = Verification(attempts=5, wait_seconds=600.0, most_wait_seconds=600.0, stability_seconds=30.0)
    house.start(verification=slow)
    incident_id = house.report()
    wait_until(lambda: house.now(incident_id).status is Status.VERIFYING, "it to be verified")
    house.stop()
    assert house.now(incident_id).status is Status.VERIFYING
    assert house.held() == 0
    house.clock.advance(60)
    house.start()
    assert house.ended(incident_id).status is Status.RESOLVED
    assert house.runtime.starts("web") == 2


def test_an_agent_with_nothing_to_do_stops_at_once(house: House) -> None:
    house.queue = diary = Diary(house.store.queue)
    house.start()
    wait_until(lambda: len(diary.asked) >= 2, "it to find nothing to do")
    stopping = threading.Thread(target=house.stop)
    stopping.start()
    stopping.join(module.IDLE_SECONDS / 2)
    assert not stopping.is_alive()


def test_an_agent_that_was_stopped_takes_up_nothing_more(house: House) -> None:
    house.target()
    house.start()
    house.stop()
    incident_id = house.report()
    assert house.held() == 0
    assert house.now(incident_id).status is Status.RECEIVED


def test_an_agent_that_was_never_started_can_be_stopped(house: House) -> None:
    house.start().stop()
    Responder(house.tools, house.events, house.queue, 1, lambda *_: None).stop()


# ---- the store is away


class Away:
    """An event log or a queue that is away for the next `times` calls of one method."""

    def __init__(self, real: Any, method: str, times: int) -> None:
        self._real, self._method, self.times = real, method, times

    def __getattr__(self, name: str) -> Any:
        return self._call if name == self._method else getattr(self._real, name)

    def _call(self, *given: Any) -> Any:
        if self.times > 0:
            self.times -= 1
            raise StoreUnavailable("writing to the store: database is locked")
        return getattr(self._real, self._method)(*given)


@pytest.mark.parametrize("method", ["claim", "release", "next_wake"])
def test_a_queue_that_is_away_for_a_moment_is_waited_for(house: House, method: str) -> None:
    house.queue = away = Away(house.store.queue, method, 3)
    house.target()
    house.start()
    incident_id = house.report()
    assert house.ended(incident_id).status is Status.RESOLVED
    wait_until(lambda: away.times == 0 and not house.held(), "it to be given back")


def test_what_happened_while_the_store_was_away_is_written_when_it_is_back(house: House) -> None:
    class AwayAfterTheEffect(Away):
        def append(self, claim: Claim, drafts: Sequence[Draft], at: datetime) -> Claim:
            if drafts[0].type is EventType.ACTION_EXECUTED and self.times > 0:
                self.times -= 1
                raise StoreUnavailable
            return house.store.events.append(claim, drafts, at)

    house.events = away = AwayAfterTheEffect(house.store.events, "", 5)
    house.target()
    house.start()
    incident_id = house.report()
    assert house.ended(incident_id).status is Status.RESOLVED
    assert away.times == 0
    assert house.runtime.starts("web") == 2
    assert house.kinds(incident_id).count(EventType.ACTION_EXECUTED) == 1


def test_an_agent_that_waits_for_its_store_can_be_stopped_and_the_next_one_observes_first(house: House) -> None:
    house.events = away = Away(house.store.events, "append", 0)
    house.target()
    house.brain = Blocking()
    house.start()
    incident_id = house.report()
    assert house.brain.asked.wait(10)
    away.times = 10**9
    house.brain.answer.set()
    wait_until(lambda: away.times < 10**9 - 2, "it to wait for the store")
    house.stop()
    assert house.now(incident_id).status is Status.ANALYZING
    away.times = 0
    house.start()
    assert house.ended(incident_id).status is Status.RESOLVED
    assert house.runtime.starts("web") == 2


# ---- nothing wakes unseen


class Diary:
    """A queue that notes what it is asked, and as of when."""

    def __init__(self, real: WorkQueue) -> None:
        self._real = real
        self.asked: list[tuple[str, datetime]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def claim(self, limit: int, now: datetime) -> Sequence[Claim]:
        self.asked.append(("claim", now))
        return self._real.claim(limit, now)

    def next_wake(self, now: datetime) -> datetime | None:
        self.asked.append(("next_wake", now))
        return self._real.next_wake(now)


def test_what_wakes_between_two_questions_to_the_queue_is_not_overslept(house: House) -> None:
    """Both are asked as of the same moment: what the first did not hand out yet, the second tells of."""
    house.queue = diary = Diary(house.store.queue)
    house.start()
    wait_until(lambda: len(diary.asked) >= 2, "the queue to be asked")
    house.stop()
    (claim, claimed_at), (wake, waked_at) = diary.asked[:2]
    assert (claim, wake) == ("claim", "next_wake")
    assert claimed_at == waked_at
