"""Looking until it is proven healthy, and what follows when it is not."""

from dataclasses import replace
from datetime import datetime

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.impact import Tier
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.policy import History
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health, TargetRef, TargetState
from aegis_core.domain.verification import Probe
from aegis_core.errors import Interrupted, RuntimeUnavailable
from aegis_core.pipeline import verify as module
from aegis_core.pipeline.tools import Verification
from aegis_core.pipeline.verify import verify
from aegis_core.testing import FakeRuntime, StubProber
from tests import examples as make

from .scene import MIB, NAME, QUICK, Scene, kinds

URL = "http://127.0.0.1:8000/health"


def acted(scene: Scene, fault: Fault = Fault.MEMORY_PRESSURE, seconds: float = 15.0) -> Incident:
    """It was restarted, `seconds` ago."""
    before = scene.state()
    steps = [make.gathered(before), make.diagnosed(), make.decided(), make.intended(before, at=scene.clock())]
    incident = scene.incident(*steps, fault=fault)
    scene.incidents.past = History(attempts=(scene.clock(),), last_action_at=scene.clock())
    scene.runtime.apply(Action.RESTART, before)
    incident = scene.after(incident, [make.executed()])
    scene.clock.advance(seconds)
    return incident


def untouched(scene: Scene, fault: Fault = Fault.UNHEALTHY) -> Incident:
    """Nothing was done about it."""
    noop = make.decision(action=Action.NOOP)
    before = make.gathered(scene.state())
    steps = [before, make.diagnosed(make.diagnosis(Action.NOOP)), make.decided(noop), make.executed(Action.NOOP)]
    return scene.incident(*steps, fault=fault)


def verified(scene: Scene, incident: Incident) -> Incident:
    drafts = verify(incident, scene.tools)
    assert kinds(drafts)[0] is EventType.VERIFIED
    return scene.after(incident, drafts)


class Slow(FakeRuntime):
    """A runtime in which `seconds` go by between two looks."""

    seconds = 4.0
    looks = 0

    def observe(self, target: TargetRef) -> TargetState:
        self.looks += 1
        self._clock.advance(self.seconds)
        self.happen()
        return super().observe(target)

    def happen(self) -> None:
        """What the target does in the meantime."""


# ---- healthy


def test_what_is_healthy_again_is_resolved_with_what_that_saved() -> None:
    scene = Scene(labels={**make.LABELS, "aegis.tier": "important"})
    after = verified(scene, acted(scene))
    assert after.status is Status.RESOLVED
    assert after.healed
    assert after.impact
    assert after.impact.tier is Tier.IMPORTANT
    assert 15 / 60 <= after.impact.measured_minutes < 16 / 60


def test_what_got_well_by_itself_is_resolved_and_saved_nothing() -> None:
    scene = Scene()
    scene.runtime.turn(NAME, Health.HEALTHY)
    scene.clock.advance(60)
    after = verified(scene, untouched(scene))
    assert (after.status, after.impact, after.healed) == (Status.RESOLVED, None, False)


def test_what_a_person_stopped_is_resolved_as_it_is_and_proves_and_saves_nothing() -> None:
    scene = Scene()
    scene.runtime.end(NAME, 0, by_person=True)
    after = verified(scene, untouched(scene, Fault.CRASHED))
    assert (after.status, after.proven, after.impact) == (Status.RESOLVED, False, None)


def test_what_a_person_stopped_after_an_attempt_in_vain_was_not_healed() -> None:
    scene = Scene()
    in_vain = [make.verified(healthy=False), make.rested(make.later(60))]
    left = [make.gathered(), make.diagnosed(), make.decided(make.decision(action=Action.NOOP))]
    incident = scene.after(acted(scene), [*in_vain, *left, make.executed(Action.NOOP)])
    scene.runtime.end(NAME, 0, by_person=True)
    after = verified(scene, incident)
    assert (after.status, after.attempts) == (Status.RESOLVED, 1)
    assert (after.healed, after.impact) == (False, None)


