"""The socket proxy lets through what Aegis calls, and nothing else: with a real nginx before a real engine."""

import json
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.change import ChangeKind
from aegis_core.domain.intent import Goal
from aegis_core.domain.target import Limits, TargetRef
from aegis_core.errors import ActionUnsupported

from .small_containers import SmallContainer, docker, running
from .socket_proxy import ROOT, SocketProxy, rights

pytestmark = pytest.mark.engine

ID = "a" * 64
NEVER = (
    ("POST", "/v1.41/containers/{id}/exec"),
    ("POST", "/v1.41/exec/{id}/start"),
    ("PUT", "/v1.41/containers/{id}/archive?path=/"),
    ("GET", "/v1.41/containers/{id}/archive?path=/etc"),
    ("GET", "/v1.41/containers/{id}/export"),
    ("POST", "/v1.41/containers/{id}/attach"),
    ("GET", "/v1.41/containers/{id}/attach/ws"),
    ("POST", "/v1.41/containers/{id}/kill"),
    ("POST", "/v1.41/containers/prune"),
    ("POST", "/v1.41/build"),
    ("POST", "/v1.41/images/create?fromImage=x"),
    ("POST", "/v1.41/images/load"),
    ("GET", "/v1.41/images/x/get"),
    ("DELETE", "/v1.41/images/x"),
    ("POST", "/v1.41/volumes/create"),
    ("DELETE", "/v1.41/volumes/x"),
    ("POST", "/v1.41/networks/create"),
    ("POST", "/v1.41/swarm/init"),
    ("POST", "/v1.41/swarm/leave"),
    ("GET", "/v1.41/secrets"),
    ("GET", "/v1.41/configs"),
    ("POST", "/v1.41/plugins/pull"),
    ("POST", "/v1.41/session"),
    ("POST", "/v1.41/auth"),
    ("OPTIONS", "/v1.41/containers/json"),
    ("POST", "/v1.41/containers/json"),
    ("GET", "/"),
)
FOR_ROLLBACK = (
    ("POST", "/v1.41/containers/create?name=x"),
    ("POST", "/v1.41/containers/{id}/rename?name=x"),
    ("POST", "/v1.41/containers/{id}/stop"),
    ("DELETE", "/v1.41/containers/{id}"),
    ("POST", "/v1.41/networks/x/connect"),
)
ODD = (
    "/v1.41/containers/{id}/restart/../../create",
    "/v1.41/containers/%2e%2e/exec/json",
    "/v1.41/containers/{id}/restart%2f..%2fexec",
    "/v1.41/containers//json",
    "/v1.41/containers/{id}/restart?t=1&x=/exec",
    "/v1.41/../v1.41/containers/json",
    "/v1.41/containers/{id}/json%0d%0aX:%201",
)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketProxy]:
    with SocketProxy(tmp_path_factory.mktemp("proxy"), "allowed") as proxy:
        yield proxy


@pytest.fixture
def container() -> Iterator[SmallContainer]:
    with running("--label=aegis.enable=true", "--memory=64m", "--memory-swap=64m", "--stop-timeout=1") as one:
        yield one


def test_all_that_aegis_does_goes_through(proxy: SocketProxy, container: SmallContainer) -> None:
    runtime = DockerRuntime(proxy.url, inspect_all=True)
    ref = TargetRef(name=container.name, id=container.id)
    runtime.ping()
    assert runtime.version()
    assert ref in {state.ref for state in runtime.targets()}
    assert runtime.usage(ref) is not None
    assert runtime.neighbours(ref) is not None
    assert runtime.secrets(ref) is not None
    runtime.logs(ref)
    runtime.happenings(ref, datetime.fromtimestamp(0, UTC))
    runtime.close()


def test_what_happens_comes_through_at_once(proxy: SocketProxy, container: SmallContainer) -> None:
    runtime, stopping = DockerRuntime(proxy.url), threading.Event()
    changes = runtime.changes(stopping)
    assert next(changes).kind is ChangeKind.GAP
    docker("kill", container.name)
    assert next(one.kind for one in changes if one.target and one.target.name == container.name)
    stopping.set()
    runtime.close()


