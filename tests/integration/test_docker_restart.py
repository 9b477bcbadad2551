"""RESTART on a real engine: once, honouring the stop timeout, and honest about what is not known."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.target import RunState, TargetState
from aegis_core.errors import ActionUnsupported, RuntimeUnavailable, TargetGone
from tests.integration.flaky_engine import Fault, FlakyEngine
from tests.integration.small_containers import DEAF, SmallContainer, docker, running, wait_until

pytestmark = pytest.mark.engine
RESTART = r"POST /containers/\w+/restart"


@pytest.fixture
def runtime() -> Iterator[DockerRuntime]:
    runtime = DockerRuntime()
    yield runtime
    runtime.close()


@pytest.fixture
def flaky() -> Iterator[FlakyEngine]:
    with FlakyEngine() as engine:
        yield engine


def seen(runtime: DockerRuntime, container: SmallContainer) -> TargetState:
    state = runtime.find(container.name)
    assert state is not None
    return state


def later(state: TargetState, than: TargetState) -> bool:
    assert state.started_at
    assert than.started_at
    return state.started_at > than.started_at


def test_a_restart_is_over_when_the_container_has_been_started_again(runtime: DockerRuntime) -> None:
    with running() as container:
        before = seen(runtime, container)

        runtime.apply(Action.RESTART, before)

        after = runtime.observe(before.ref)
        assert after.running
        assert later(after, before)
        assert container.events("restart") == ["restart"]


def test_a_container_that_ignores_sigterm_is_restarted_once_after_its_own_stop_timeout(
    runtime: DockerRuntime,
) -> None:
    with running("--stop-timeout=2", command=DEAF) as container:
        before = seen(runtime, container)
        began = time.monotonic()

        runtime.apply(Action.RESTART, before)

        assert 2 <= time.monotonic() - began < 9  # the engine's default would have been 10
        assert later(runtime.observe(before.ref), before)
        assert container.events("restart", "start") == ["start", "start", "restart"]


def test_a_stop_longer_than_the_time_limit_of_an_answer_is_waited_for() -> None:
    with running("--stop-timeout=4", command=DEAF) as container:
        hurried = DockerRuntime(timeout=3)
        before = seen(hurried, container)

        hurried.apply(Action.RESTART, before)

        assert later(hurried.observe(before.ref), before)
        hurried.close()


def test_a_slow_stop_has_begun_long_before_anything_else_shows(runtime: DockerRuntime) -> None:
    with running("--stop-timeout=2", command=DEAF) as container:
        before, since = seen(runtime, container), datetime.now(UTC)
        assert not runtime.begun(before.ref, since)
        restart = threading.Thread(target=runtime.apply, args=(Action.RESTART, before))
        restart.start()

        wait_until(lambda: runtime.begun(before.ref, since), "the restart to begin", seconds=1.8)

        assert not later(seen(runtime, container), before)
        restart.join()


def test_a_crash_is_not_taken_for_the_beginning_of_a_restart(runtime: DockerRuntime) -> None:
    crashing = ("sh", "-c", "echo ready; while [ ! -e /crash ]; do sleep 0.05; done; exit 3")
    with running(command=crashing) as container:
        before, since = seen(runtime, container), datetime.now(UTC)
        docker("exec", container.name, "touch", "/crash")
        wait_until(lambda: seen(runtime, container).run is RunState.EXITED, "the crash")

        assert "die" in container.events("die")
        assert not runtime.begun(before.ref, since)


def test_a_container_that_has_exited_is_started(runtime: DockerRuntime) -> None:
    with running(command=("sh", "-c", "exit 3")) as container:
        wait_until(lambda: seen(runtime, container).run is RunState.EXITED, "the exit")
        before = seen(runtime, container)

        runtime.apply(Action.RESTART, before)

        assert later(seen(runtime, container), before)


def test_a_lost_reply_leaves_open_whether_it_happened_and_looking_again_tells(flaky: FlakyEngine) -> None:
    with running() as container:
        runtime = DockerRuntime(flaky.url)
        before, since = seen(runtime, container), datetime.now(UTC)
        flaky.spoil(RESTART, Fault.DROP_REPLY)

        with pytest.raises(RuntimeUnavailable, match="may have happened"):
            runtime.apply(Action.RESTART, before)

        assert later(runtime.observe(before.ref), before)
        assert runtime.begun(before.ref, since)
        assert container.events("restart") == ["restart"]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.HANG, 500, 409])
def test_a_restart_that_the_engine_never_heard_of_has_not_begun(flaky: FlakyEngine, fault: Fault | int) -> None:
    with running("--stop-timeout=1") as container:
        runtime = DockerRuntime(flaky.url, timeout=2)
        before, since = seen(runtime, container), datetime.now(UTC)
        flaky.spoil(RESTART, fault)
        began = time.monotonic()

        with pytest.raises(RuntimeUnavailable, match="may have happened"):
            runtime.apply(Action.RESTART, before)

        assert time.monotonic() - began < 6
        assert not runtime.begun(before.ref, since)
        assert runtime.observe(before.ref).started_at == before.started_at


def test_a_restart_that_is_forbidden_is_unsupported_and_not_tried_for_ever(flaky: FlakyEngine) -> None:
    with running() as container:
        runtime = DockerRuntime(flaky.url)
        flaky.spoil(RESTART, 403)

        with pytest.raises(ActionUnsupported):
            runtime.apply(Action.RESTART, seen(runtime, container))


def test_a_container_that_was_recreated_under_the_same_name_is_left_alone(runtime: DockerRuntime) -> None:
    with running() as container:
        before = seen(runtime, container)
        docker("rm", "--force", container.name)
        docker("run", "--detach", f"--name={container.name}", "python:3.11-slim", "sleep", "60")

        with pytest.raises(TargetGone):
            runtime.apply(Action.RESTART, before)
        with pytest.raises(TargetGone):
            runtime.observe(before.ref)

        assert container.events("restart", "kill") == ["kill"]  # that of `docker rm`
        assert seen(runtime, container).ref.id != before.ref.id


def test_a_container_that_now_bears_another_name_is_left_alone(runtime: DockerRuntime) -> None:
    with running() as container, running() as other:
        before = seen(runtime, container)
        docker("rename", container.name, f"{container.name}-old")
        docker("rename", other.name, container.name)

        try:
            with pytest.raises(TargetGone, match="no longer the name"):
                runtime.apply(Action.RESTART, before)
        finally:
            docker("rename", container.name, other.name)
            docker("rename", f"{container.name}-old", container.name)


def test_noop_asks_the_engine_for_nothing(flaky: FlakyEngine) -> None:
    with running() as container:
        runtime = DockerRuntime(flaky.url)
        before = seen(runtime, container)
        flaky.calls.clear()

        runtime.apply(Action.NOOP, before)

        assert flaky.calls == []


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_was_not_planned_is_refused_and_nothing_happens(runtime: DockerRuntime, action: Action) -> None:
    with running() as container:
        before = seen(runtime, container)

        with pytest.raises(ActionUnsupported, match="planned"):
            runtime.apply(action, before)

        assert runtime.observe(before.ref).started_at == before.started_at
