"""Curves against a limit."""

import re

from aegis_dashboard.components.curve import HEIGHT, WIDTH, Ahead, curve, reach, runs, scale_top

Spots = list[tuple[float, float]]
SOON = Ahead(likely=0.5, earliest=0.4, latest=0.6)


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


def spots(drawn: str, cls: str) -> Spots:
    """The points of the one shape of this class."""
    [shape] = [found for found in re.findall(r"<poly[^>]*>", drawn) if f'class="{cls}"' in found]
    [points] = re.findall(r'points="([^"]*)"', shape)
    return [(float(x), float(y)) for x, y in (one.split(",") for one in points.split())]


def test_what_lies_ahead_goes_on_from_the_last_value_into_the_limit() -> None:
    drawn = curve([40.0, 60.0], "warn", "m", ahead=SOON)
    (_, past), (ahead, end) = spots(drawn, "ag-line"), spots(drawn, "ag-ahead")
    assert past == ahead
    limit = HEIGHT * (1 - 100 / scale_top([60.0], 100.0))
    assert abs(end[1] - limit) < 0.01
    assert past[0] < end[0] < WIDTH
    assert "ag-meets" in drawn


def test_a_steady_leak_goes_on_without_a_bend() -> None:
    drawn = curve([40.0, 60.0], "warn", "m", ahead=Ahead(likely=2.0, earliest=1.9, latest=2.1))
    (x0, y0), (x1, y1) = spots(drawn, "ag-line")
    _, (x2, y2) = spots(drawn, "ag-ahead")
    assert abs((y1 - y0) / (x1 - x0) - (y2 - y1) / (x2 - x1)) < 0.01


def test_the_interval_is_shaded_around_the_line() -> None:
    drawn = curve([40.0, 60.0], "warn", "m", ahead=SOON)
    _, earliest, latest = spots(drawn, "ag-wedge")
    _, end = spots(drawn, "ag-ahead")
    assert earliest[0] < end[0] < latest[0]
    assert spots(drawn, "ag-between") == [earliest, latest]


def test_a_limit_that_is_far_away_is_approached_up_to_the_edge_and_not_met() -> None:
    drawn = curve([40.0, 60.0], "work", "m", ahead=Ahead(likely=100.0, earliest=90.0, latest=120.0))
    _, end = spots(drawn, "ag-ahead")
    assert end[0] == WIDTH
    assert end[1] > HEIGHT * (1 - 100 / scale_top([60.0], 100.0)) + 1
    assert "ag-meets" not in drawn
    assert "ag-between" not in drawn
    assert spots(drawn, "ag-line")[-1][0] > WIDTH / 3


def test_an_interval_that_leaves_the_picture_is_cut_at_its_edge() -> None:
    drawn = curve([40.0, 60.0], "warn", "m", ahead=Ahead(likely=0.5, earliest=0.4, latest=4.0))
    _, _, corner, latest = spots(drawn, "ag-wedge")
    assert corner[0] == latest[0] == WIDTH
    assert corner[1] < latest[1]


def test_a_limit_that_is_reached_has_nothing_ahead() -> None:
    for values in ([100.0], [None], []):
        assert "ag-ahead" not in curve(values, "bad", "m", ahead=SOON)
    assert "ag-ahead" not in curve([1.0], "work", "m", limit=None, ahead=SOON)


def test_a_limit_that_is_reached_at_once_is_reached() -> None:
    assert reach(0.0, 99.0, 100.0, shown=0.2) == (0.0, 100.0)
