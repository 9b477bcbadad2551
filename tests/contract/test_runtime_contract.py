"""What Aegis relies on in every runtime. The fake, the embedded process runtime and Docker keep the same promises."""

import re
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.target import Health, RunState, TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, TargetGone

from .rigs import CPUS, LABELS, MEMORY_LIMIT_BYTES, MIB, READY, SAID, SECRET, STOP_TIMEOUT, Rig, wait_until


def seen(rig: Rig) -> TargetState:
    state = rig.effector.find(rig.name)
    assert state is not None
    return state


def wait_for(rig: Rig, run: RunState) -> TargetState:
    wait_until(lambda: seen(rig).run is run, f"the target to be {run}")
    return seen(rig)


def wait_for_health(rig: Rig, health: Health) -> TargetState:
    wait_until(lambda: seen(rig).health is health, f"the target to be {health}")
    return seen(rig)


def wait_for_line(rig: Rig, line: str, times: int = 1) -> Sequence[str]:
    ref = seen(rig).ref
    wait_until(lambda: rig.evidence.logs(ref).count(line) >= times, f"{line!r} in the log {times}×")
    return rig.evidence.logs(ref)


def speak(rig: Rig, line: str) -> None:
    """Make the target print a line, and see it in the log. Proves as well that it lives and obeys."""
    rig.say(line)
    wait_for_line(rig, f"{SAID} {line}")


def restart(rig: Rig) -> TargetState:
    """Restart the target once more, and wait until it obeys again."""
    ready = rig.evidence.logs(seen(rig).ref).count(READY)
    rig.effector.apply(Action.RESTART, seen(rig))
    state = seen(rig)
    wait_for_line(rig, READY, ready + 1)
    return state


def test_an_unknown_name_is_no_target(rig: Rig) -> None:
    assert rig.effector.find("nobody-by-this-name") is None


@pytest.mark.services
def test_a_running_target_is_listed_with_its_limits_and_labels(rig: Rig) -> None:
    listed = {state.ref.name: state for state in rig.sensor.targets()}[rig.name]
    assert listed.run is RunState.RUNNING
    assert listed.ref == seen(rig).ref
    assert (listed.limits.memory_bytes, listed.limits.cpus) == (MEMORY_LIMIT_BYTES, CPUS)
    assert LABELS.items() <= dict(listed.labels).items()
    assert listed.stop_timeout == STOP_TIMEOUT
    assert listed.usage is None, "listing takes no samples"


@pytest.mark.services
def test_a_running_target_has_begun_before_now_and_has_not_ended(rig: Rig) -> None:
    state = seen(rig)
    assert state.started_at
    assert rig.now() - timedelta(minutes=1) < state.started_at <= rig.now()
    assert not state.stopped_by_person
    assert not state.oom_killed


@pytest.mark.services
def test_a_restart_gives_a_later_start_of_the_same_target(rig: Rig) -> None:
    before = seen(rig)
    rig.effector.apply(Action.RESTART, before)
    after = rig.effector.observe(before.ref)
    assert after.run is RunState.RUNNING
    assert after.ref == before.ref
    assert before.started_at
    assert after.started_at
    assert after.started_at > before.started_at
    wait_until(lambda: rig.starts() == 2, "the second start")


@pytest.mark.services
def test_an_asked_for_restart_is_not_counted_as_a_restart_of_the_runtimes_own(rig: Rig) -> None:
    after = restart(rig)
    assert after.restart_count == 0
    assert not after.stopped_by_person


def test_ill_health_is_seen_and_a_restart_ends_it(rig: Rig) -> None:
    wait_for_health(rig, Health.HEALTHY)
    rig.turn_unhealthy()
    ill = wait_for_health(rig, Health.UNHEALTHY)
    assert ill.run is RunState.RUNNING
    assert ill.health_log, "it is told what the check saw"
    restart(rig)
    wait_for_health(rig, Health.HEALTHY)


def memory(rig: Rig) -> int:
    usage = rig.sensor.usage(seen(rig).ref)
    return usage.memory_bytes if usage else pytest.fail("no usage")


@pytest.mark.services
def test_memory_is_measured_against_the_targets_own_limit(rig: Rig) -> None:
    rig.grow(80 * MIB)
    wait_until(lambda: memory(rig) > 80 * MIB, "memory to grow")
    usage = rig.sensor.usage(seen(rig).ref)
    assert usage
    assert usage.memory_percent == pytest.approx(100 * usage.memory_bytes / MEMORY_LIMIT_BYTES, abs=1)
    restart(rig)
    wait_until(lambda: memory(rig) < 60 * MIB, "memory to be back")


