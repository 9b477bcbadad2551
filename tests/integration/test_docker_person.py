"""What a person stopped or paused is told from what crashed, on a real engine."""

import subprocess
import textwrap
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.target import RunState, TargetState
from aegis_core.errors import RuntimeUnavailable
from tests.integration.small_containers import DEAF, SmallContainer, docker, running, wait_until

pytestmark = pytest.mark.engine
MUNCHER = ("python", "-c", "import time; time.sleep(0.2); kept = b'x' * 200_000_000; time.sleep(60)")
FRAGILE = ("sh", "-c", "trap '' HUP; echo ready; while [ ! -e /crash ]; do sleep 0.05; done; rm /crash; exit 3")


@pytest.fixture
def runtime() -> Iterator[DockerRuntime]:
    runtime = DockerRuntime()
    yield runtime
    runtime.close()


def seen(runtime: DockerRuntime, container: SmallContainer) -> TargetState:
    state = runtime.find(container.name)
    assert state is not None
    return state


def ended(runtime: DockerRuntime, container: SmallContainer) -> TargetState:
    wait_until(lambda: seen(runtime, container).run is RunState.EXITED, "the end")
    return seen(runtime, container)


def crash(container: SmallContainer) -> None:
    docker("exec", container.name, "touch", "/crash")
    wait_until(lambda: not container.state["Running"], "the crash")


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [(("sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"), 0), (DEAF, 137)],
)
def test_docker_stop_is_a_persons_whatever_the_exit_code(
    runtime: DockerRuntime, command: tuple[str, ...], exit_code: int
) -> None:
    with running("--stop-timeout=1", command=command) as container:
        docker("stop", container.name)

        state = seen(runtime, container)

        assert (state.run, state.exit_code, state.stopped_by_person) == (RunState.EXITED, exit_code, True)


def test_docker_kill_is_a_persons(runtime: DockerRuntime) -> None:
    with running() as container:
        docker("kill", container.name)

        assert ended(runtime, container).stopped_by_person


def test_a_container_that_a_person_is_stopping_is_the_persons_already(runtime: DockerRuntime) -> None:
    with running("--stop-timeout=2", command=DEAF) as container:
        stopping = subprocess.Popen(["docker", "stop", container.name], stdout=subprocess.DEVNULL)
        wait_until(lambda: container.events("kill"), "the stop to begin")

        found = seen(runtime, container)
        observed = runtime.observe(found.ref)

        assert stopping.poll() is None
        assert (found.run, found.stopped_by_person) == (RunState.RUNNING, True)
        assert (observed.run, observed.stopped_by_person) == (RunState.RUNNING, True)
        stopping.wait()


def test_a_container_that_a_person_has_restarted_is_being_stopped_no_longer(runtime: DockerRuntime) -> None:
    with running() as container:
        docker("restart", container.name)

        assert not seen(runtime, container).stopped_by_person


def test_our_own_restart_is_not_taken_for_a_persons_stop(runtime: DockerRuntime) -> None:
    with running("--stop-timeout=2", command=DEAF) as container:
        before = seen(runtime, container)
        restart = threading.Thread(target=runtime.apply, args=(Action.RESTART, before))
        restart.start()
        wait_until(lambda: container.events("kill"), "the stop to begin")

        assert not seen(runtime, container).stopped_by_person
        assert restart.is_alive()
        restart.join()


def test_docker_pause_is_a_persons_until_it_is_unpaused(runtime: DockerRuntime) -> None:
    with running() as container:
        docker("pause", container.name)
        paused = seen(runtime, container)
        docker("unpause", container.name)

        assert (paused.run, paused.stopped_by_person) == (RunState.PAUSED, True)
        assert not seen(runtime, container).stopped_by_person


def test_a_crash_is_nobodys_wish(runtime: DockerRuntime) -> None:
    with running(command=FRAGILE) as container:
        crash(container)

        state = seen(runtime, container)

        assert (state.exit_code, state.oom_killed, state.stopped_by_person) == (3, False, False)


def test_a_kill_for_memory_is_nobodys_wish(runtime: DockerRuntime) -> None:
    with running("--memory=32m", "--memory-swap=32m", command=MUNCHER) as container:
        state = ended(runtime, container)

        assert (state.exit_code, state.oom_killed, state.stopped_by_person) == (137, True, False)


