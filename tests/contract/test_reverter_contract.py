"""What Aegis relies on of SCALE_UP and ROLLBACK in every runtime: planned, one effect, and back again."""

from typing import Any

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Intent, Wish
from aegis_core.domain.release import Release
from aegis_core.domain.scaling import Resource
from aegis_core.domain.target import Health, RunState, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone

from .rigs import CPUS, LABELS, MEMORY_LIMIT_BYTES, MIB, SECRET, STOP_TIMEOUT, Rig, as_release, wait_until

MORE = MEMORY_LIMIT_BYTES * 3 // 2


def seen(rig: Rig) -> TargetState:
    state = rig.effector.find(rig.name)
    assert state is not None
    return state


def becomes(rig: Rig, run: RunState) -> TargetState:
    wait_until(lambda: seen(rig).run is run, f"the target to be {run}")
    return seen(rig)


def planned(rig: Rig, action: Action, **wish: Any) -> Intent:
    """What is to be done, and nothing of it is done yet."""
    before = seen(rig)
    goal = rig.reverter.plan(action, before, Wish(**wish))
    intent = Intent(action=action, at=rig.now(), before=before, goal=goal)
    assert not intent.reached(seen(rig))
    return intent


def done(rig: Rig, intent: Intent) -> TargetState:
    rig.effector.apply(intent.action, intent.before, intent.goal)
    assert intent.reached(seen(rig))
    assert not rig.reverter.under_way(intent)
    return seen(rig)


def more_memory(rig: Rig) -> Intent:
    return planned(rig, Action.SCALE_UP, resource=Resource.MEMORY)


def broken_release(rig: Rig) -> Release:
    """Let another release run; returns the one before, which was well."""
    good = as_release(rig)
    rig.release()
    assert seen(rig).image_id != good.image_id
    return good


def percent(rig: Rig) -> float:
    usage = rig.sensor.usage(seen(rig).ref)
    return (usage.memory_percent if usage else None) or 0.0


# ---- SCALE_UP


def test_more_memory_is_half_as_much_again_while_it_runs(rig: Rig) -> None:
    before, starts = seen(rig), rig.starts()
    after = done(rig, more_memory(rig))
    assert (after.limits.memory_bytes, after.limits.cpus) == (MORE, CPUS)
    assert (after.ref, after.started_at, rig.starts()) == (before.ref, before.started_at, starts)


def test_memory_is_measured_against_the_new_limit_at_once(rig: Rig) -> None:
    rig.sensor.targets()
    wait_until(lambda: percent(rig) > 0, "a sample against the old limit")
    rig.grow(80 * MIB)
    wait_until(lambda: percent(rig) > 62, "memory to grow")
    done(rig, more_memory(rig))
    rig.sensor.targets()
    usage = rig.sensor.usage(seen(rig).ref)
    assert usage
    assert usage.memory_percent == pytest.approx(100 * usage.memory_bytes / MORE, abs=1)


def test_what_was_planned_once_is_given_once_however_often_it_is_asked_for(rig: Rig) -> None:
    intent = more_memory(rig)
    done(rig, intent)
    assert done(rig, intent).limits.memory_bytes == MORE
    assert rig.starts() == 1


def test_what_was_killed_for_its_memory_is_started_with_more(rig: Rig) -> None:
    rig.grow(2 * MEMORY_LIMIT_BYTES)
    killed = becomes(rig, RunState.EXITED)
    assert killed.oom_killed
    intent = more_memory(rig)
    assert done(rig, intent).run is RunState.RUNNING
    assert done(rig, intent).limits.memory_bytes == MORE
    wait_until(lambda: rig.starts() == 2, "the second start")


def test_the_old_limits_come_back(rig: Rig) -> None:
    intent = more_memory(rig)
    done(rig, intent)
    assert rig.reverter.undo(intent)
    assert seen(rig).limits == intent.before.limits
    assert seen(rig).started_at == intent.before.started_at
    assert rig.reverter.undo(intent) == "", "there is nothing left to take back"


def test_memory_that_is_in_use_is_not_taken_away(rig: Rig) -> None:
    intent = more_memory(rig)
    done(rig, intent)
    rig.grow(MEMORY_LIMIT_BYTES + 8 * MIB)
    wait_until(lambda: percent(rig) > 68, "memory to grow over the old limit")
    with pytest.raises(NotUndone, match="uses"):
        rig.reverter.undo(intent)
    assert seen(rig).limits.memory_bytes == MORE
    assert seen(rig).run is RunState.RUNNING


def test_where_nothing_says_what_ran_out_nothing_can_be_given(rig: Rig) -> None:
    with pytest.raises(ActionUnsupported):
        rig.reverter.plan(Action.SCALE_UP, seen(rig), Wish())


# ---- ROLLBACK


