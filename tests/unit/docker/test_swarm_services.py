"""Services in the place of the containers of their tasks; and nothing of it where no swarm is managed."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import requests
from docker.errors import APIError

from aegis_core.adapters.docker.swarm import Swarm, is_service
from aegis_core.adapters.docker.swarm_services import Services
from aegis_core.domain.target import Health, TargetState, Usage, Watch, is_own
from aegis_core.errors import RuntimeUnavailable, TargetGone
from tests import examples as make

from .swarm_says import NODE, NOON, SERVICE, service, spec, task

MANAGER = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": NODE}}
WORKER = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": False, "NodeID": NODE}}
ALONE: Mapping[str, Any] = {"Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False, "NodeID": ""}}
OF_SHOP = {"com.docker.swarm.service.id": SERVICE, "com.docker.swarm.service.name": "shop"}
LOG = make.state(name="log", id="1" * 64, labels={})


def answered(status: int, words: str) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("refused", response=response, explanation=words)


class Managers:
    """The engine, as far as services are asked for. `calls` are all that were made."""

    def __init__(self, *services: dict[str, Any], tasks: Iterable[dict[str, Any]] = ()) -> None:
        self.kept, self.of = list(services), list(tasks)
        self.calls: list[str] = []
        self.problem: APIError | requests.ConnectionError | None = None
        self.told = MANAGER

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.problem:
            raise self.problem

    def info(self) -> Mapping[str, Any]:
        self._call("info")
        return self.told

    def services(self) -> list[dict[str, Any]]:
        self._call("services")
        return self.kept

    def tasks(self, filters: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        self._call("tasks")
        return [one for one in self.of if one["ServiceID"] in filters["service"]]

    def inspect_service(self, which: str) -> dict[str, Any]:
        self._call("service")
        found = [one for one in self.kept if which in (one["ID"], one["Spec"]["Name"], one["ID"][:5])]
        if not found:
            raise answered(404, f"service {which} not found")
        return found[0]


class Nothing:
    """The containers of this node: there are none to be looked at, or measured."""

    def inspected(self, container: str, name: str) -> None:
        raise TargetGone(f"No such container: {container}")

    def usage(self, _: object) -> Usage | None:
        raise AssertionError("there is nothing to measure")


def services_of(managers: Managers, info: Mapping[str, Any] = MANAGER) -> Services:
    swarm = Swarm(managers, info)  # type: ignore[arg-type]
    bare: Any = Nothing()
    return Services(swarm, bare, bare, bare, lambda: NOON + timedelta(minutes=5), watch=Watch.LABELED)


def container(number: int = 1, **known: Any) -> TargetState:
    return make.state(f"shop.{number}.x", f"container-{number}", **{"labels": OF_SHOP, **known})


@pytest.mark.parametrize("info", [ALONE, {}])
def test_where_there_is_no_swarm_nothing_is_asked_and_nothing_changes(info: Mapping[str, Any]) -> None:
    managers = Managers(service())
    services = services_of(managers, info)
    states = [LOG]
    assert services.instead_of_tasks(states) is states
    assert services.find("shop") is None
    assert managers.calls == []


def test_on_a_worker_a_task_is_a_container_like_any_other() -> None:
    managers = Managers(service())
    managers.told = WORKER
    states = [LOG, container()]
    assert services_of(managers, WORKER).instead_of_tasks(states) is states
    assert managers.calls == [], "it has told so a moment ago"


def test_on_a_manager_a_service_stands_in_the_place_of_its_tasks() -> None:
    managers = Managers(service(), tasks=[task(), task(number=2, slot=2)])
    seen = services_of(managers).instead_of_tasks([container(), LOG, container(2, health=Health.HEALTHY)])
    assert [state.ref.name for state in seen] == ["log", "shop"]
    assert managers.calls == ["services", "tasks"]


def test_of_what_has_not_opted_in_no_task_is_asked_for() -> None:
    managers = Managers(service(spec(labels={})), tasks=[task()])
    (seen,) = services_of(managers).instead_of_tasks([container()])
    assert (seen.ref.name, seen.labels) == ("shop", {})
    assert managers.calls == ["services"]


def test_a_job_and_a_plugin_are_no_targets() -> None:
    job = service({**spec(), "Name": "job", "Mode": {"ReplicatedJob": {}}}, ID="j" * 25)
    plugin = service({**spec(), "Name": "plugin", "TaskTemplate": {"PluginSpec": {}}}, ID="p" * 25)
    services = services_of(Managers(job, plugin))
    assert services.instead_of_tasks([LOG]) == [LOG]
    assert services.find("job") is None


def test_a_container_of_the_same_name_goes_first() -> None:
    shop = make.state(name="shop", id="2" * 64, labels={})
    assert services_of(Managers(service())).instead_of_tasks([shop]) == [shop]


def test_only_the_whole_name_finds_a_service() -> None:
    services = services_of(Managers(service(), tasks=[task()]))
    found = services.find("shop")
    assert found
    assert found.ref.id == SERVICE
    assert services.find(SERVICE) is None
    assert services.find(SERVICE[:5]) is None


def test_swarm_forgets_old_failures_and_they_are_counted_all_the_same() -> None:
    managers = Managers(service())
    services = services_of(managers)
    for number in range(1, 9):
        kept = range(max(1, number - 3), number + 1)
        managers.of = [task("failed", one, number=one, error="task: non-zero exit (1)") for one in kept]
        (seen,) = services.instead_of_tasks([])
        assert seen.restart_count == number
    managers.kept = [service(update="completed", begun=60)]
    (seen,) = services.instead_of_tasks([])
    assert seen.restart_count == 0, "it was told to start anew"


def test_aegis_itself_as_a_service_is_known_by_its_container() -> None:
    managers = Managers(service(), tasks=[task()])
    own = container(labels={**OF_SHOP, "aegis.self": "true"}, started_at=NOON)
    (seen,) = services_of(managers).instead_of_tasks([own])
    assert seen.labels["aegis.self"] == "true"


def test_aegis_itself_as_a_service_is_known_by_the_hostname_of_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "c0ffee012345")
    one = task()
    one["Status"]["ContainerStatus"]["ContainerID"] = "c0ffee012345" + "0" * 52
    own = make.state("shop.1.x", one["Status"]["ContainerStatus"]["ContainerID"], labels=OF_SHOP, started_at=NOON)
    (seen,) = services_of(Managers(service(), tasks=[one])).instead_of_tasks([own])
    assert is_own(seen, frozenset())
    (other,) = services_of(Managers(service(), tasks=[task()])).instead_of_tasks([container(started_at=NOON)])
    assert not is_own(other, frozenset())


def test_a_swarm_without_a_leader_hides_no_container() -> None:
    managers = Managers(service(), tasks=[task()])
    services = services_of(managers)
    before = services.instead_of_tasks([LOG])
    managers.problem = answered(500, "rpc error: code = Unknown desc = The swarm does not have a leader")
    assert services.instead_of_tasks([LOG]) == before
    managers.problem = answered(503, "This node is not a swarm manager. Manager is being prepared or has trouble")
    assert services.instead_of_tasks([LOG]) == before
    managers.problem = requests.ConnectionError("gone")  # type: ignore[assignment]
    with pytest.raises(RuntimeUnavailable):
        services.instead_of_tasks([LOG])


@pytest.mark.parametrize(
    "problem",
    [
        answered(503, "This node is not a swarm manager. Use docker swarm init"),
        answered(403, "the socket proxy of Aegis does not let GET through to this address"),
    ],
)
def test_who_is_not_let_look_after_services_looks_after_containers(problem: APIError) -> None:
    managers = Managers(service())
    services = services_of(managers)
    managers.problem = problem
    states = [LOG, container()]
    assert services.instead_of_tasks(states) is states
    assert services.instead_of_tasks(states) is states
    assert managers.calls == ["services"], "it is not asked again at every look"


def test_a_service_is_told_from_a_container_by_its_id() -> None:
    assert is_service(SERVICE)
    assert not is_service("5" * 64)
    assert not is_service("a1")