def test_an_orderly_end_by_itself_is_nobodys_wish(runtime: DockerRuntime) -> None:
    with running(command=("sh", "-c", "exit 0")) as container:
        assert not ended(runtime, container).stopped_by_person


def test_a_crash_after_a_persons_restart_is_nobodys_wish(runtime: DockerRuntime) -> None:
    with running("--stop-timeout=1", command=FRAGILE) as container:
        docker("restart", container.name)
        crash(container)

        assert not seen(runtime, container).stopped_by_person


def test_a_crash_after_a_reload_signal_is_nobodys_wish(runtime: DockerRuntime) -> None:
    with running(command=FRAGILE) as container:
        docker("kill", "--signal=HUP", container.name)
        crash(container)

        assert "kill" in container.events("kill")
        assert not seen(runtime, container).stopped_by_person


def test_a_crash_after_our_own_restart_is_nobodys_wish(runtime: DockerRuntime) -> None:
    with running("--stop-timeout=1", command=FRAGILE) as container:
        runtime.apply(Action.RESTART, seen(runtime, container))
        crash(container)

        assert not seen(runtime, container).stopped_by_person


def test_a_stop_after_our_own_restart_is_a_persons(runtime: DockerRuntime) -> None:
    with running() as container:
        runtime.apply(Action.RESTART, seen(runtime, container))
        docker("stop", container.name)

        assert seen(runtime, container).stopped_by_person


def test_a_container_that_our_restart_could_not_start_again_is_not_a_persons(
    runtime: DockerRuntime, tmp_path: Path
) -> None:
    source = tmp_path / "mounted"
    source.mkdir()
    with running(f"--mount=type=bind,source={source},target=/data") as container:
        before = seen(runtime, container)
        source.rmdir()

        with pytest.raises(RuntimeUnavailable, match="Cannot restart container"):
            runtime.apply(Action.RESTART, before)

        state = seen(runtime, container)
        assert (state.run, state.stopped_by_person) == (RunState.EXITED, False)


def test_the_list_tells_of_a_person_too(runtime: DockerRuntime) -> None:
    with running("--label=aegis.enable=true") as container:
        docker("stop", container.name)

        states = {state.ref.name: state for state in runtime.targets()}

        assert states[container.name].stopped_by_person


def test_a_crash_loop_shows_in_the_restart_count_although_it_looks_alive_between_crashes(
    runtime: DockerRuntime,
) -> None:
    with running("--restart=always", command=("sh", "-c", "sleep 0.2; exit 3")) as container:
        states: list[TargetState] = []

        wait_until(lambda: states.append(seen(runtime, container)) or states[-1].restart_count >= 2, "two restarts")

        assert {state.run for state in states} <= {RunState.RUNNING, RunState.RESTARTING, RunState.EXITED}
        assert RunState.RUNNING in {state.run for state in states}
        assert states[-1].restart_policy == "always"
        assert not any(state.stopped_by_person for state in states)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """`docker compose` for a project of one service, up; it is taken down at the end."""
    name = f"aegis-it-{uuid.uuid4().hex[:8]}"
    file = tmp_path / "compose.yml"
    file.write_text(
        textwrap.dedent(f"""
            services:
              web:
                image: python:3.11-slim
                container_name: {name}
                command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.05; done"
                network_mode: none
        """)
    )
    compose = ("compose", f"--file={file}", f"--project-name={name}")
    docker(*compose, "up", "--detach")
    yield (name, *compose)
    docker(*compose, "down", "--timeout=1")


def test_docker_compose_stop_is_a_persons(runtime: DockerRuntime, project: tuple[str, ...]) -> None:
    name, *compose = project

    docker(*compose, "stop")

    state = runtime.find(name)
    assert state
    assert state.stopped_by_person


def test_after_docker_compose_down_there_is_no_target(runtime: DockerRuntime, project: tuple[str, ...]) -> None:
    name, *compose = project
    assert runtime.find(name)

    docker(*compose, "down")

    assert runtime.find(name) is None
    assert name not in {state.ref.name for state in runtime.targets()}
