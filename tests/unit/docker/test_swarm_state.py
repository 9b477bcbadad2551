"""What Swarm says of a service and its tasks, as a target: what it mends by itself, and what it has given up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from aegis_core.adapters.docker.swarm_state import from_listing, to_state
from aegis_core.domain.symptom import loop_of, symptom_of
from aegis_core.domain.target import Health, Limits, RunState, TargetRef, TargetState
from tests import examples as make

from .swarm_says import NOON, SERVICE, service, spec, task

CODE_7 = {"code": 7, "error": "task: non-zero exit (7)"}


def seen(
    one: dict[str, Any], *tasks: dict[str, Any], seconds: float = 60.0, restarts: int = 0, **own: TargetState
) -> TargetState:
    known: Mapping[str, TargetState] = {name.replace("_", "-"): state for name, state in own.items()}
    return to_state(one, tasks, known, NOON + timedelta(seconds=seconds), restarts)


def container(**known: Any) -> TargetState:
    return make.state(name="shop.1.x", id="c", **known)


def stands(state: TargetState) -> tuple[RunState, Health]:
    return state.run, state.health


def test_a_service_is_described_by_its_spec() -> None:
    state = seen(service(), task())
    assert state.ref == TargetRef(name="shop", id=SERVICE)
    assert (state.image, state.replicas, state.stop_timeout, state.restart_policy) == ("shop:1", 1, 2.0, "any")
    assert state.limits == Limits(memory_bytes=64 * 2**20, cpus=0.5)
    assert (state.env_keys, dict(state.labels)) == (("TOKEN",), {"aegis.enable": "true"})
    assert state.rollout_seconds == pytest.approx(13), "one turn: a second of watching, two to stop, ten to start"


def test_with_as_many_tasks_as_wanted_it_runs_since_the_youngest_of_them_does() -> None:
    two = spec(replicas=2)
    state = seen(service(two), task(since=1, of=two), task(since=5, of=two, slot=2, number=2))
    assert stands(state) == (RunState.RUNNING, Health.NONE)
    assert state.started_at
    assert (state.started_at - NOON).total_seconds() == 5
    assert symptom_of(state) is None


def test_its_health_is_that_of_its_containers() -> None:
    assert seen(service(), task(), container_1=container(health=Health.HEALTHY)).health is Health.HEALTHY
    ill = seen(service(), task(), container_1=container(health=Health.UNHEALTHY))
    assert ill.health is Health.STARTING, "Swarm is about to replace it"
    checked = spec(container={"Healthcheck": {"Test": ["CMD", "true"]}})
    assert seen(service(checked), task(of=checked)).health is Health.HEALTHY, (
        "on another node: a task that runs is well"
    )


def test_nothing_wanted_was_a_persons_wish() -> None:
    none = spec(replicas=0)
    state = seen(service(none), task("shutdown", of=none))
    assert (state.run, state.stopped_by_person) == (RunState.EXITED, True)
    ending = seen(service(none), task(of=none, desired="shutdown"))
    assert (ending.run, ending.stopped_by_person) == (RunState.RUNNING, True), "its end was asked for"
    assert symptom_of(state) is None


@pytest.mark.parametrize("update", ["updating", "rollback_started"])
def test_what_is_being_carried_out_is_starting_whatever_runs(update: str) -> None:
    assert stands(seen(service(update=update), task())) == (RunState.RUNNING, Health.STARTING)
    assert stands(seen(service(update=update))) == (RunState.RUNNING, Health.STARTING)


def test_a_change_that_was_only_taken_is_not_carried_out_yet() -> None:
    """Between the call and the beginning of the update the former tasks run, and nothing says that they will not."""
    after = seen(service(spec(forced=1)), task())
    assert stands(after) == (RunState.RUNNING, Health.STARTING)


def test_since_an_update_began_it_counts_as_started_then_until_its_tasks_tell() -> None:
    state = seen(service(spec(forced=1), "updating", begun=40), task())
    assert state.started_at
    assert (state.started_at - NOON).total_seconds() == 40


def test_a_task_that_swarm_replaces_is_left_to_it() -> None:
    ended = task("failed", 58, **CODE_7)
    waiting = seen(service(), ended, task("ready", 58.1, number=2, desired="ready"), restarts=1)
    assert stands(waiting) == (RunState.RUNNING, Health.STARTING)
    assert waiting.restart_count == 1
    just_now = seen(service(), ended)
    assert stands(just_now) == (RunState.RUNNING, Health.STARTING), "it has had no time to"
    for state in (waiting, just_now):
        assert symptom_of(state) is None
        assert loop_of(state, (), state.at) is None


def test_a_task_that_swarm_must_not_replace_is_down_as_it_ended() -> None:
    never = spec(condition="none")
    state = seen(service(never), task("failed", 59, of=never, **CODE_7), container_1=container(started_at=NOON))
    assert (state.run, state.exit_code, state.oom_killed) == (RunState.EXITED, 7, False)
    assert (state.started_at, state.finished_at) == (NOON, NOON + timedelta(seconds=59))
    assert state.health_log == ("0 of 1 tasks run", "task 1 failed: task: non-zero exit (7)")
    found = symptom_of(state)
    assert found
    assert found.fault == "crashed"


def test_a_kill_for_memory_is_known_by_its_container() -> None:
    never = spec(condition="none")
    killed = container(oom_killed=True, started_at=NOON, run=RunState.EXITED)
    state = seen(service(never), task("failed", of=never, code=137), container_1=killed)
    found = symptom_of(state)
    assert found
    assert (state.oom_killed, found.fault) == (True, "oom_killed")


def test_a_task_that_has_done_its_work_is_not_ill() -> None:
    once = spec(condition="on-failure")
    state = seen(service(once), task("complete", of=once))
    assert (state.run, state.exit_code) == (RunState.EXITED, 0)
    assert symptom_of(state) is None


def test_what_was_given_up_while_others_run_is_unhealthy() -> None:
    three = spec(replicas=2, condition="on-failure")
    state = seen(service(three), task(of=three), task("failed", of=three, slot=2, number=2, **CODE_7))
    assert stands(state) == (RunState.RUNNING, Health.UNHEALTHY)
    assert state.health_log[0] == "1 of 2 tasks run"


def test_an_update_that_swarm_has_stopped_is_unhealthy_at_once_and_only_until_all_run() -> None:
    new = spec("shop:2")
    failed = [task("failed", 50 + number, of=new, number=number, **CODE_7) for number in range(4)]
    state = seen(service(new, "paused", begun=45), *failed)
    assert stands(state) == (RunState.RUNNING, Health.UNHEALTHY), "also where it loops: once is enough"
    assert state.health_log == ("0 of 1 tasks run", "update paused", "task 1 failed: task: non-zero exit (7)")
    assert stands(seen(service(new, "paused", begun=45), task(of=new))) == (RunState.RUNNING, Health.NONE)
    mixed = seen(service(new, "paused", begun=45), task())
    assert stands(mixed) == (RunState.RUNNING, Health.UNHEALTHY), "what runs is the former release"


def test_one_place_that_fails_again_and_again_loops() -> None:
    failed = [task("failed", 10.0 * number, number=number, **CODE_7) for number in range(1, 4)]
    state = seen(service(), *failed, task("ready", 30, number=4, desired="ready"), seconds=35, restarts=3)
    assert (state.run, state.exit_code) == (RunState.RESTARTING, 7)
    found = loop_of(state, (), state.at)
    assert found
    assert found.fault == "crash_loop"


def test_many_places_that_fail_once_each_do_not_loop() -> None:
    many = spec(replicas=3)
    failed = [task("failed", 30, of=many, slot=number, number=number, **CODE_7) for number in range(1, 4)]
    coming = [task("ready", 31, of=many, slot=number, number=number + 9, desired="ready") for number in range(1, 4)]
    assert seen(service(many), *failed, *coming, seconds=34).run is RunState.RUNNING


def test_a_task_that_no_node_takes_is_trouble_after_a_minute() -> None:
    pending = task("pending", 0, error="no suitable node (insufficient resources on 1 node)")
    assert seen(service(), pending, seconds=59).health is Health.STARTING
    assert seen(service(), pending, seconds=61).health is Health.UNHEALTHY
    drained = task("pending", 0, error="no suitable node (1 node not available for new tasks)")
    assert seen(service(), drained, seconds=600).health is Health.STARTING, "a person has drained the node"


def test_of_one_on_every_node_each_counts_where_one_is_wanted() -> None:
    everywhere = spec(replicas=None, condition="none")
    here, there = (task(of=everywhere, slot=0, number=number, NodeID=f"n{number}") for number in (1, 2))
    state = seen(service(everywhere), here, there)
    assert (state.replicas, *stands(state)) == (None, RunState.RUNNING, Health.NONE)
    down = task("failed", of=everywhere, slot=0, number=2, NodeID="n2", **CODE_7)
    assert stands(seen(service(everywhere), here, down)) == (RunState.RUNNING, Health.UNHEALTHY)
    gone = task("shutdown", of=everywhere, slot=0, number=2, NodeID="n2")
    assert stands(seen(service(everywhere), here, gone)) == (RunState.RUNNING, Health.NONE), "that node was drained"


def test_a_service_that_is_not_looked_after_is_taken_to_run_as_it_is_to() -> None:
    assert from_listing(service(), NOON).run is RunState.RUNNING
    assert from_listing(service(spec(replicas=0)), NOON).stopped_by_person
