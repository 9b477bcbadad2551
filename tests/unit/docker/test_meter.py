"""Memory and CPU from the engine's statistics."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis_core.adapters.docker.meter import Meter, Reading, cpu_percent, reading_of
from aegis_core.adapters.docker.state import Host

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
        (31.0, 1.0, 1.0, None),  # too long ago
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


INSPECTION = {"Id": "a" * 64, "Name": "/shop", "HostConfig": {"Memory": 100 * MIB, "NanoCpus": 500_000_000}}


def meter(engine: ScriptedEngine) -> Meter:
    return Meter(engine, Host(cpus=2, memory_bytes=2**33), lambda: AT)  # type: ignore[arg-type]


def percents(engine: ScriptedEngine, times: int, wait: bool = False) -> list[float | None]:
    one = meter(engine)
    usages = [one.usage(INSPECTION, wait) for _ in range(times)]
    return [usage.cpu_percent if usage else None for usage in usages]


def test_cpu_is_known_from_the_second_sample_on() -> None:
    assert percents(ScriptedEngine((0, 10), (5, 11), (10, 13.5)), 3) == [None, 40.0, 100.0]


def test_who_waits_gets_a_second_sample_at_once_where_there_is_none() -> None:
    engine = ScriptedEngine((0, 10), (0.2, 10.05), (5.2, 10.05))

    assert percents(engine, 2, wait=True) == [pytest.approx(50.0), 0.0]
    assert engine.readings == []


def test_of_two_who_ask_almost_at_once_the_second_gets_the_answer_of_the_first() -> None:
    assert percents(ScriptedEngine((0, 10), (5, 11), (5.001, 11.0005), (10, 12)), 4) == [None, 40.0, 40.0, 40.0]


def test_after_a_restart_the_counter_begins_again_and_so_does_the_measuring() -> None:
    assert percents(ScriptedEngine((0, 10), (5, 1), (10, 2)), 3) == [None, None, 40.0]


def test_memory_is_a_share_of_the_containers_own_limit() -> None:
    usage = meter(ScriptedEngine((0, 10))).usage(INSPECTION)

    assert usage
    assert (usage.memory_bytes, usage.memory_percent) == (70 * MIB, 70.0)


def test_without_a_limit_there_is_no_share_of_memory() -> None:
    usage = meter(ScriptedEngine((0, 10))).usage({**INSPECTION, "HostConfig": {}})

    assert usage
    assert usage.memory_percent is None


def test_what_is_forgotten_is_measured_from_the_beginning() -> None:
    one = meter(ScriptedEngine((0, 10), (5, 11)))
    one.usage(INSPECTION)

    one.keep(frozenset())

    usage = one.usage(INSPECTION)
    assert usage
    assert usage.cpu_percent is None
