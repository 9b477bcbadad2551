"""Memory and CPU from the engine's statistics."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis_core.adapters.docker.meter import Meter, Reading, cpu_percent, reading_of
from aegis_core.adapters.docker.state import Host
from aegis_core.domain.target import Usage

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MIB = 2**20
CGROUP_V1 = {
    "read": "2026-03-01T12:00:00.000000001Z",
    "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000, "percpu_usage": [1, 2]}, "online_cpus": 2},
    "memory_stats": {
        "usage": 100 * MIB,
        "max_usage": 120 * MIB,
        "stats": {"cache": 70 * MIB, "inactive_file": 1 * MIB, "total_inactive_file": 30 * MIB},
        "limit": 256 * MIB,
    },
}
CGROUP_V2 = {
    "read": "2026-03-01T12:00:00Z",
    "cpu_stats": {"cpu_usage": {"total_usage": 5_000_000_000}, "online_cpus": 2},
    "memory_stats": {"usage": 100 * MIB, "stats": {"anon": 60 * MIB, "file": 40 * MIB, "inactive_file": 25 * MIB}},
}
NOT_RUNNING = {
    "read": "0001-01-01T00:00:00Z",
    "cpu_stats": {"cpu_usage": {"total_usage": 0}},
    "memory_stats": {},
}


def test_on_cgroup_v1_the_droppable_cache_of_the_whole_tree_is_not_in_use() -> None:
    assert reading_of(CGROUP_V1) == Reading(AT, 70 * MIB, 5_000_000_000)


def test_on_cgroup_v2_the_droppable_cache_is_not_in_use() -> None:
    assert reading_of(CGROUP_V2) == Reading(AT, 75 * MIB, 5_000_000_000)


def test_a_cache_larger_than_the_usage_is_not_believed() -> None:
    stats = {**CGROUP_V2, "memory_stats": {"usage": 10 * MIB, "stats": {"inactive_file": 11 * MIB}}}

    reading = reading_of(stats)

    assert reading
    assert reading.memory_bytes == 10 * MIB


def test_a_container_that_does_not_run_has_no_reading() -> None:
    assert reading_of(NOT_RUNNING) is None


def test_a_kernel_without_the_memory_controller_still_tells_the_cpu() -> None:
    assert reading_of({**CGROUP_V2, "memory_stats": {}}) == Reading(AT, 0, 5_000_000_000)


@pytest.mark.parametrize(
    ("seconds", "cpu_seconds", "cores", "expected"),
    [
        (2.0, 1.0, 0.5, 100.0),  # all of half a core
        (2.0, 1.0, 4.0, 12.5),
        (2.0, 0.0, 1.0, 0.0),
        (0.0, 1.0, 1.0, None),
        (-5.0, 1.0, 1.0, None),  # the clock was set back
        (61.0, 1.0, 1.0, None),  # too long ago
        (2.0, -1.0, 1.0, None),  # started anew in between
    ],
)
def test_cpu_is_a_share_of_the_containers_own_allowance(
    seconds: float, cpu_seconds: float, cores: float, expected: float | None
) -> None:
    earlier = Reading(AT, 0, 3_000_000_000)
    later = Reading(AT + timedelta(seconds=seconds), 0, 3_000_000_000 + int(cpu_seconds * 1e9))

    assert cpu_percent(earlier, later, cores) == expected


class ScriptedEngine:
    """Answers stats with readings given beforehand: (seconds after AT, CPU seconds used)."""

    api_version = "1.41"

    def __init__(self, *readings: tuple[float, float]) -> None:
        self.readings = list(readings)

    def stats(self, container: str, stream: bool, one_shot: bool) -> dict[str, Any]:
        assert (stream, one_shot) == (False, True)
        seconds, used = self.readings.pop(0)
        read = (AT + timedelta(seconds=seconds)).isoformat()
        return {**CGROUP_V1, "read": read, "cpu_stats": {"cpu_usage": {"total_usage": int(used * 1e9)}}}


class Bench:
    """A meter over a scripted engine; the clock goes with the readings."""

    def __init__(self, *readings: tuple[float, float]) -> None:
        self.engine: Any = ScriptedEngine(*readings)
        self.meter = Meter(self.engine, Host(cpus=2, memory_bytes=2**33), self.clock)
        self.now = AT

    def clock(self) -> datetime:
        return self.now

    def usage(self, at: float, run: str = "first run", **settings: int) -> Usage:
        self.now = AT + timedelta(seconds=at)
        usage = self.meter.usage(inspection("shop", run, **settings))
        assert usage
        return usage

    def percents(self, *moments: float) -> list[float | None]:
        return [self.usage(at).cpu_percent for at in moments]


def inspection(name: str = "shop", run: str = "first run", **settings: int) -> dict[str, Any]:
    return {
        "Id": name.ljust(64, "-"),
        "Name": f"/{name}",
        "State": {"StartedAt": run},
        "HostConfig": settings or {"Memory": 100 * MIB, "NanoCpus": 500_000_000},
    }


def test_cpu_is_known_from_the_second_sample_on() -> None:
    assert Bench((0, 10), (5, 11), (10, 13.5)).percents(0, 5, 10) == [None, 40.0, 100.0]


def test_samples_that_come_in_quick_succession_share_a_mean_and_do_not_starve_the_next_one() -> None:
    bench = Bench((0, 10), (5, 11), (5.4, 11), (5.8, 11), (6.2, 11.3))

    assert bench.percents(0, 5, 5.4, 5.8, 6.2) == [None, 40.0, 40.0, 40.0, 50.0]


def test_who_looks_in_a_hurry_gets_the_newest_sample_and_waits_for_none() -> None:
    bench = Bench((0, 10), (0.5, 11))
    assert bench.meter.newest(inspection()) is None
    first = bench.usage(0)

    bench.now = AT + timedelta(minutes=5)

    assert bench.meter.newest(inspection()) is first
    assert len(bench.engine.readings) == 1, "nothing was asked of the engine"


def test_a_sample_of_the_former_run_contents_nobody() -> None:
    bench = Bench((0, 10))
    bench.usage(0)
    assert bench.meter.newest(inspection(run="second run")) is None


def test_after_a_restart_a_sample_of_the_former_run_says_nothing() -> None:
    bench = Bench((0, 10), (0.5, 11))
    bench.usage(0)

    assert bench.usage(0.5, run="second run").cpu_percent is None
    assert bench.engine.readings == []


def test_memory_is_a_share_of_the_containers_own_limit() -> None:
    usage = Bench((0, 10)).usage(0)

    assert (usage.memory_bytes, usage.memory_percent) == (70 * MIB, 70.0)


def test_without_a_limit_there_is_no_share_of_memory_and_cpu_is_of_all_cores() -> None:
    bench = Bench((0, 10), (5, 11))

    usages = [bench.usage(at, Memory=0) for at in (0, 5)]

    assert [usage.memory_percent for usage in usages] == [None, None]
    assert usages[1].cpu_percent == 10.0


def test_what_is_forgotten_is_measured_from_the_beginning() -> None:
    bench = Bench((0, 10), (5, 11))
    bench.usage(0)

    bench.meter.keep(frozenset())

    assert bench.usage(5).cpu_percent is None


class SteadyEngine(ScriptedEngine):
    """Always answers; counts how often it was asked for each container."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def stats(self, container: str, stream: bool, one_shot: bool) -> dict[str, Any]:
        self.asked[container] += 1
        return CGROUP_V1


def test_a_round_takes_the_samples_that_are_asked_for_afterwards() -> None:
    bench = Bench()
    bench.engine = bench.meter._engine = SteadyEngine()
    shops = [inspection(f"shop{number}") for number in range(5)]

    bench.meter.begin_round(shops)
    usages = [bench.meter.of_round(shop) for shop in shops]

    assert all(usages)
    assert set(bench.engine.asked.values()) == {1}


def test_with_very_many_containers_everyone_has_its_turn_and_nobody_two() -> None:
    bench = Bench()
    bench.engine = bench.meter._engine = SteadyEngine()
    shops = [inspection(f"shop{number}") for number in range(80)]
    asked: list[int] = []

    for seconds in (0, 5, 10):
        bench.now = AT + timedelta(seconds=seconds)
        bench.meter.begin_round(shops)
        usages = [bench.meter.of_round(shop) for shop in shops]
        asked.append(bench.engine.asked.total())

    assert asked == [32, 64, 96]
    assert all(usages)
    assert set(bench.engine.asked.values()) == {1, 2}