@pytest.mark.services
def test_the_release_that_was_well_runs_again(rig: Rig) -> None:
    good = broken_release(rig)
    intent = planned(rig, Action.ROLLBACK, releases=(good,))
    after = done(rig, intent)
    assert (after.image_id, after.run, after.restart_count) == (good.image_id, RunState.RUNNING, 0)
    assert after.ref.name == intent.before.ref.name
    wait_until(lambda: seen(rig).health is Health.HEALTHY, "the release to be healthy")


@pytest.mark.services
def test_all_that_its_owner_set_is_as_before(rig: Rig) -> None:
    good = broken_release(rig)
    after = done(rig, planned(rig, Action.ROLLBACK, releases=(good,)))
    assert (after.limits.memory_bytes, after.limits.cpus) == (MEMORY_LIMIT_BYTES, CPUS)
    assert LABELS.items() <= dict(after.labels).items()
    assert after.stop_timeout == STOP_TIMEOUT
    assert SECRET in rig.evidence.secrets(after.ref)


@pytest.mark.services
def test_a_rollback_that_is_done_is_not_done_again(rig: Rig) -> None:
    good = broken_release(rig)
    intent = planned(rig, Action.ROLLBACK, releases=(good,))
    first = done(rig, intent)
    again = done(rig, intent)
    assert (again.ref, again.started_at) == (first.ref, first.started_at)


@pytest.mark.services
def test_the_one_that_was_well_last_is_taken_and_never_the_present_one(rig: Rig) -> None:
    first = broken_release(rig)
    second = broken_release(rig)
    intent = planned(rig, Action.ROLLBACK, releases=(as_release(rig), second, first))
    assert intent.goal.image_id == second.image_id


@pytest.mark.services
def test_what_did_not_help_makes_room_for_what_was_before(rig: Rig) -> None:
    good = broken_release(rig)
    intent = planned(rig, Action.ROLLBACK, releases=(good,))
    done(rig, intent)
    assert rig.reverter.undo(intent)
    back = becomes(rig, RunState.RUNNING)
    assert (back.ref, back.image_id) == (intent.before.ref, intent.before.image_id)
    assert not back.stopped_by_person
    assert [state.ref for state in rig.sensor.targets() if state.ref.name.startswith(rig.name)] == [back.ref]
    assert rig.reverter.undo(intent) == "", "there is nothing left to take back"


def test_what_was_down_is_down_again(rig: Rig) -> None:
    good = broken_release(rig)
    rig.crash(1)
    becomes(rig, RunState.EXITED)
    intent = planned(rig, Action.ROLLBACK, releases=(good,))
    done(rig, intent)
    assert rig.reverter.undo(intent)
    back = becomes(rig, RunState.EXITED)
    assert (back.ref, back.image_id) == (intent.before.ref, intent.before.image_id)
    assert not back.stopped_by_person


@pytest.mark.services
def test_what_has_proven_itself_stays_and_what_was_kept_aside_goes(rig: Rig) -> None:
    good = broken_release(rig)
    intent = planned(rig, Action.ROLLBACK, releases=(good,))
    after = done(rig, intent)
    rig.reverter.settle(intent)
    rig.reverter.settle(intent)
    assert (seen(rig).ref, seen(rig).started_at) == (after.ref, after.started_at)
    assert [state.ref for state in rig.sensor.targets() if state.ref.name.startswith(rig.name)] == [after.ref]


def test_a_release_that_is_no_longer_there_is_refused_before_anything_is_done(rig: Rig) -> None:
    rig.release()
    gone = broken_release(rig)
    rig.drop_releases()
    before, starts = seen(rig), rig.starts()
    with pytest.raises(ActionUnsupported):
        rig.reverter.plan(Action.ROLLBACK, before, Wish(releases=(gone,)))
    assert (seen(rig).ref, seen(rig).started_at, rig.starts()) == (before.ref, before.started_at, starts)


@pytest.mark.services
def test_without_a_release_that_was_well_there_is_nothing_to_go_back_to(rig: Rig) -> None:
    with pytest.raises(ActionUnsupported):
        rig.reverter.plan(Action.ROLLBACK, seen(rig), Wish(releases=(as_release(rig),)))


# ---- both


@pytest.mark.services
@pytest.mark.parametrize("action", [Action.RESTART, Action.NOOP])
def test_of_a_restart_there_is_nothing_to_plan_or_to_take_back(rig: Rig, action: Action) -> None:
    before = seen(rig)
    intent = Intent(action=action, at=rig.now(), before=before, goal=rig.reverter.plan(action, before, Wish()))
    assert intent.goal.limits is None
    assert rig.reverter.undo(intent) == ""
    assert not rig.reverter.under_way(intent)
    rig.reverter.settle(intent)
    assert seen(rig).started_at == before.started_at
