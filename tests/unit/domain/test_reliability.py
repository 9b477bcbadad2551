"""How sure a source was, against what verification said."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.lesson import Outcome
from aegis_core.domain.reliability import reliability


def outcomes(source: str, *told: tuple[float | None, bool]) -> list[Outcome]:
    return [Outcome(action=Action.RESTART, healthy=healthy, source=source, confidence=sure) for sure, healthy in told]


def test_nothing_verified_tells_nothing() -> None:
    assert reliability([]) == ()
    assert reliability([*outcomes("", (0.9, True)), *outcomes("cloud", (None, True))]) == ()


def test_the_figures_are_those_worked_out_by_hand() -> None:
    [one] = reliability(outcomes("cloud", (0.9, True), (0.9, False), (0.7, True), (0.2, False)))
    assert (one.source, one.verified.hits, one.verified.of) == ("cloud", 2, 4)
    assert one.confidence == 0.675
    assert one.brier == pytest.approx((0.01 + 0.81 + 0.09 + 0.04) / 4)
    assert one.calibration.ece == pytest.approx((2 * abs(0.5 - 0.9) + 1 * abs(1 - 0.7) + 1 * abs(0 - 0.2)) / 4)
    assert [(one.low, one.count, one.right) for one in one.calibration.bins] == [
        (0.2, 1, 0),
        (0.7, 1, 1),
        (0.9, 2, 0.5),
    ]


def test_each_source_is_judged_by_its_own_actions() -> None:
    told = reliability([*outcomes("rules", (0.8, False)), *outcomes("cloud", (0.8, True))])
    assert [(one.source, one.verified.share) for one in told] == [("cloud", 1.0), ("rules", 0.0)]


def test_a_source_that_always_knows_has_no_error_and_one_that_boasts_has() -> None:
    [sure] = reliability(outcomes("cloud", *[(1.0, True)] * 9))
    [boasts] = reliability(outcomes("cloud", *[(1.0, False)] * 9))
    assert (sure.brier, sure.calibration.ece) == (0, 0)
    assert (boasts.brier, boasts.calibration.ece) == (1, 1)


@pytest.mark.parametrize("confidence", [7.0, -1.0])
def test_a_confidence_out_of_range_breaks_nothing(confidence: float) -> None:
    [one] = reliability(outcomes("cloud", (confidence, True)))
    assert 0 <= one.brier <= 1
