"""The engine as a whole: away, slow, broken, in a hurry, and asked by many at once."""

import logging
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.target import TargetRef
from aegis_core.errors import RuntimeAway, RuntimeUnavailable
from tests.integration.flaky_engine import Fault, FlakyEngine
from tests.integration.small_containers import docker, running
from tests.integration.socket_proxy import rights

pytestmark = pytest.mark.engine
Call = Callable[[DockerRuntime, TargetRef], object]
CALLS: dict[str, Call] = {
    "ping": lambda runtime, _: runtime.ping(),
    "version": lambda runtime, _: runtime.version(),
    "targets": lambda runtime, _: runtime.targets(),
    "find": lambda runtime, ref: runtime.find(ref.name),
    "observe": lambda runtime, ref: runtime.observe(ref),
    "usage": lambda runtime, ref: runtime.usage(ref),
    "logs": lambda runtime, ref: runtime.logs(ref),
    "happenings": lambda runtime, ref: runtime.happenings(ref, datetime.fromtimestamp(0, UTC)),
    "secrets": lambda runtime, ref: runtime.secrets(ref),
    "neighbours": lambda runtime, ref: runtime.neighbours(ref),
    "begun": lambda runtime, ref: runtime.begun(ref, datetime.now(UTC)),
}


@pytest.fixture(scope="module")
def target() -> Iterator[TargetRef]:
    with running("--label=aegis.enable=true") as container:
        yield TargetRef(name=container.name, id=container.id)


@pytest.fixture
def flaky() -> Iterator[FlakyEngine]:
    with FlakyEngine() as engine:
        yield engine


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CUT, Fault.DROP_REPLY, 500, 409, 404, 403], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_whatever_goes_wrong_is_said_in_our_words(
    flaky: FlakyEngine, target: TargetRef, name: str, fault: Fault | int
) -> None:
    runtime = DockerRuntime(flaky.url)
    flaky.spoil(r".", fault)

    with pytest.raises(RuntimeUnavailable, match=r"^\w+ing .*: "):
        CALLS[name](runtime, target)

    flaky.mend()
    CALLS[name](runtime, target)  # and it is all right again with the engine


@pytest.mark.parametrize("name", CALLS)
def test_an_engine_that_hangs_holds_nobody_longer_than_the_time_limit(
    flaky: FlakyEngine, target: TargetRef, name: str
) -> None:
    runtime = DockerRuntime(flaky.url, timeout=1)
    flaky.spoil(r".", Fault.HANG)
    began = time.monotonic()

    with pytest.raises(RuntimeUnavailable, match="no answer in time"):
        CALLS[name](runtime, target)

    assert time.monotonic() - began < 3


@pytest.mark.parametrize("name", CALLS)
def test_an_engine_that_has_been_stopped_is_told_from_one_that_stumbles(name: str, target: TargetRef) -> None:
    with FlakyEngine() as engine:
        runtime = DockerRuntime(engine.url)
        CALLS[name](runtime, target)
        engine.hang_up()
    with pytest.raises(RuntimeAway):
        CALLS[name](runtime, target)


def test_one_container_that_cannot_be_inspected_does_not_hide_the_others(flaky: FlakyEngine, target: TargetRef) -> None:
    runtime = DockerRuntime(flaky.url)
    flaky.spoil(rf"GET /containers/{target.id}/json", 500)

    assert target in {state.ref for state in runtime.targets()}


def test_every_call_lies_within_the_allow_list(flaky: FlakyEngine, target: TargetRef) -> None:
    runtime = DockerRuntime(flaky.url, inspect_all=True)
    for call in CALLS.values():
        call(runtime, target)
    next(runtime.changes(threading.Event()))
    state = runtime.observe(target)
    runtime.apply(Action.RESTART, state)
    docker("stop", "--time=1", target.name)
    assert runtime.observe(target).stopped_by_person
    runtime.apply(Action.RESTART, state)

    allowed = rights("allowed")
    assert [one for one in flaky.requests if not any(right.match(one) for right in allowed)] == []
    assert len({re.sub(r"/containers/[^/]+/", "/containers/ID/", call) for call in flaky.calls}) == 9


def test_who_did_not_opt_in_costs_no_call_of_its_own(flaky: FlakyEngine, target: TargetRef) -> None:
    with running() as other:
        runtime = DockerRuntime(flaky.url)
        other_id = other.id

        assert other_id in {state.ref.id for state in runtime.targets()}

        assert not [call for call in flaky.calls if other_id in call]
        assert [call for call in flaky.calls if target.id in call]


def test_a_hundred_threads_share_one_client(target: TargetRef, caplog: pytest.LogCaptureFixture) -> None:
    runtime = DockerRuntime()
    together = threading.Barrier(100)

    def look(number: int) -> str:
        together.wait()
        for index in range(5):
            runtime.find(f"aegis-it-nobody-{number}-{index}")
        return runtime.observe(target).ref.name

    with caplog.at_level(logging.WARNING, "urllib3"), ThreadPoolExecutor(100) as pool:
        names = Counter(pool.map(look, range(100)))

    assert names == {target.name: 100}
    assert caplog.records == []  # "connection pool is full" would be one
    runtime.close()


def test_connections_are_used_again_whatever_they_ask_for(target: TargetRef) -> None:
    opened = Counter[str]()
    connect = socket.socket.connect

    class Counting(socket.socket):
        def connect(self, address: object) -> None:
            opened["connections"] += 1
            connect(self, address)  # type: ignore[arg-type]

    runtime = DockerRuntime()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Counting)
        for number in range(60):
            runtime.find(f"aegis-it-nobody-{number}")

    assert opened["connections"] <= 2
    runtime.close()


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("unix:///no/such/docker.sock", "Is Docker installed and running"),
        ("tcp://127.0.0.1:9", "Is Docker running"),
        ("nonsense", "is the address right"),
    ],
)
def test_without_an_engine_the_constructor_says_what_to_do(url: str, advice: str) -> None:
    with pytest.raises(RuntimeUnavailable, match=advice):
        DockerRuntime(url, timeout=2)


def test_a_socket_that_may_not_be_opened_says_which_group_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def forbidden(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")  # root, as which this may run, is never refused

    monkeypatch.setattr(socket.socket, "connect", forbidden)

    with pytest.raises(RuntimeUnavailable, match="docker group"):
        DockerRuntime(f"unix://{tmp_path}/docker.sock")


def test_something_else_that_listens_is_no_engine(tmp_path: Path) -> None:
    with FlakyEngine() as other:
        other.spoil(r".", 200)  # answers JSON, but not an engine's

        with pytest.raises(RuntimeUnavailable):
            DockerRuntime(other.url)
