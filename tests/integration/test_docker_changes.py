"""The events of a real engine, through broken, silent and noisy streams."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import docker as sdk
import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.change import ChangeKind
from aegis_core.errors import RuntimeUnavailable
from tests.integration.flaky_engine import Fault, FlakyEngine
from tests.integration.small_containers import SmallContainer, docker, running, wait_until
from tests.listening import Listening

pytestmark = pytest.mark.engine
FRAGILE = ("sh", "-c", "echo ready; while [ ! -e /crash ]; do sleep 0.05; done; rm /crash; exit 3")
EVENTS = r"GET /events"


@pytest.fixture
def runtime() -> Iterator[DockerRuntime]:
    runtime = DockerRuntime()
    yield runtime
    runtime.close()


@pytest.fixture
def flaky() -> Iterator[FlakyEngine]:
    with FlakyEngine() as engine:
        yield engine


def crash(container: SmallContainer) -> None:
    docker("exec", container.name, "touch", "/crash")
    wait_until(lambda: not container.state["Running"], "the crash")


def test_a_container_that_dies_while_the_stream_is_cut_is_told_of_once_it_is_back(flaky: FlakyEngine) -> None:
    with running(command=FRAGILE) as container, Listening(DockerRuntime(flaky.url)) as listening:
        flaky.spoil(EVENTS, Fault.RESET)
        flaky.hang_up()
        listening.wait(lambda: len(listening.problems) >= 2, "the engine to be missed")
        crash(container)
        gaps = listening.gaps()
        flaky.mend()

        died = listening.wait_for(ChangeKind.DIED, container.name)

        assert died.exit_code == 3
        assert listening.gaps() > gaps
        docker("start", container.name)
        listening.wait_for(ChangeKind.STARTED, container.name)
        assert listening.kinds(container.name) == [ChangeKind.DIED, ChangeKind.STARTED]


def test_what_the_engine_repeats_after_a_cut_is_not_told_twice(flaky: FlakyEngine) -> None:
    with running(command=FRAGILE) as container, Listening(DockerRuntime(flaky.url)) as listening:
        for times in range(1, 4):
            crash(container)
            listening.wait_for(ChangeKind.DIED, container.name, times)
            flaky.hang_up()
            listening.wait(lambda gaps=times + 1: listening.gaps() >= gaps, "the stream to be back")
            docker("start", container.name)
            listening.wait_for(ChangeKind.STARTED, container.name, times)

    assert listening.kinds(container.name)[:6] == [ChangeKind.DIED, ChangeKind.STARTED] * 3
    assert not listening.problems


def test_a_stream_that_says_nothing_any_more_is_renewed(flaky: FlakyEngine) -> None:
    """The other side is gone without a word: a firewall, a host that lost its power, an engine that hangs."""
    runtime = DockerRuntime(flaky.url, timeout=2, silence=1)
    with running(command=FRAGILE) as container, Listening(runtime) as listening:
        flaky.mute()
        crash(container)
        assert ChangeKind.DIED not in listening.kinds(container.name)
        flaky.mend()

        assert listening.wait_for(ChangeKind.DIED, container.name).exit_code == 3

        assert listening.kinds(container.name) == [ChangeKind.DIED]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.HANG, Fault.DROP_REPLY, 500, 404, 403])
def test_who_cannot_subscribe_is_told_so(flaky: FlakyEngine, fault: Fault | int) -> None:
    runtime = DockerRuntime(flaky.url, timeout=1)
    flaky.spoil(EVENTS, fault)
    began = time.monotonic()

    with pytest.raises(RuntimeUnavailable, match=r"^subscribing to the events: "):
        next(runtime.changes(threading.Event()))

    assert time.monotonic() - began < 3
    flaky.mend()
    assert next(runtime.changes(threading.Event())).kind is ChangeKind.GAP


def test_a_thousand_commands_in_a_container_are_not_told(runtime: DockerRuntime) -> None:
    api = sdk.APIClient()
    with running("--stop-timeout=1") as container, Listening(runtime) as listening:
        container_id = container.id
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: api.exec_create(container_id, "true"), range(1_000)))
        docker("pause", container.name)
        docker("unpause", container.name)
        listening.wait_for(ChangeKind.STARTED, container.name)

        assert listening.kinds(container.name) == [ChangeKind.STOPPED, ChangeKind.STARTED]
    api.close()


def test_only_a_signal_that_ends_the_container_is_told_as_a_stop(runtime: DockerRuntime) -> None:
    quits = ("sh", "-c", "trap '' HUP; trap 'exit 0' QUIT; echo ready; while :; do sleep 0.05; done")
    with running("--stop-signal=QUIT", command=quits) as container, Listening(runtime) as listening:
        docker("kill", "--signal=HUP", container.name)
        docker("kill", "--signal=USR1", container.name)  # its shell is process 1, which ignores what it does not trap
        assert "kill" in container.events("kill")
        docker("stop", container.name)
        listening.wait_for(ChangeKind.DIED, container.name)
        listening.wait_for(ChangeKind.STOPPED, container.name, times=2)

        assert listening.kinds(container.name) == [ChangeKind.STOPPED, ChangeKind.DIED, ChangeKind.STOPPED]


def test_a_restart_is_told_as_one_start(runtime: DockerRuntime) -> None:
    with running() as container, Listening(runtime) as listening:
        docker("restart", container.name)
        docker("pause", container.name)
        docker("unpause", container.name)
        listening.wait_for(ChangeKind.STARTED, container.name, times=2)

        assert listening.kinds(container.name) == [
            *(ChangeKind.STOPPED, ChangeKind.DIED, ChangeKind.STOPPED, ChangeKind.STARTED),
            *(ChangeKind.STOPPED, ChangeKind.STARTED),
        ]


@pytest.mark.alone
def test_listening_to_silence_costs_next_to_nothing(runtime: DockerRuntime) -> None:
    with Listening(runtime) as listening:
        began, used = time.monotonic(), time.process_time()
        time.sleep(3)  # what is measured is this time
        seconds, used = time.monotonic() - began, time.process_time() - used

        assert used / seconds < 0.02, listening.heard
