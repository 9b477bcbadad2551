"""Reliability: how sure each source of a diagnosis was of its action, against what verification said of it."""

from collections.abc import Iterable
from typing import Final

from .figures import Calibration, Rate, calibration, rate
from .lesson import Outcome
from .model import Stored

_DIGITS: Final = 4


class Reliability(Stored):
    """One source: how often its actions made the target healthy, how sure it was on average, and how far that is off.

    `brier` is the mean of (confidence - outcome)², 0 at best (G. W. Brier, Monthly Weather Review 78, 1950): a quarter
    is what saying "0.5" every time gets. `calibration` has the bins, and the expected calibration error over them.
    """

    source: str
    verified: Rate
    confidence: float
    brier: float
    calibration: Calibration


def reliability(outcomes: Iterable[Outcome]) -> tuple[Reliability, ...]:
    """Work out the reliability of every source by name. Only verified actions count, and those with a confidence."""
    by_source: dict[str, list[tuple[float, bool]]] = {}
    for one in outcomes:
        if one.confidence is not None and one.source:
            by_source.setdefault(one.source, []).append((min(1.0, max(0.0, one.confidence)), one.healthy))
    return tuple(_of(source, pairs) for source, pairs in sorted(by_source.items()))


def _of(source: str, pairs: list[tuple[float, bool]]) -> Reliability:
    return Reliability(
        source=source,
        verified=rate(healthy for _, healthy in pairs),
        confidence=round(sum(sure for sure, _ in pairs) / len(pairs), _DIGITS),
        brier=round(sum((sure - healthy) ** 2 for sure, healthy in pairs) / len(pairs), _DIGITS),
        calibration=calibration(pairs),
    )
