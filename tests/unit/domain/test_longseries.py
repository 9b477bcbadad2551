"""The memory of one target over hours."""

from aegis_core.domain.longseries import MOST, LongSeries
from aegis_core.domain.target import Usage
from tests.examples import NOON, later


def filled(seconds: range) -> LongSeries:
    series = LongSeries()
    for second in seconds:
        series.add(Usage(at=later(second), memory_bytes=second))
    return series


def test_one_sample_a_minute_is_kept() -> None:
    points = filled(range(0, 601, 2)).points()
    assert [second - NOON.timestamp() for second, _ in points] == list(range(0, 601, 60))
    assert [size for _, size in points] == list(range(0, 601, 60))


def test_it_reaches_back_six_hours_and_no_further() -> None:
    points = filled(range(0, 10 * 3600, 60)).points()
    assert len(points) == MOST
    assert points[-1][0] - points[0][0] == 6 * 3600 - 60


def test_what_was_before_a_start_can_be_left_out() -> None:
    assert [size for _, size in filled(range(0, 301, 60)).points(since=later(180))] == [180, 240, 300]


def test_a_clock_that_was_set_back_begins_anew() -> None:
    series = filled(range(0, 301, 60))
    series.add(Usage(at=later(-100), memory_bytes=7))
    assert [size for _, size in series.points()] == [7]


def test_it_can_forget() -> None:
    series = filled(range(0, 301, 60))
    series.clear()
    assert not series.points()
