"""The socket proxy on a manager of a swarm: with the right to services they are healed, without it left alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.action import Action
from aegis_core.domain.intent import Wish
from aegis_core.errors import ActionUnsupported
from tests.acceptance.swarm_ward import Service, SwarmWard

from .socket_proxy import SocketProxy

pytestmark = pytest.mark.engine

NEVER = (
    ("POST", "/v1.41/services/create"),
    ("DELETE", "/v1.41/services/{id}"),
    ("POST", "/v1.41/services/{id}/update"),
    ("POST", "/v1.41/services/{id}/update?version=1&registryAuthFrom=spec"),
    ("POST", "/v1.41/services/{id}/update?version=1&rollback=previous&x=1"),
    ("POST", "/v1.41/services/{id}/../create?version=1"),
    ("GET", "/v1.41/services/{id}/../../secrets"),
    ("POST", "/v1.41/tasks"),
    ("GET", "/v1.41/nodes"),
    ("POST", "/v1.41/nodes/x/update?version=1"),
    ("GET", "/v1.41/swarm"),
    ("GET", "/v1.41/swarm/unlockkey"),
    ("POST", "/v1.41/swarm/leave"),
    ("GET", "/v1.41/secrets"),
    ("GET", "/v1.41/configs"),
)


@pytest.fixture(scope="module")
def service(engine: None) -> Iterator[Service]:
    with SwarmWard() as ward:
        yield ward.serve("--label=aegis.enable=true")


def test_with_the_right_all_that_is_done_to_a_service_goes_through_and_nothing_else(
    service: Service, tmp_path: Path
) -> None:
    with SocketProxy(tmp_path / "proxy", "allowed", "swarm") as proxy:
        runtime = DockerRuntime(proxy.url)
        assert service.name in {state.ref.name for state in runtime.targets()}
        before = runtime.find(service.name)
        assert before
        assert runtime.usage(before.ref)
        assert "ready" in runtime.logs(before.ref)
        assert runtime.happenings(before.ref, datetime.fromtimestamp(0, UTC))
        assert runtime.secrets(before.ref) is not None
        assert runtime.neighbours(before.ref) == []
        runtime.apply(Action.RESTART, before)
        assert service.forced == 1
        runtime.close()
        for method, path in NEVER:
            assert proxy.status(method, path.replace("{id}", service.id), b"{}") in {400, 403}, path


def test_without_the_right_services_are_left_alone_and_containers_looked_after(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forced = service.forced
    with SocketProxy(tmp_path / "proxy", "allowed") as proxy:
        runtime = DockerRuntime(proxy.url)
        seen = {state.ref.name for state in runtime.targets()}
        assert service.name not in seen
        assert set(service.containers()) & seen, "its task is a container like any other"
        assert runtime.find(service.name) is None
        assert caplog.text.count("services are not looked after") == 1
        runtime.close()
    assert service.forced == forced


def test_a_task_is_never_acted_on_by_itself(service: Service, tmp_path: Path) -> None:
    with SocketProxy(tmp_path / "proxy", "allowed") as proxy:
        runtime = DockerRuntime(proxy.url)
        task = runtime.find(service.containers()[0])
        assert task
        for action in (Action.RESTART, Action.SCALE_UP, Action.ROLLBACK):
            with pytest.raises(ActionUnsupported, match=f"task of the Swarm service {service.name}"):
                runtime.plan(action, task, Wish())
        with pytest.raises(ActionUnsupported, match="only the service can be acted on"):
            runtime.apply(Action.RESTART, task)
        runtime.close()
