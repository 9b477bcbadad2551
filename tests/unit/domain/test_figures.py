"""The figures of a score, against values worked out by hand or published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.figures import calibration, macro_f1, rate, spread


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # Wilson: z²/(n + z²) = 3.8415/13.8415
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    found = rate([True] * hits + [False] * (of - hits))
    assert (found.hits, found.of, found.share) == (hits, of, pytest.approx(hits / of, abs=1e-4))
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_share_of_nothing_is_no_share() -> None:
    assert (rate([]).share, rate([]).low, rate([]).of) == (None, None, 0)


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_the_interval_holds_the_share_and_stays_between_none_and_all(marks: list[bool]) -> None:
    found = rate(marks)
    assert found.low is not None
    assert found.high is not None
    assert found.share is not None
    assert 0 <= found.low <= found.share + 1e-4
    assert found.share - 1e-4 <= found.high <= 1


def test_macro_f1_by_hand() -> None:
    pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("c", "a")]
    # a: TP 2, FP 1, FN 1 → 4/6; b: TP 1, FP 1, FN 0 → 2/3; c: 0
    assert macro_f1(pairs) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3, abs=1e-4)


def test_no_answer_costs_the_class_that_it_missed_and_is_no_class_itself() -> None:
    assert macro_f1([("a", "a"), ("a", None)]) == pytest.approx(2 / 3, abs=1e-4)
    assert macro_f1([("a", "a"), ("a", "b")]) == pytest.approx((2 / 3 + 0) / 2, abs=1e-4)
    assert macro_f1([]) is None


def test_the_calibration_error_by_hand() -> None:
    found = calibration([(0.95, True), (0.95, True), (0.95, False), (0.95, True), (0.55, True), (0.55, False)])
    # 4/6 · |0.75 − 0.95| + 2/6 · |0.5 − 0.55|
    assert found.ece == pytest.approx(4 / 6 * 0.2 + 2 / 6 * 0.05, abs=1e-4)
    assert [(one.low, one.count, one.confidence, one.right) for one in found.bins] == [
        (0.5, 2, 0.55, 0.5),
        (0.9, 4, 0.95, 0.75),
    ]


def test_bins_begin_at_their_lower_edge_and_the_last_one_holds_certainty() -> None:
    bins = calibration([(0.7, True), (0.69, True), (1.0, True), (0.9, True), (0.0, True), (0.3, True)]).bins
    assert [(one.low, one.count) for one in bins] == [(0.0, 1), (0.3, 1), (0.6, 1), (0.7, 1), (0.9, 2)]


def test_who_is_as_often_right_as_sure_has_no_error() -> None:
    assert calibration([(0.8, number < 8) for number in range(10)]).ece == 0
    assert calibration([]).ece is None


def test_median_and_95th_percentile() -> None:
    found = spread(range(1, 21))
    assert found
    assert (found.median, found.p95) == (10.5, 19.0)
    one = spread([3.0])
    assert one
    assert (one.median, one.p95) == (3.0, 3.0)
    assert spread([]) is None
