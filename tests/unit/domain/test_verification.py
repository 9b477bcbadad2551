"""Healed or not: every condition by itself, and what only time can tell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health, Limits, RunState, TargetState, Usage
from aegis_core.domain.verification import Expectation, Judgement, Observation, Probe, judge
from tests.examples import NOON, later, state

BEFORE = state(started_at=later(-3600), restart_count=4)
ANSWERS = Probe(status=200, seconds=0.01)


def after(**known: Any) -> TargetState:
    """A look 15 s after a restart that went well."""
    return state(**{"at": later(15), "started_at": later(1), "usage": used(memory=20.0, cpu=5.0), **known})


def used(memory: float | None, cpu: float | None) -> Usage:
    return Usage(at=later(15), memory_bytes=1, memory_percent=memory, cpu_percent=cpu)


def judged(
    seen: TargetState | None, fault: Fault = Fault.MEMORY_PRESSURE, action: Action = Action.RESTART, **look: Any
) -> Judgement:
    expected = Expectation(fault=fault, action=action, since=NOON)
    return judge(BEFORE, Observation(state=seen, **look), expected)


def failing(judgement: Judgement) -> list[str]:
    return [one.name for one in judgement.conditions if not one.holds]


def test_all_conditions_together_are_health() -> None:
    judgement = judged(after(health=Health.HEALTHY), probe=ANSWERS)
    assert judgement.healthy
    assert not judgement.pending
    assert judgement.failures == ()
    assert len(judgement.conditions) == 7


def test_a_target_that_is_gone_is_not_healthy() -> None:
    judgement = judged(None)
    assert failing(judgement) == ["exists"]
    assert not judgement.pending


def test_a_judgement_without_conditions_proves_nothing() -> None:
    assert not Judgement(conditions=()).healthy


@pytest.mark.parametrize("run", [run for run in RunState if run is not RunState.RUNNING])
def test_what_does_not_run_is_not_healthy(run: RunState) -> None:
    judgement = judged(after(run=run))
    assert "running" in failing(judgement)
    assert not judgement.pending


@pytest.mark.parametrize("run", [run for run in RunState if run is not RunState.RUNNING])
def test_what_does_not_run_is_not_stable_however_long_ago_it_was_started(run: RunState) -> None:
    judgement = judged(after(run=run, at=later(613), started_at=later(0)))
    assert "stable: not running" in judgement.failures


@pytest.mark.parametrize("started_at", [BEFORE.started_at, None])
def test_what_was_not_started_after_the_restart_is_not_healthy(started_at: object) -> None:
    assert "started after the action" in failing(judged(after(started_at=started_at)))


def test_without_a_restart_no_later_start_is_asked_for() -> None:
    assert judged(after(started_at=BEFORE.started_at, restart_count=4), action=Action.NOOP).healthy


@pytest.mark.parametrize(("health", "pending"), [(Health.UNHEALTHY, False), (Health.STARTING, True)])
def test_its_own_check_has_to_say_healthy_and_only_starting_is_waited_for(health: Health, pending: bool) -> None:
    judgement = judged(after(health=health))
    assert failing(judgement) == ["its own health check"]
    assert judgement.pending is pending


@pytest.mark.parametrize("status", [None, 204, 301, 404, 500])
def test_the_health_url_has_to_answer_200(status: int | None) -> None:
    judgement = judged(after(), probe=Probe(status=status, seconds=0.01))
    assert failing(judgement) == ["health URL answers 200"]
    assert not judgement.pending


def test_while_its_own_check_says_starting_a_silent_health_url_is_waited_for() -> None:
    judgement = judged(after(health=Health.STARTING), probe=Probe(status=None, seconds=0.01))
    assert set(failing(judgement)) == {"its own health check", "health URL answers 200"}
    assert judgement.pending


def test_too_short_a_time_up_is_waited_for() -> None:
    judgement = judged(after(started_at=later(5.1)))
    assert failing(judgement) == ["stable"]
    assert judgement.pending
    assert judged(after(started_at=later(5))).healthy


def test_a_crash_loop_that_runs_just_now_is_not_healthy_and_not_waited_for() -> None:
    judgement = judged(after(started_at=later(14), restart_count=1))
    assert set(failing(judgement)) == {"stable", "restart count unchanged"}
    assert not judgement.pending


@pytest.mark.parametrize(("count", "healthy"), [(4, True), (5, False)])
def test_without_a_restart_the_count_may_not_have_grown(count: int, healthy: bool) -> None:
    seen = after(started_at=BEFORE.started_at, restart_count=count)
    assert judged(seen, Fault.UNHEALTHY, Action.NOOP).healthy is healthy


def test_a_target_that_answers_200_while_its_memory_is_not_back_is_not_healed() -> None:
    judgement = judged(after(usage=used(memory=85.0, cpu=0.0)), probe=ANSWERS)
    assert failing(judgement) == ["memory_pressure is gone"]
    assert not judgement.pending
    assert judged(after(usage=used(memory=84.9, cpu=0.0)), probe=ANSWERS).healthy


def test_a_cpu_that_still_burns_is_not_healed() -> None:
    assert failing(judged(after(usage=used(None, 99.0)), Fault.CPU_SATURATION)) == ["cpu_saturation is gone"]
    assert judged(after(usage=used(None, 12.0)), Fault.CPU_SATURATION).healthy


@pytest.mark.parametrize("fault", [Fault.MEMORY_PRESSURE, Fault.CPU_SATURATION])
@pytest.mark.parametrize("usage", [None, used(None, None)])
def test_what_is_not_measured_yet_is_not_taken_for_gone_but_waited_for(fault: Fault, usage: Usage | None) -> None:
    judgement = judged(after(usage=usage, limits=Limits(memory_bytes=2**27)), fault)
    assert failing(judgement) == [f"{fault} is gone"]
    assert judgement.pending


@pytest.mark.parametrize("usage", [None, used(None, 5.0)])
def test_memory_without_a_limit_will_never_be_a_percentage_so_it_has_to_be_quiet(usage: Usage | None) -> None:
    assert judged(after(usage=usage), errors_since=0).healthy
    assert not judged(after(usage=usage), errors_since=0, signals_since=1).healthy
    assert not judged(after(usage=usage), action=Action.NOOP, errors_since=0).healthy
    assert not judged(after(usage=usage), errors_since=0, signals_since=1).pending, (
        "no worker waits for what never comes"
    )


def test_latency_is_measured_at_the_health_url() -> None:
    slow = judged(after(), Fault.LATENCY, probe=Probe(status=200, seconds=1.01))
    assert failing(slow) == ["health URL is quick"]
    assert judged(after(), Fault.LATENCY, probe=Probe(status=200, seconds=1.0)).healthy


def test_no_answer_is_not_a_quick_answer() -> None:
    assert "health URL is quick" in failing(judged(after(), Fault.LATENCY, probe=Probe(status=None, seconds=0.0)))


QUIET = [Fault.LATENCY, Fault.DISK_PRESSURE, Fault.CUSTOM, Fault.ERROR_LOGS]


@pytest.mark.parametrize("fault", QUIET)
def test_what_cannot_be_measured_has_to_be_quiet_after_an_action(fault: Fault) -> None:
    assert judged(after(), fault, errors_since=0).healthy
    assert not judged(after(), fault, errors_since=1).healthy
    assert not judged(after(), fault, errors_since=0, signals_since=1).healthy
    assert not judged(after(), fault, errors_since=None).healthy


@pytest.mark.parametrize("fault", QUIET)
def test_after_no_action_silence_proves_nothing_but_for_error_lines(fault: Fault) -> None:
    seen = after(started_at=BEFORE.started_at, restart_count=4)
    assert judged(seen, fault, Action.NOOP, errors_since=0).healthy is (fault is Fault.ERROR_LOGS)


@pytest.mark.parametrize("fault", QUIET)
def test_right_after_an_action_every_log_is_silent_so_it_has_to_last_for_the_stability_window(fault: Fault) -> None:
    early = judged(after(at=later(9.9), started_at=later(-20)), fault, errors_since=0)
    assert failing(early) == [f"{fault} is gone"]
    assert early.pending
    assert judged(after(at=later(10), started_at=later(-20)), fault, errors_since=0).healthy


def test_what_is_not_quiet_is_not_waited_for() -> None:
    for look in ({"errors_since": 1}, {"errors_since": 0, "signals_since": 1}, {"errors_since": None}):
        assert not judged(after(at=later(5), started_at=later(-20)), Fault.CUSTOM, **look).pending


@pytest.mark.parametrize("fault", QUIET)
@pytest.mark.parametrize("action", [Action.NOOP, Action.RESTART])
def test_what_nobody_can_measure_is_over_when_its_sender_says_so(fault: Fault, action: Action) -> None:
    before = state(started_at=later(-3600), restart_count=0)
    expected = Expectation(fault=fault, action=action, since=NOON)
    for look in ({"errors_since": 3}, {"errors_since": None}, {"signals_since": 2}):
        seen = Observation(state=after(), reported_over=True, **look)
        assert judge(before, seen, expected).healthy


@pytest.mark.parametrize(
    ("fault", "known"),
    [
        (Fault.MEMORY_PRESSURE, {"usage": used(memory=99.0, cpu=0.0)}),
        (Fault.CPU_SATURATION, {"usage": used(memory=0.0, cpu=99.0)}),
        (Fault.UNHEALTHY, {"health": Health.UNHEALTHY}),
        (Fault.CRASHED, {"run": RunState.EXITED}),
        (Fault.CUSTOM, {"run": RunState.EXITED}),
        (Fault.CUSTOM, {"health": Health.UNHEALTHY}),
    ],
)
def test_no_word_of_a_sender_makes_well_what_can_be_seen_to_be_ill(fault: Fault, known: dict[str, Any]) -> None:
    assert not judged(after(**known), fault, reported_over=True).healthy


def test_a_slow_target_is_not_quick_because_its_sender_says_that_it_is_over() -> None:
    slow = Probe(status=200, seconds=3.0)
    assert not judged(after(), Fault.LATENCY, reported_over=True, probe=slow).healthy


def test_a_target_that_nobody_knows_is_over_when_its_sender_says_so_and_nothing_was_done_to_it() -> None:
    expected = Expectation(fault=Fault.CUSTOM, action=Action.NOOP, since=NOON)
    over = judge(None, Observation(state=None, reported_over=True), expected)
    assert over.healthy
    assert not over.shows_running
    assert not judge(None, Observation(state=None), expected).healthy
    assert not judge(BEFORE, Observation(state=None, reported_over=True), expected).healthy, "it was there, and is gone"


@pytest.mark.parametrize("run", [RunState.EXITED, RunState.PAUSED])
def test_a_persons_stop_is_left_as_it_is(run: RunState) -> None:
    judgement = judged(after(run=run, stopped_by_person=True), Fault.CRASHED, Action.NOOP)
    assert judgement.healthy
    assert [one.name for one in judgement.conditions] == ["as a person left it"]


def test_a_persons_stop_after_a_restart_is_no_proof_of_health() -> None:
    assert not judged(after(run=RunState.EXITED, stopped_by_person=True)).healthy


def test_failures_say_what_was_seen() -> None:
    failures = judged(after(run=RunState.EXITED, usage=None)).failures
    assert "running: exited" in failures
    assert "memory_pressure is gone: log not read in 15 s, reported again 0×" in failures


STATES = st.builds(
    after,
    run=st.sampled_from(RunState),
    health=st.sampled_from(Health),
    started_at=st.none() | st.floats(-7200, 15).map(later),
    restart_count=st.integers(0, 9),
    stopped_by_person=st.booleans(),
    usage=st.none() | st.builds(used, memory=st.none() | st.floats(0, 300), cpu=st.none() | st.floats(0, 300)),
)


@given(
    seen=STATES,
    before=st.none() | STATES,
    fault=st.sampled_from(Fault),
    action=st.sampled_from(Action),
    probe=st.none() | st.builds(Probe, status=st.none() | st.integers(100, 599), seconds=st.floats(0, 9)),
    errors=st.none() | st.integers(0, 3),
)
def test_healthy_means_running_unless_a_person_stopped_it_and_never_healthy_and_pending(
    *, seen, before, fault, action, probe, errors
) -> None:
    expected = Expectation(fault=fault, action=action, since=NOON)
    judgement = judge(before, Observation(state=seen, probe=probe, errors_since=errors), expected)
    assert not (judgement.healthy and judgement.pending)
    if judgement.healthy and not (seen.stopped_by_person and action is Action.NOOP):
        assert seen.running
        assert seen.health in {Health.NONE, Health.HEALTHY}
        assert probe is None or probe.status == 200
        assert seen.started_at
        assert (seen.at - seen.started_at).total_seconds() >= expected.stability_seconds


# ---- what was changed


def scaled(**known: Any) -> Judgement:
    """More memory was given at NOON to a target that runs on."""
    more = Limits(memory_bytes=150 * 2**20)
    fields = {"at": later(10), "started_at": later(-3600), "limits": more}
    seen = state(**{**fields, **known})
    expected = Expectation(fault=Fault.UNHEALTHY, action=Action.SCALE_UP, since=NOON, goal=Goal(limits=more))
    return judge(state(), Observation(state=seen), expected)


def test_what_runs_on_with_more_has_to_be_well_for_the_whole_window_after_it_was_given() -> None:
    assert scaled().healthy
    early = scaled(at=later(9.9))
    assert not early.healthy
    assert early.pending, "only time can tell"


def test_limits_that_somebody_has_lowered_again_are_not_as_planned() -> None:
    assert scaled(limits=Limits(memory_bytes=100 * 2**20)).failures[0].startswith("SCALE_UP as planned")


def test_a_restart_by_its_policy_speaks_against_more() -> None:
    assert not scaled(restart_count=1).healthy


def rolled_back(**known: Any) -> Judgement:
    """It was in a crash loop; since NOON another release runs in its place."""
    fields = {"at": later(11), "started_at": later(1), "image_id": "sha256:1"}
    seen = state(**{**fields, **known})
    goal = Goal(image="shop:1", image_id="sha256:1")
    expected = Expectation(fault=Fault.CRASH_LOOP, action=Action.ROLLBACK, since=NOON, goal=goal)
    return judge(state(restart_count=20), Observation(state=seen), expected)


def test_a_release_that_was_gone_back_to_has_to_be_that_one_and_never_restarted() -> None:
    assert rolled_back().healthy
    assert not rolled_back(image_id="sha256:2").healthy
    assert not rolled_back(restart_count=1).healthy, "that the old one was restarted 20 times allows it nothing"
    assert not rolled_back(started_at=later(-7200)).healthy
