"""How often the sensor asks the engine. What it reads out of the answers is tested on a real engine."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import docker.errors
import pytest
import requests

from aegis_core.adapters.docker.containers import Containers
from aegis_core.adapters.docker.meter import Meter
from aegis_core.adapters.docker.sensor import DockerSensor
from aegis_core.adapters.docker.state import Host
from aegis_core.adapters.docker.stops import Stops
from aegis_core.domain.target import RunState
from aegis_core.errors import RuntimeUnavailable

HOST = Host(cpus=2, memory_bytes=2**33)


class CountingEngine:
    """A few containers, and how often each was inspected."""

    api_version = "1.41"

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = {item["Id"]: item for item in items}
        self.inspected: Counter[str] = Counter()
        self.failing: dict[str, Exception] = {}

    def containers(self, all: bool) -> list[dict[str, Any]]:
        assert all
        return list(self.items.values())

    def stats(self, container: str, stream: bool, one_shot: bool) -> dict[str, Any]:
        return {"read": "0001-01-01T00:00:00Z"}

    def inspect_container(self, container: str) -> dict[str, Any]:
        self.inspected[container] += 1
        if container in self.failing:
            raise self.failing[container]
        item = self.items[container]
        return {
            "Id": container,
            "Name": item["Names"][0],
            "State": {"Status": item["State"], "StartedAt": "2026-03-01T12:00:00Z"},
            "Config": {"Labels": item["Labels"]},
            "HostConfig": {},
        }


def item(name: str, status: str = "Up 5 minutes", state: str = "running", enable: str = "true") -> dict[str, Any]:
    return {
        "Id": name.ljust(64, "-"),
        "Names": [f"/{name}"],
        "State": state,
        "Status": status,
        "Labels": {"aegis.enable": enable},
    }


class Bench:
    """A sensor over a counting engine, with a clock that is set by hand."""

    def __init__(self, *items: dict[str, Any], inspect_all: bool = False) -> None:
        self.now = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
        self.engine: Any = CountingEngine(*items)
        stops, meter = Stops(self.engine, self.clock), Meter(self.engine, HOST, self.clock)
        containers = Containers(self.engine, HOST, meter, stops, self.clock)
        self.sensor = DockerSensor(self.engine, containers, meter, stops, self.clock, inspect_all=inspect_all)

    def clock(self) -> datetime:
        return self.now

    def look(self, after: float = 0.0) -> int:
        """List after some seconds; returns how many containers were inspected for it."""
        self.now += timedelta(seconds=after)
        before = self.engine.inspected.total()
        self.sensor.targets()
        return int(self.engine.inspected.total() - before)


def refusal(status: int, explanation: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    kind = docker.errors.NotFound if status == 404 else docker.errors.APIError
    return kind("made up", response=response, explanation=explanation)


def test_only_those_that_opted_in_are_inspected() -> None:
    bench = Bench(item("shop"), item("other", enable="false"))

    assert bench.look() == 1
    assert [state.started_at is None for state in bench.sensor.targets()] == [False, True]


def test_all_are_inspected_when_all_are_watched_but_those_that_opted_out() -> None:
    assert Bench(item("a", enable=""), item("b", enable="false"), inspect_all=True).look() == 1


def test_what_has_not_changed_is_not_inspected_again_within_a_minute() -> None:
    bench = Bench(item("shop"))

    assert [bench.look(), bench.look(after=5), bench.look(after=45), bench.look(after=10)] == [1, 0, 0, 1]


@pytest.mark.parametrize("status", ["Up 5 seconds", "Up 5 minutes (unhealthy)"])
def test_what_is_young_or_ill_is_inspected_every_time(status: str) -> None:
    bench = Bench(item("shop", status))

    assert [bench.look(), bench.look(after=5)] == [1, 1]


def test_a_change_in_the_list_is_looked_at_at_once() -> None:
    bench = Bench(item("shop"))
    bench.look()
    bench.engine.items = {item("shop")["Id"]: item("shop", "Up 5 minutes (healthy)")}

    assert bench.look(after=5) == 1


def test_a_clock_that_was_set_back_makes_nothing_fresh_for_ever() -> None:
    bench = Bench(item("shop"))
    bench.look()

    assert bench.look(after=-3600) == 1


def test_a_container_that_has_gone_meanwhile_is_left_out() -> None:
    bench = Bench(item("shop"), item("gone"))
    bench.engine.failing[item("gone")["Id"]] = refusal(404, "No such container: gone")

    assert [state.ref.name for state in bench.sensor.targets()] == ["shop"]


def test_a_container_that_the_engine_cannot_describe_does_not_hide_the_others() -> None:
    bench = Bench(item("broken", "Exited (1) 2 minutes ago", state="exited"), item("shop"))
    bench.engine.failing[item("broken")["Id"]] = refusal(500, "layer does not exist")

    states = {state.ref.name: state for state in bench.sensor.targets()}

    assert states.keys() == {"broken", "shop"}
    assert (states["broken"].run, states["broken"].exit_code) == (RunState.EXITED, 1)


def test_an_engine_that_does_not_answer_at_all_is_said_to_be_away() -> None:
    bench = Bench(item("shop"))
    bench.engine.failing[item("shop")["Id"]] = requests.exceptions.ReadTimeout("slow")

    with pytest.raises(RuntimeUnavailable, match="inspecting shop"):
        bench.sensor.targets()