def test_cpu_is_measured_against_the_targets_own_allowance(rig: Rig) -> None:
    """Half a core is allowed: a target that burns is at about 100 % of it, or above where nothing holds it back; less
    only where others want the machine too. Of all cores of a host it would be 50 % at most."""
    ref = seen(rig).ref
    wait_until(lambda: (rig.sensor.usage(ref) or pytest.fail("no usage")).cpu_percent is not None, "a CPU sample")
    rig.burn()
    wait_until(lambda: ((rig.sensor.usage(ref) or pytest.fail("no usage")).cpu_percent or 0) > 50, "the CPU to burn")


@pytest.mark.services
def test_a_crash_is_seen_with_its_exit_code(rig: Rig) -> None:
    started_at = seen(rig).started_at
    rig.crash(3)
    state = wait_for(rig, RunState.EXITED)
    assert state.exit_code == 3
    assert not state.oom_killed
    assert state.started_at == started_at
    assert state.finished_at
    assert started_at
    assert state.finished_at >= started_at


def test_a_crash_is_not_taken_for_a_persons_stop(rig: Rig) -> None:
    rig.crash(1)
    assert not wait_for(rig, RunState.EXITED).stopped_by_person


@pytest.mark.services
def test_a_target_that_passes_its_memory_limit_is_killed_for_it(rig: Rig) -> None:
    rig.grow(2 * MEMORY_LIMIT_BYTES)
    state = wait_for(rig, RunState.EXITED)
    assert state.oom_killed
    assert state.exit_code == 137
    assert not state.stopped_by_person


@pytest.mark.services
def test_what_does_not_run_uses_nothing(rig: Rig) -> None:
    rig.crash(1)
    state = wait_for(rig, RunState.EXITED)
    assert state.usage is None
    assert rig.sensor.usage(state.ref) is None


@pytest.mark.services
def test_a_crashed_target_is_started_by_a_restart(rig: Rig) -> None:
    rig.crash(1)
    crashed = wait_for(rig, RunState.EXITED)
    rig.effector.apply(Action.RESTART, crashed)
    assert seen(rig).run is RunState.RUNNING
    assert not seen(rig).oom_killed
    wait_until(lambda: rig.starts() == 2, "the second start")


@pytest.mark.services
def test_a_persons_stop_is_told_from_a_crash(rig: Rig) -> None:
    rig.stop_as_person()
    assert wait_for(rig, RunState.EXITED).stopped_by_person


@pytest.mark.services
def test_a_persons_stop_is_over_when_it_is_started_again(rig: Rig) -> None:
    rig.stop_as_person()
    wait_for(rig, RunState.EXITED)
    rig.start_as_person()
    assert not wait_for(rig, RunState.RUNNING).stopped_by_person


def test_a_crash_after_our_restart_is_not_taken_for_a_persons_stop(rig: Rig) -> None:
    """The stop of a restart must not be mistaken for a person's, and must not hide the crash that follows."""
    restart(rig)
    rig.crash(1)
    assert not wait_for(rig, RunState.EXITED).stopped_by_person


@pytest.mark.services
def test_a_restart_has_begun_only_once_it_was_asked_for(rig: Rig) -> None:
    state, since = seen(rig), rig.now()
    assert not rig.effector.begun(state.ref, since)
    rig.effector.apply(Action.RESTART, state)
    assert rig.effector.begun(state.ref, since)


@pytest.mark.services
def test_an_earlier_restart_does_not_count_as_begun(rig: Rig) -> None:
    restart(rig)
    assert not rig.effector.begun(seen(rig).ref, rig.now())


@pytest.mark.services
def test_a_crash_is_nothing_that_was_begun(rig: Rig) -> None:
    since = rig.now()
    rig.crash(1)
    state = wait_for(rig, RunState.EXITED)
    assert not rig.effector.begun(state.ref, since)


@pytest.mark.services
def test_a_recreated_target_is_another_one(rig: Rig) -> None:
    old = seen(rig)
    rig.recreate()
    new = seen(rig)
    assert new.ref.name == old.ref.name
    assert new.ref.id != old.ref.id
    with pytest.raises(TargetGone):
        rig.effector.observe(old.ref)
    with pytest.raises(TargetGone):
        rig.sensor.usage(old.ref)
    with pytest.raises(TargetGone):
        rig.evidence.logs(old.ref)


@pytest.mark.services
def test_an_action_meant_for_the_old_target_does_not_touch_the_new_one(rig: Rig) -> None:
    old = seen(rig)
    rig.recreate()
    new, starts = seen(rig), rig.starts()
    with pytest.raises(TargetGone):
        rig.effector.apply(Action.RESTART, old)
    wait_for_line(rig, READY)
    speak(rig, "still the same run")
    assert seen(rig).started_at == new.started_at
    assert rig.starts() == starts


