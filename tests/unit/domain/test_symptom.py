"""What the state of a target alone says about it."""

import pytest

from aegis_core.domain.signal import Fault
from aegis_core.domain.symptom import symptom_of
from aegis_core.domain.target import Health, RunState
from tests.examples import later, state

ENDED = {"run": RunState.EXITED, "finished_at": later(-5)}


@pytest.mark.parametrize("health", [Health.NONE, Health.STARTING, Health.HEALTHY])
def test_what_runs_and_is_not_unhealthy_is_well(health: Health) -> None:
    assert symptom_of(state(health=health)) is None


def test_what_runs_and_fails_its_check_is_unhealthy() -> None:
    symptom = symptom_of(state(health=Health.UNHEALTHY))
    assert symptom
    assert symptom.fault is Fault.UNHEALTHY


@pytest.mark.parametrize("run", [RunState.EXITED, RunState.DEAD])
def test_an_end_with_an_exit_code_is_a_crash(run: RunState) -> None:
    symptom = symptom_of(state(**{**ENDED, "run": run}, exit_code=3))
    assert symptom
    assert (symptom.fault, symptom.since, symptom.metrics) == (Fault.CRASHED, later(-5), {"exit_code": 3.0})


def test_a_kill_for_memory_is_told_from_a_crash() -> None:
    symptom = symptom_of(state(**ENDED, exit_code=137, oom_killed=True))
    assert symptom
    assert symptom.fault is Fault.OOM_KILLED


def test_an_end_whose_exit_code_nobody_knows_is_a_crash() -> None:
    symptom = symptom_of(state(**ENDED, exit_code=None))
    assert symptom
    assert (symptom.fault, symptom.metrics) == (Fault.CRASHED, {})


def test_an_orderly_end_and_a_persons_stop_are_no_trouble() -> None:
    assert symptom_of(state(**ENDED, exit_code=0)) is None
    assert symptom_of(state(**ENDED, exit_code=137, stopped_by_person=True)) is None


@pytest.mark.parametrize("run", [RunState.CREATED, RunState.PAUSED, RunState.RESTARTING, RunState.REMOVING])
def test_what_is_on_its_way_somewhere_is_not_judged(run: RunState) -> None:
    assert symptom_of(state(run=run, exit_code=1, health=Health.UNHEALTHY)) is None


def test_two_looks_at_the_same_trouble_give_equal_symptoms_and_another_crash_does_not() -> None:
    first = symptom_of(state(**ENDED, exit_code=3, at=later(1)))
    assert first == symptom_of(state(**ENDED, exit_code=3, at=later(9)))
    assert first != symptom_of(state(**{**ENDED, "finished_at": later(-1)}, exit_code=3))
    assert first != symptom_of(state(id="another", **ENDED, exit_code=3))
