"""The figures that a score is made of, each with its formula."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from statistics import median
from typing import Final

from .model import Stored

Z_95: Final = 1.959964  # the 97.5 % point of the standard normal distribution
BINS: Final = 10


class Rate(Stored):
    """`hits` of `of`, with the Wilson 95 % interval from `low` to `high`; None where there is nothing to count."""

    hits: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class Spread(Stored):
    """Median and 95th percentile (nearest rank: the smallest value that 95 % do not exceed)."""

    median: float
    p95: float


class Bin(Stored):
    """Answers with a confidence from `low` (inclusive) to `high` (exclusive, but for 1): how sure, how often right."""

    low: float
    high: float
    count: int
    confidence: float  # the mean of what was claimed
    right: float  # the share that was right


class Calibration(Stored):
    """`ece` is the expected calibration error over the bins; None where nobody answered."""

    ece: float | None
    bins: tuple[Bin, ...]


def rate(marks: Iterable[bool]) -> Rate:
    """Count how many hold: share = hits ÷ of.

    The interval is Wilson's (E. B. Wilson, JASA 22, 1927) with z = 1.96, which holds for small sets and near 0 and 1:
    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n).
    """
    counted = list(marks)
    hits, of = sum(counted), len(counted)
    if not of:
        return Rate(hits=0, of=0, share=None, low=None, high=None)
    share, square = hits / of, Z_95**2
    middle = share + square / (2 * of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + square / (4 * of**2))
    below, above = ((middle + sign * half) / (1 + square / of) for sign in (-1, 1))
    low, high = (0.0 if not hits else max(0.0, below)), (1.0 if hits == of else min(1.0, above))
    return Rate(hits=hits, of=of, share=_round(share), low=_round(low), high=_round(high))


def macro_f1(pairs: Iterable[tuple[Hashable, Hashable | None]]) -> float | None:
    """Average F1 over all classes, each counting the same however rare it is; None where there are no pairs.

    A pair is (what is right, what was said; None: nothing). Classes are all that are right or said somewhere.
    F1 of a class = 2·TP ÷ (2·TP + FP + FN).
    """
    right: Counter[Hashable] = Counter()
    said: Counter[Hashable] = Counter()
    both: Counter[Hashable] = Counter()
    for truth, answer in pairs:
        right[truth] += 1
        if answer is not None:
            said[answer] += 1
            both[truth] += answer == truth
    classes = right.keys() | said.keys()
    if not classes:
        return None
    return _round(sum(2 * both[one] / (right[one] + said[one]) for one in classes) / len(classes))


def calibration(answers: Iterable[tuple[float, bool]]) -> Calibration:
    """Compare claimed with real certainty: answers are (confidence from 0 to 1, whether it was right).

    ECE = Σ over ten equal-width bins of (count ÷ all) · |share right − mean confidence| (Naeini et al., AAAI 2015).
    """
    binned: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in answers:
        binned.setdefault(min(BINS - 1, int(confidence * BINS + 1e-9)), []).append((confidence, right))
    total = sum(len(found) for found in binned.values())
    bins = tuple(_bin(index, binned[index]) for index in sorted(binned))
    if not total:
        return Calibration(ece=None, bins=())
    error = sum(
        len(found) / total * abs(sum(right for _, right in found) - sum(sure for sure, _ in found)) / len(found)
        for found in binned.values()
    )
    return Calibration(ece=_round(error), bins=bins)


def _bin(index: int, found: Sequence[tuple[float, bool]]) -> Bin:
    count = len(found)
    return Bin(
        low=index / BINS,
        high=(index + 1) / BINS,
        count=count,
        confidence=_round(sum(confidence for confidence, _ in found) / count),
        right=_round(sum(right for _, right in found) / count),
    )


def spread(values: Iterable[float]) -> Spread | None:
    """Median and 95th percentile by nearest rank; None where there is no value."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Spread(median=_round(median(ordered)), p95=_round(ordered[math.ceil(0.95 * len(ordered)) - 1]))


def _round(value: float) -> float:
    return round(value, 4)