def test_a_restart_and_a_higher_limit_go_through(proxy: SocketProxy, container: SmallContainer) -> None:
    runtime = DockerRuntime(proxy.url)
    before = runtime.find(container.name)
    assert before
    runtime.apply(Action.RESTART, before)
    after = runtime.observe(before.ref)
    assert after.started_at
    assert before.started_at
    assert after.started_at > before.started_at

    goal = Goal(limits=Limits(memory_bytes=96 * 2**20, cpus=before.limits.cpus))
    runtime.apply(Action.SCALE_UP, after, goal)
    assert runtime.observe(before.ref).limits.memory_bytes == 96 * 2**20
    runtime.close()


@pytest.mark.parametrize(("method", "path"), [*NEVER, *FOR_ROLLBACK], ids=str)
def test_everything_else_is_refused(proxy: SocketProxy, container: SmallContainer, method: str, path: str) -> None:
    assert proxy.status(method, path.replace("{id}", container.id), b"{}") in {400, 403, 405}


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_not_what_it_looks_like_is_refused(
    proxy: SocketProxy, container: SmallContainer, method: str, path: str
) -> None:
    assert proxy.status(method, path.replace("{id}", container.id)) in {400, 403}


def test_without_the_right_a_rollback_is_refused_before_anything_is_touched(
    proxy: SocketProxy, container: SmallContainer
) -> None:
    runtime = DockerRuntime(proxy.url)
    before = runtime.find(container.name)
    assert before
    with pytest.raises(ActionUnsupported, match="socket proxy"):
        runtime.apply(Action.ROLLBACK, before, Goal(image=before.image, image_id=before.image_id))
    assert runtime.observe(before.ref).started_at == before.started_at
    runtime.close()


def test_the_right_to_roll_back_is_one_of_its_own(tmp_path: Path, container: SmallContainer) -> None:
    with SocketProxy(tmp_path / "proxy", "allowed", "rollback") as proxy:
        runtime = DockerRuntime(proxy.url)
        before = runtime.find(container.name)
        assert before
        runtime.apply(Action.ROLLBACK, before, Goal(image=before.image, image_id=before.image_id))
        after = runtime.find(container.name)
        assert after
        assert after.ref.id != before.ref.id
        assert after.running
        runtime.close()
        for method, path in NEVER:
            assert proxy.status(method, path.replace("{id}", container.id), b"{}") in {400, 403, 405}, path
    for one in docker("ps", "--all", "--quiet", f"--filter=name={container.name}").split():
        docker("rm", "--force", one)


def test_the_files_of_rights_can_be_read_as_patterns() -> None:
    assert not any(one.match(f"POST /containers/{ID}/exec") for one in rights("allowed", "rollback"))
    assert any(one.match(f"POST /v1.41/containers/{ID}/restart?t=10") for one in rights("allowed"))
    assert not any(one.match("POST /v1.41/containers/create?name=x") for one in rights("allowed"))


def composed(*options: str) -> dict[str, Any]:
    """The compose file as Docker Compose understands it."""
    command = ["docker", "compose", *options, "config", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


def mounted(service: dict[str, Any]) -> set[str]:
    return {Path(volume["source"]).name for volume in service["volumes"]}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("proxy", {"docker.sock", "nginx.conf", "allowed.conf"}),
        ("rollback", {"docker.sock", "nginx.conf", "allowed.conf", "rollback.conf"}),
    ],
)
def test_behind_the_proxy_the_agent_holds_no_socket(name: str, files: set[str]) -> None:
    services = composed("--env-file", f"aegis_infra/socket_proxy/{name}.env")
    [proxy] = [service for service in services if service.startswith("socket-proxy")]
    assert mounted(services[proxy]) == files
    assert services[proxy]["labels"]["aegis.self"] == "true"
    assert "docker.sock" not in mounted(services["aegis-core"])
    assert services["aegis-core"]["environment"]["AEGIS_DOCKER_HOST"] == "tcp://socket-proxy:2375"


def test_the_proxies_are_off_by_default() -> None:
    services = composed()
    assert not [name for name in services if name.startswith("socket-proxy")]
    assert "docker.sock" in mounted(services["aegis-core"])