def test_the_stability_window_is_waited_for() -> None:
    """Right after a restart everything is well, and only time can tell whether it stays so."""
    scene = Scene()
    scene.use(verification=Verification(attempts=2, wait_seconds=0.0, stability_seconds=10.0))
    incident = acted(scene, seconds=0.0)
    scene.runtime.__class__ = Slow
    assert verified(scene, incident).status is Status.RESOLVED
    assert scene.runtime.looks == 3, "one more than the attempts, because nothing spoke against it"


class StartsSlowly(Slow):
    """Its own check says starting for a while."""

    def happen(self) -> None:
        if self.looks == 12:
            self.turn(NAME, Health.HEALTHY)


def test_a_target_whose_own_check_takes_long_is_given_its_time() -> None:
    scene = Scene(health=Health.HEALTHY)
    scene.use(verification=Verification(attempts=2, wait_seconds=0.0))
    incident = acted(scene)
    scene.runtime.turn(NAME, Health.STARTING)
    scene.runtime.__class__ = StartsSlowly
    assert verified(scene, incident).status is Status.RESOLVED
    assert scene.runtime.looks == 12


def test_but_not_for_ever() -> None:
    scene = Scene(health=Health.HEALTHY)
    scene.use(verification=Verification(attempts=2, wait_seconds=0.01, limit_seconds=0.1))
    incident = acted(scene)
    scene.runtime.turn(NAME, Health.STARTING)
    after = verified(scene, incident)
    assert after.status is Status.ANALYZING
    assert "its own health check: starting" in after.tried[0]


def test_a_service_whose_tasks_are_replaced_in_turn_is_given_as_long_as_that_takes() -> None:
    scene = Scene(health=Health.HEALTHY, rollout_seconds=60.0)
    scene.use(verification=Verification(attempts=2, wait_seconds=0.0, limit_seconds=0.0))
    incident = acted(scene)
    scene.runtime.turn(NAME, Health.STARTING)
    scene.runtime.__class__ = StartsSlowly
    assert verified(scene, incident).status is Status.RESOLVED


class Recovers(Slow):
    """The health URL answers from the third look on."""

    prober: StubProber

    def happen(self) -> None:
        self.prober.answer = StubProber(status=200 if self.looks >= 3 else None).answer


@pytest.mark.parametrize(("attempts", "status"), [(2, Status.ANALYZING), (3, Status.RESOLVED)])
def test_a_health_url_is_tried_as_often_as_the_settings_say(attempts: int, status: Status) -> None:
    scene = Scene(health_url=URL)
    scene.use(verification=Verification(attempts=attempts, wait_seconds=0.0))
    incident = acted(scene)
    scene.runtime.__class__ = Recovers
    scene.runtime.prober = scene.prober
    assert verified(scene, incident).status is status
    assert scene.prober.asked == [URL] * attempts


def test_the_pauses_between_two_looks_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(health_url=URL)
    scene.prober.answer = StubProber(status=500).answer
    scene.use(verification=Verification(attempts=5, wait_seconds=1.0, wait_factor=1.5, most_wait_seconds=3.0))
    pauses: list[float] = []
    monkeypatch.setattr(type(scene.tools), "wait", lambda _, seconds: pauses.append(seconds))
    verified(scene, acted(scene))
    assert pauses == [1.0, 1.5, 2.25, 3.0]


class Answers(StubProber):
    """A health URL that answers differently each time; the last answer stays."""

    def __init__(self, *answers: Probe) -> None:
        super().__init__()
        self.answers = list(answers)

    def probe(self, url: str) -> Probe:
        self.answer = self.answers.pop(0) if self.answers else self.answer
        return super().probe(url)