def test_a_target_that_never_was_cannot_be_acted_on(rig: Rig) -> None:
    stranger = seen(rig).model_copy(update={"ref": TargetRef(name="nobody-by-this-name", id="0" * 64)})
    with pytest.raises(TargetGone):
        rig.effector.apply(Action.RESTART, stranger)


def test_a_deaf_target_is_restarted_once_after_its_stop_timeout(rig: Rig) -> None:
    rig.turn_deaf()
    since = rig.now()
    after = restart(rig)
    assert after.started_at
    waited = (after.started_at - since).total_seconds()
    assert STOP_TIMEOUT <= waited < STOP_TIMEOUT + 6
    wait_until(lambda: rig.starts() == 2, "the second start")


def test_a_slow_restart_keeps_nobody_from_looking(rig: Rig) -> None:
    rig.turn_deaf()
    before = seen(rig)
    since = rig.now()
    acting = threading.Thread(target=rig.effector.apply, args=(Action.RESTART, before))
    acting.start()
    wait_until(lambda: rig.effector.begun(before.ref, since), "the restart to begin")
    begun = time.monotonic()
    rig.effector.observe(before.ref)
    rig.evidence.logs(before.ref)
    assert time.monotonic() - begun < STOP_TIMEOUT / 2
    acting.join()
    assert seen(rig).run is RunState.RUNNING


@pytest.mark.services
@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_was_not_planned_is_refused_and_nothing_is_done(rig: Rig, action: Action) -> None:
    before = seen(rig)
    with pytest.raises(ActionUnsupported):
        rig.effector.apply(action, before)
    assert seen(rig).started_at == before.started_at


@pytest.mark.services
def test_no_action_is_none(rig: Rig) -> None:
    before = seen(rig)
    rig.effector.apply(Action.NOOP, before)
    wait_for_line(rig, READY)
    speak(rig, "undisturbed")
    assert seen(rig).started_at == before.started_at
    assert rig.starts() == 1


@pytest.mark.services
def test_the_newest_lines_come_clean_and_in_order(rig: Rig) -> None:
    wait_for_line(rig, READY)
    speak(rig, "one")
    rig.say("\x1b[31mtwo\x1b[0m")
    lines = wait_for_line(rig, f"{SAID} two")
    assert [line for line in lines if line.startswith(SAID)] == [f"{SAID} one", f"{SAID} two"]
    assert list(rig.evidence.logs(seen(rig).ref, tail=1)) == [f"{SAID} two"]


@pytest.mark.services
def test_lines_since_a_moment_leave_out_what_was_seen_before(rig: Rig) -> None:
    wait_for_line(rig, READY)
    speak(rig, "before")
    since = rig.now()
    speak(rig, "after")
    assert list(rig.evidence.logs(seen(rig).ref, since=since)) == [f"{SAID} after"]


def test_lines_from_before_a_restart_are_still_there(rig: Rig) -> None:
    wait_for_line(rig, READY)
    speak(rig, "last words")
    restart(rig)
    assert f"{SAID} last words" in rig.evidence.logs(seen(rig).ref)


@pytest.mark.services
def test_the_log_of_a_crashed_target_can_be_read(rig: Rig) -> None:
    wait_for_line(rig, READY)
    speak(rig, "last words")
    rig.crash(1)
    wait_for(rig, RunState.EXITED)
    assert f"{SAID} last words" in rig.evidence.logs(seen(rig).ref)


@pytest.mark.services
def test_what_happened_is_told_with_times_in_order(rig: Rig) -> None:
    since = rig.now() - timedelta(minutes=1)
    rig.crash(3)
    crashed = wait_for(rig, RunState.EXITED)
    rig.effector.apply(Action.RESTART, crashed)

    def told() -> list[str]:
        return [line for line in rig.evidence.happenings(crashed.ref, since) if re.search(r"\b(start|die)\b", line)]

    wait_until(lambda: len(told()) >= 3, "start, die and start to be told")
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in told())
    first, death, second = told()
    assert "start" in first
    assert "die" in death
    assert "3" in death.split(" ", 1)[1]
    assert "start" in second


@pytest.mark.services
def test_what_happened_before_is_not_told(rig: Rig) -> None:
    restart(rig)
    since = rig.now()
    assert not [line for line in rig.evidence.happenings(seen(rig).ref, since) if "start" in line]


@pytest.mark.services
def test_secret_values_of_the_environment_are_known(rig: Rig) -> None:
    assert SECRET in rig.evidence.secrets(seen(rig).ref)
