"""What the agent relies on in the changes of every runtime, and in the neighbours of a target."""

import threading
from collections.abc import Sequence

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.change import MOST_NEIGHBOURS, ChangeKind, Neighbour, Relation
from aegis_core.domain.target import Health, TargetRef, TargetState
from aegis_core.errors import TargetGone
from tests.listening import Listening

from .rigs import MEMORY_LIMIT_BYTES, SECRET, Rig, wait_until


def seen(rig: Rig, name: str | None = None) -> TargetState:
    state = rig.effector.find(name or rig.name)
    assert state is not None
    return state


def wait_until_healthy(rig: Rig) -> None:
    wait_until(lambda: seen(rig).health is Health.HEALTHY, "the target to be healthy")


def beside_health(listening: Listening, rig: Rig) -> list[ChangeKind]:
    """What was told of the target; the good news of its start may come at any time."""
    return [kind for kind in listening.kinds(rig.name) if kind is not ChangeKind.HEALTHY]


def neighbours(rig: Rig, name: str | None = None) -> Sequence[Neighbour]:
    return rig.evidence.neighbours(seen(rig, name).ref)


def test_a_gap_is_told_first_so_that_nothing_is_missed_between_listing_and_listening(rig: Rig) -> None:
    stopping, ref = threading.Event(), seen(rig).ref
    told = rig.sensor.changes(stopping)
    assert next(told).kind is ChangeKind.GAP
    rig.crash(3)  # nobody asks for the next change yet
    died = next(change for change in told if change.target == ref and change.kind is not ChangeKind.HEALTHY)
    assert (died.kind, died.exit_code) == (ChangeKind.DIED, 3)
    stopping.set()
    assert not [change for change in told if change.target == ref and change.kind is ChangeKind.DIED]


def test_a_crash_is_told_once_with_its_time(rig: Rig) -> None:
    wait_until_healthy(rig)
    before = rig.now()
    with Listening(rig.sensor) as listening:
        rig.crash(3)
        died = listening.wait_for(ChangeKind.DIED, rig.name)
        assert before <= died.at <= rig.now()
        rig.effector.apply(Action.RESTART, seen(rig))
        listening.wait_for(ChangeKind.STARTED, rig.name)
    assert beside_health(listening, rig) == [ChangeKind.DIED, ChangeKind.STARTED]


def test_a_stop_is_told_before_the_end_that_comes_of_it(rig: Rig) -> None:
    wait_until_healthy(rig)
    with Listening(rig.sensor) as listening:
        rig.stop_as_person()
        listening.wait_for(ChangeKind.DIED, rig.name)
        rig.start_as_person()
        listening.wait_for(ChangeKind.STARTED, rig.name)
    assert beside_health(listening, rig)[:2] == [ChangeKind.STOPPED, ChangeKind.DIED]


def test_the_verdicts_of_the_health_check_are_told(rig: Rig) -> None:
    wait_until_healthy(rig)
    with Listening(rig.sensor) as listening:
        rig.turn_unhealthy()
        listening.wait_for(ChangeKind.UNHEALTHY, rig.name)
        rig.effector.apply(Action.RESTART, seen(rig))
        listening.wait_for(ChangeKind.HEALTHY, rig.name)


def test_a_kill_for_memory_is_told_before_the_end_that_comes_of_it(rig: Rig) -> None:
    wait_until_healthy(rig)
    with Listening(rig.sensor) as listening:
        rig.grow(2 * MEMORY_LIMIT_BYTES)
        died = listening.wait_for(ChangeKind.DIED, rig.name)
        assert died.exit_code == 137
    assert beside_health(listening, rig) == [ChangeKind.OOM, ChangeKind.DIED]


@pytest.mark.services
def test_a_recreated_target_is_told_to_be_gone_and_the_new_one_to_have_started(rig: Rig) -> None:
    old = seen(rig).ref
    with Listening(rig.sensor) as listening:
        rig.recreate()
        removed = listening.wait_for(ChangeKind.REMOVED, rig.name)
        started = listening.wait_for(ChangeKind.STARTED, rig.name)
        assert (removed.target, started.target) == (old, seen(rig).ref)


def test_who_listens_to_silence_is_let_go_within_a_second(rig: Rig) -> None:
    wait_until_healthy(rig)
    with Listening(rig.sensor) as listening:
        assert listening.stop() < 1


def test_two_who_listen_are_both_told_everything(rig: Rig) -> None:
    with Listening(rig.sensor) as one, Listening(rig.sensor) as other:
        rig.crash(3)
        assert one.wait_for(ChangeKind.DIED, rig.name) == other.wait_for(ChangeKind.DIED, rig.name)


def test_a_target_and_what_it_depends_on_are_neighbours_both_ways(rig: Rig) -> None:
    other = rig.befriend()
    (dependency,) = neighbours(rig)
    (dependent,) = neighbours(rig, other)
    assert (dependency.relation, dependency.state.ref) == (Relation.DEPENDENCY, seen(rig, other).ref)
    assert (dependent.relation, dependent.state.ref) == (Relation.DEPENDENT, seen(rig).ref)
    assert other in dependency.names


def test_the_state_of_a_neighbour_is_told_as_it_is(rig: Rig) -> None:
    other = rig.befriend()
    rig.crash(3)
    wait_until(lambda: not seen(rig).running, "the crash")
    (dependent,) = neighbours(rig, other)
    assert (dependent.state.exit_code, dependent.state.finished_at) == (3, seen(rig).finished_at)


def test_who_hangs_together_with_nobody_has_no_neighbours(rig: Rig) -> None:
    assert list(neighbours(rig)) == []
    assert MOST_NEIGHBOURS == 30


def test_the_neighbours_of_what_is_gone_cannot_be_told(rig: Rig) -> None:
    with pytest.raises(TargetGone):
        rig.evidence.neighbours(TargetRef(name="nobody-by-this-name", id="0" * 64))


@pytest.mark.services
def test_the_names_in_the_environment_are_told_and_never_the_values(rig: Rig) -> None:
    state = seen(rig)
    assert "API_TOKEN" in state.env_keys
    assert list(state.env_keys) == sorted(state.env_keys)
    assert SECRET not in repr(state)