GOOD = Probe(status=200, seconds=0.01)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ((GOOD,), Status.RESOLVED),
        ((GOOD, GOOD, Probe(status=200, seconds=1.5), GOOD), Status.ANALYZING),
        ((GOOD, GOOD, Probe(status=500, seconds=0.001), GOOD), Status.ANALYZING),
        ((GOOD, GOOD, Probe(status=None, seconds=0.0), GOOD), Status.ANALYZING),
    ],
)
def test_of_a_slow_target_the_worst_of_many_answers_counts(
    answers: tuple[Probe, ...], status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is slow because of a lock lets a request through every now and then."""
    monkeypatch.setattr(module, "LATENCY_PAUSE", 0.0)
    scene = Scene(health_url=URL)
    scene.use(prober=Answers(*answers), verification=replace(QUICK, attempts=1))
    assert verified(scene, acted(scene, Fault.LATENCY)).status is status


def test_where_speed_is_not_the_trouble_one_answer_is_enough() -> None:
    scene = Scene(health_url=URL)
    verified(scene, acted(scene))
    assert scene.prober.asked == [URL]


# ---- not healthy


def in_vain(scene: Scene, *ago: float, fault: Fault = Fault.MEMORY_PRESSURE) -> Incident:
    """The memory is not back after the restart; attempts were begun so many seconds ago."""
    incident = acted(scene, fault)
    now = scene.clock()
    attempts = tuple(now - (make.later(seconds) - make.NOON) for seconds in ago)
    scene.incidents.past = History(attempts=attempts, last_action_at=attempts[-1])
    scene.runtime.use(NAME, memory_bytes=125 * MIB)
    return incident


def test_what_is_not_healthy_rests_and_begins_anew() -> None:
    scene = Scene()
    scene.use(verification=QUICK)
    incident = in_vain(scene, 20)
    after = verified(scene, incident)
    assert (after.status, after.evidence, after.intent) == (Status.ANALYZING, None, None)
    assert "memory_pressure is gone: 98 %" in after.tried[0]


@pytest.mark.parametrize(("ago", "pause"), [((20,), 60), ((300, 20), 120)])
def test_the_pause_before_the_next_attempt_grows(ago: tuple[float, ...], pause: float) -> None:
    scene = Scene()
    incident = in_vain(scene, *ago)
    until = verified(scene, incident).wake_at
    assert isinstance(until, datetime)
    assert scene.incidents.past.last_action_at
    assert (until - scene.incidents.past.last_action_at).total_seconds() == pause


def test_the_third_failure_in_a_row_is_the_last() -> None:
    scene = Scene()
    after = verified(scene, in_vain(scene, 400, 300, 20))
    assert after.status is Status.FAILED
    assert "RESTART did not help, 3 times in a row" in (after.error or "")
    assert "memory_pressure is gone" in (after.error or "")


def test_three_failures_over_hours_are_no_row() -> None:
    scene = Scene()
    assert verified(scene, in_vain(scene, 7200, 3600, 20)).status is Status.ANALYZING


def test_a_target_that_is_gone_after_the_action_is_not_healed() -> None:
    scene = Scene()
    incident = acted(scene)
    scene.runtime.remove(NAME)
    assert "the target is gone" in verified(scene, incident).tried[0]


def test_another_target_under_the_same_name_is_not_taken_for_the_healed_one() -> None:
    scene = Scene()
    incident = acted(scene)
    scene.runtime.add(NAME, labels=make.LABELS)
    scene.clock.advance(60)
    assert verified(scene, incident).status is Status.ANALYZING


def test_where_nothing_can_be_done_it_ends_with_the_cause_for_a_person() -> None:
    scene = Scene()
    scene.clock.advance(60)
    after = verified(scene, untouched(scene, Fault.DISK_PRESSURE))
    assert after.status is Status.FAILED
    assert (after.error or "").startswith("A cache grows without bound. Nothing that Aegis may do mends this (")


@pytest.mark.parametrize("cause", ["The disk is full", "The disk is full.", "The disk is full: 14 of 16 MiB used "])
def test_the_cause_and_what_follows_from_it_are_two_sentences(cause: str) -> None:
    scene = Scene()
    scene.clock.advance(60)
    noop = make.diagnosis(Action.NOOP).model_copy(update={"root_cause": cause})
    steps = [make.gathered(scene.state()), make.diagnosed(noop), make.decided(make.decision(action=Action.NOOP))]
    incident = scene.incident(*steps, make.executed(Action.NOOP), fault=Fault.DISK_PRESSURE)
    error = verified(scene, incident).error or ""
    assert error.startswith(f"{cause.strip(' .')}. Nothing that Aegis may do mends this (")


# ---- what is not measured


def test_error_lines_after_the_action_speak_against_health_and_those_before_do_not() -> None:
    scene = Scene()
    scene.runtime.say(NAME, "ERROR before")
    incident = acted(scene, Fault.ERROR_LOGS)
    assert verified(scene, incident).status is Status.RESOLVED
    scene.runtime.say(NAME, "ERROR after")
    assert verified(scene, incident).status is Status.ANALYZING


def test_the_same_symptom_reported_again_after_the_action_speaks_against_health() -> None:
    scene = Scene()
    incident = acted(scene, Fault.CUSTOM)
    assert verified(scene, incident).status is Status.RESOLVED
    scene.after(incident, [make.joined(target=NAME, fault=Fault.CUSTOM)])
    assert verified(scene, incident).status is Status.ANALYZING


class Mute(FakeRuntime):
    """A runtime whose logs cannot be read."""

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> list[str]:
        raise RuntimeUnavailable


def test_a_log_that_cannot_be_read_is_not_taken_for_a_quiet_one() -> None:
    scene = Scene()
    incident = acted(scene, Fault.ERROR_LOGS)
    scene.runtime.__class__ = Mute
    assert "log not read" in verified(scene, incident).tried[0]


def test_a_target_that_does_not_run_is_not_probed() -> None:
    scene = Scene(health_url=URL)
    incident = acted(scene)
    scene.runtime.end(NAME, 1)
    assert "running: exited" in verified(scene, incident).tried[0]
    assert scene.prober.asked == []


# ---- the target's own measure


def test_the_owners_own_threshold_is_what_memory_has_to_come_below() -> None:
    scene = Scene(labels={**make.LABELS, "aegis.memory_percent": "50"})
    incident = acted(scene)
    scene.runtime.use(NAME, memory_bytes=80 * MIB)  # 62 %
    assert "memory_pressure is gone: 62 % (limit 50 %)" in verified(scene, incident).tried[0]


def test_the_owners_own_words_are_what_the_log_has_to_be_free_of() -> None:
    scene = Scene(labels={**make.LABELS, "aegis.log_pattern": "order rejected"})
    incident = acted(scene, Fault.ERROR_LOGS)
    scene.runtime.say(NAME, "ERROR that its owner does not care for")
    assert verified(scene, incident).status is Status.RESOLVED
    scene.runtime.say(NAME, "Order rejected")
    assert "1 error lines" in verified(scene, incident).tried[0]


@pytest.mark.parametrize(("seconds", "status"), [(15.0, Status.ANALYZING), (31.0, Status.RESOLVED)])
def test_what_dies_every_twenty_seconds_has_to_outlast_that_by_half(seconds: float, status: Status) -> None:
    scene = Scene()
    before = scene.state()
    steps = [make.gathered(before), make.diagnosed(), make.decided(), make.intended(before, at=scene.clock())]
    incident = scene.incident(*steps, fault=Fault.CRASH_LOOP, metrics={"deaths": 3.0, "lasted_seconds": 20.0})
    scene.runtime.apply(Action.RESTART, before)
    incident = scene.after(incident, [make.executed()])
    scene.clock.advance(seconds)
    assert verified(scene, incident).status is status


# ---- seemed to be over


def seems_over(scene: Scene, fault: Fault, **signal: object) -> Incident:
    """Nothing was done, because the symptom had gone away."""
    well = make.diagnosis(Action.NOOP, category=Category.HEALTHY)
    steps = [make.gathered(scene.state()), make.diagnosed(well), make.decided(make.decision(action=Action.NOOP))]
    return scene.incident(*steps, make.executed(Action.NOOP), fault=fault, **signal)


def test_what_seemed_to_be_over_and_is_not_is_looked_at_in_earnest() -> None:
    scene = Scene()
    incident = seems_over(scene, Fault.MEMORY_PRESSURE)
    scene.runtime.use(NAME, memory_bytes=120 * MIB)
    scene.clock.advance(15)
    after = verified(scene, incident)
    assert (after.status, after.evidence, after.diagnosis) == (Status.ANALYZING, None, None)
    assert after.wake_at
    assert after.wake_at <= scene.clock(), "at once"
    assert "memory_pressure is gone: 94 %" in after.tried[0]


def test_what_is_taken_for_over_a_second_time_and_is_not_goes_to_a_person() -> None:
    scene = Scene()
    incident = scene.after(seems_over(scene, Fault.MEMORY_PRESSURE), [make.verified(healthy=False)])
    scene.runtime.use(NAME, memory_bytes=120 * MIB)
    scene.clock.advance(15)
    assert verified(scene, incident).status is Status.FAILED


def test_what_runs_again_by_itself_has_to_run_for_the_stability_window() -> None:
    scene = Scene()
    scene.runtime.end(NAME, 1)
    incident = seems_over(scene, Fault.CRASHED)
    scene.runtime.start(NAME)
    scene.clock.advance(3)
    assert "stable: up for" in verified(scene, incident).tried[0]
    scene.clock.advance(10)
    assert verified(scene, incident).status is Status.RESOLVED


def test_what_its_sender_has_taken_back_is_over_where_nobody_can_measure_it() -> None:
    scene = Scene()
    scene.clock.advance(60)
    incident = seems_over(scene, Fault.CUSTOM)
    assert verified(scene, incident).status is Status.ANALYZING
    cleared = scene.after(incident, [Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)])
    assert verified(scene, cleared).status is Status.RESOLVED


def test_what_its_sender_has_taken_back_is_not_over_where_it_can_be_measured() -> None:
    scene = Scene()
    scene.clock.advance(60)
    incident = scene.after(
        seems_over(scene, Fault.MEMORY_PRESSURE), [Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)]
    )
    scene.runtime.use(NAME, memory_bytes=120 * MIB)
    assert verified(scene, incident).status is Status.ANALYZING


def test_a_target_that_is_gone_is_over_when_its_sender_says_so() -> None:
    """Nobody knows a target of this name; whoever reported it takes it back."""
    scene = Scene()
    steps = [make.gathered(None), make.diagnosed(make.diagnosis(Action.NOOP, category=Category.HEALTHY))]
    incident = scene.incident(*steps, make.decided(make.decision(action=Action.NOOP)), make.executed(Action.NOOP))
    incident = incident.model_copy(update={"evidence": incident.evidence.model_copy(update={"target": None})})
    scene.runtime.remove(NAME)
    assert verified(scene, incident).status is Status.ANALYZING
    cleared = scene.after(incident, [Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)])
    after = verified(scene, cleared)
    assert (after.status, after.proven, after.impact) == (Status.RESOLVED, False, None)


# ---- breaks


def test_a_runtime_that_does_not_answer_is_no_judgement() -> None:
    scene = Scene()
    incident = acted(scene)
    scene.runtime.failures.append(RuntimeUnavailable())
    with pytest.raises(RuntimeUnavailable):
        verify(incident, scene.tools)


def test_an_agent_that_is_told_to_stop_leaves_the_verification_to_the_next_one() -> None:
    scene = Scene()
    scene.use(verification=Verification(wait_seconds=60.0))
    incident = in_vain(scene, 20)
    scene.tools.stopping.set()
    with pytest.raises(Interrupted):
        verify(incident, scene.tools)


def test_without_an_action_there_is_nothing_to_verify() -> None:
    scene = Scene()
    assert verify(scene.incident(make.gathered()), scene.tools) == ()
