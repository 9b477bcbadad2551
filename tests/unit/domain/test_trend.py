"""The trend of a series of points."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.trend import falls_of, noise_of, thinned, trend_of


def line(slope: float, level: float, count: int = 20) -> list[tuple[float, float]]:
    return [(float(second), level + slope * second) for second in range(-count, 0)]


@given(st.floats(-100, 100), st.floats(-1000, 1000), st.integers(2, 40))
def test_a_line_is_found_as_it_is(slope: float, level: float, count: int) -> None:
    trend = trend_of(line(slope, level, count))
    assert trend.slope == pytest.approx(slope, abs=1e-6)
    assert trend.level == pytest.approx(level, abs=1e-3)
    assert trend.low <= trend.slope + 1e-9
    assert trend.high >= trend.slope - 1e-9
    assert trend.residual == pytest.approx(0, abs=1e-3)


def test_a_fifth_of_wild_points_does_not_move_the_slope() -> None:
    points = [(t, y + 10_000 * (i % 5 == 0)) for i, (t, y) in enumerate(line(3.0, 100.0, 40))]
    assert trend_of(points).slope == pytest.approx(3.0, rel=0.05)


def test_the_interval_holds_the_true_slope_about_as_often_as_it_says() -> None:
    rng, held = Random(7), 0
    for _ in range(300):
        trend = trend_of([(t, y + rng.gauss(0, 5)) for t, y in line(1.0, 0.0, 14)])
        held += trend.low <= 1.0 <= trend.high
    assert 0.84 <= held / 300 <= 0.97


def test_noise_is_told_whatever_the_trend() -> None:
    rng = Random(7)
    for slope in (0.0, 5.0, -50.0):
        noise = noise_of([(t, y + rng.gauss(0, 4)) for t, y in line(slope, 0.0, 400)])
        assert noise == pytest.approx(4, rel=0.2)


def test_two_points_have_no_noise() -> None:
    assert noise_of(line(1.0, 0.0, 2)) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1000)), min_size=2, max_size=100, unique_by=lambda p: p[0]))
def test_thinning_keeps_order_and_range(points: list[tuple[float, float]]) -> None:
    points.sort()
    kept = thinned(points, 14)
    assert len(kept) <= max(14, min(len(points), 14))
    assert [t for t, _ in kept] == sorted(t for t, _ in kept)
    assert points[0][0] <= kept[0][0] <= kept[-1][0] <= points[-1][0]


def test_falls_are_found_with_their_peaks_and_troughs() -> None:
    heights = [1, 5, 9, 2, 3, 8, 12, 4, 4, 6]
    falls = falls_of([(float(i), float(y)) for i, y in enumerate(heights)], 3)
    assert [(fall.peak[1], fall.trough[1], fall.height) for fall in falls] == [(9, 2, 7), (12, 4, 8)]


def test_a_fall_that_is_still_going_on_counts_and_a_small_one_does_not() -> None:
    assert [fall.height for fall in falls_of([(0.0, 1.0), (1.0, 9.0), (2.0, 5.0)], 3)] == [4]
    assert not falls_of([(0.0, 1.0), (1.0, 9.0), (2.0, 7.0), (3.0, 10.0)], 3)
