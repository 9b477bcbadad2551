"""A series of samples in words: what it did, not every figure of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from .target import Usage

LEAST_CHANGE: Final = 10.0  # points of percent below which a series counts as steady
LEAST_SECONDS: Final = 0.1  # the same for durations in seconds
LEAST_SHARE: Final = 0.5  # and for all but percentages: the share of the mean
FEWEST: Final = 3  # samples: two points are no course

Sample = tuple[datetime | None, float]
"""When it was taken, if that is known, and the value."""


def course_of(series: Sequence[Usage]) -> Iterable[str]:
    """Tell how memory and CPU went, each in one line; nothing where there are fewer than three samples."""
    for name, measure in (("memory", "memory_percent"), ("CPU", "cpu_percent")):
        samples = [(one.at, value) for one in series if (value := getattr(one, measure)) is not None]
        yield from told(name, samples, "%")


def told(name: str, samples: Sequence[Sample], unit: str) -> Iterable[str]:
    """Tell how one series went, in one line; nothing where there are fewer than three samples.

    `unit` is `%`, `s` for seconds, or any other word; it decides from which change on a series is not steady.
    """
    if len(samples) < FEWEST:
        return
    values = [value for _, value in samples]
    first, last, low, high = values[0], values[-1], min(values), max(values)
    span, mean = _span(samples), sum(values) / len(values)
    if high - low < _least_change(mean, unit):
        yield f"{name} was steady at about {_number(mean, unit)}{_spaced(unit)} {span}"
        return
    ends = f"went from {_number(first, unit)}{_spaced(unit)} to {_number(last, unit)}{_spaced(unit)}"
    yield f"{name} {ends} {span} (lowest {_number(low, unit)}, highest {_number(high, unit)}{_spaced(unit)})"


def _least_change(mean: float, unit: str) -> float:
    if unit == "%":
        return LEAST_CHANGE
    return max(LEAST_SHARE * abs(mean), LEAST_SECONDS if unit == "s" else 0.0, 1e-9)


def _span(samples: Sequence[Sample]) -> str:
    begin, end = samples[0][0], samples[-1][0]
    if begin is None or end is None:
        return f"over {len(samples)} samples"
    return f"within {(end - begin).total_seconds():.0f} s"


def _number(value: float, unit: str) -> str:
    return f"{value:.0f}" if unit == "%" else f"{value:.3g}"


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""
