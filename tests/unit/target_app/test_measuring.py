"""What the app measures of itself."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_infra.target_app.disk import DiskSpace
from aegis_infra.target_app.meter import CpuClock
from aegis_infra.target_app.traffic import RequestStatistics


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_latency_is_the_nearest_rank_95th_percentile(clock: Clock) -> None:
    statistics = RequestStatistics(10, clock)
    for milliseconds in range(1, 101):
        statistics.record(milliseconds / 1000, failed=False)

    assert statistics.latency_p95_ms() == 95


def test_two_requests_say_nothing_yet(clock: Clock) -> None:
    statistics = RequestStatistics(10, clock)
    statistics.record(9.0, failed=True)
    statistics.record(9.0, failed=True)

    assert statistics.latency_p95_ms() is None
    assert statistics.error_rate_percent() is None


def test_the_error_rate_is_that_of_the_window_only(clock: Clock) -> None:
    statistics = RequestStatistics(10, clock)
    for second in range(20):
        clock.now = second
        statistics.record(0.1, failed=second < 10)
    clock.now = 19.5
    assert statistics.error_rate_percent() == 0
    clock.now = 15 + 5
    statistics.record(0.1, failed=True)
    assert statistics.error_rate_percent() == pytest.approx(100 / 11)
    clock.now = 100
    assert statistics.error_rate_percent() is None


def test_cpu_counts_children_that_came_and_forgets_those_that_went(clock: Clock) -> None:
    looks: Iterator[dict[int, float]] = iter([{1: 5.0}, {1: 5.5, 2: 0.5}, {1: 5.5}, {1: 5.5, 3: 0.25}])
    cpu = CpuClock(clock, lambda: next(looks))

    clock.now = 1
    assert cpu.cores_used() == 1.0
    clock.now = 2
    assert cpu.cores_used() == 0.5
    clock.now = 3
    assert cpu.cores_used() == 0.125  # of the last two seconds only


def test_files_count_against_the_quota(tmp_path: Path) -> None:
    space = DiskSpace(tmp_path, 1000)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "a.csv").write_bytes(b"x" * 700)
    assert space.usage() == (700, 1000)
    space.claim(300, tmp_path / "b.csv")

    with pytest.raises(OSError, match=r"Disk quota exceeded.*b\.csv") as failure:
        space.claim(301, tmp_path / "b.csv")
    assert failure.value.errno == errno.EDQUOT


def test_on_a_file_system_smaller_than_the_quota_its_own_size_counts(tmp_path: Path) -> None:
    used, allowed = DiskSpace(tmp_path, 1 << 62).usage()

    assert 0 < used <= allowed < 1 << 62
    DiskSpace(tmp_path, 1 << 62).claim(1 << 61, tmp_path / "a")  # the file system itself says no, at the write
