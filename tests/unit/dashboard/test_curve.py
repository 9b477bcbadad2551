"""Curves against a limit."""

from aegis_dashboard.components.curve import HEIGHT, curve, runs, scale_top


def test_the_scale_reaches_the_limit_even_if_the_values_are_far_below() -> None:
    assert scale_top([1.0, 2.0], 100.0) > 100.0


def test_the_scale_reaches_the_values_that_are_above_the_limit() -> None:
    assert scale_top([250.0], 100.0) > 250.0


def test_a_missing_sample_is_a_gap_and_not_a_zero() -> None:
    assert runs([1.0, None, 2.0, 3.0]) == [[(0, 1.0)], [(2, 2.0), (3, 3.0)]]
    assert curve([1.0, None, 2.0, 3.0], "work", "m").count("<polyline") == 2


def test_without_samples_there_is_the_limit_alone() -> None:
    drawn = curve([], "work", "memory")
    assert "<polyline" not in drawn
    assert "<line" in drawn


def test_without_a_limit_there_is_no_line_for_it() -> None:
    assert "<line" not in curve([1.0, 2.0], "work", "memory", limit=None)


def test_a_higher_value_is_drawn_higher() -> None:
    drawn = curve([0.0, 100.0], "work", "m")
    points = drawn.split("<polyline")[1].split('points="')[1].split('"')[0].split()
    low, high = (float(point.split(",")[1]) for point in points)
    assert low == HEIGHT
    assert high < low / 2
