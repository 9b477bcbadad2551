"""Figures that somebody else has recorded, in whatever shape: the newest of each, and how each series went."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from .course import Sample, told
from .logs import clean_line

MOST_SERIES: Final = 40
MOST_SAMPLES: Final = 2_000
MOST_DEPTH: Final = 4
MOST: Final = 1e300
_TIMES: Final = frozenset({"time", "timestamp", "ts", "at", "date", "datetime"})
_UNITS: Final[Mapping[str, str]] = {"%": "percent", "s": "seconds", "sec": "seconds", "ms": "ms", "b": "bytes"}
_SPOKEN: Final[Mapping[str, str]] = {"percent": "%", "pct": "%", "seconds": "s", "ms": "ms", "bytes": "bytes"}
_FILLING: Final = re.compile(r"(?:pod|container|usage|current|p\d\d?)")  # says nothing about what was measured
_UNIT: Final = re.compile(r"^(.{1,80}?)\s{0,3}[(\[]\s{0,3}([^()\[\]]{1,20}?)\s{0,3}[)\]]$")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+\d*(?![a-z])|\d+")
_SNAKE: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")
_NUMBER: Final = re.compile(r"([-+]?\d{1,30}(?:\.\d{1,30})?(?:[eE][-+]?\d{1,3})?)\s{0,3}(%|s|ms|bytes)?")
_LINE: Final = re.compile(
    r"^[\s\-*]{0,8}([A-Za-z][\w .()%/\[\]-]{0,80}?)\s{0,3}(?:[:=]\s{0,3}|\s)([-+]?\d\S{0,40}.{0,6})$"
)


class Measured(NamedTuple):
    """The newest value of each metric by its name in snake_case with its unit, and each series in words."""

    values: Mapping[str, float]
    course: tuple[str, ...]


def measured(raw: object) -> Measured:
    """Read metrics that were recorded as rows of samples, as names with numbers or lists of them, or as text.

    Tolerant: what is no figure is passed over, except lines of text, which are kept as they are. A percentage that is
    0 in every sample of a series was not measured: exporters write 0 for what they do not have.
    """
    reader = _Reader()
    reader.read(raw)
    real = {name: samples for name, samples in reader.series.items() if not _blank(name, samples)}
    values = {name: samples[-1][1] for name, samples in real.items()}
    courses = [line for name, samples in real.items() for line in _course(name, samples)]
    return Measured(values, tuple([*courses, *reader.words][:MOST_SERIES]))


def metric_name(name: str) -> str:
    """Bring a metric's name into snake_case with its unit at the end: `CpuUsageRate(%)` → `cpu_percent`."""
    if _SNAKE.fullmatch(name):
        return name
    parted = _UNIT.match(name.strip()[:120])
    base, unit = (parted[1], parted[2].lower()) if parted else (name.strip()[:120], "")
    words = [word.lower() for word in _WORD.findall(base)]
    kept = [word for word in words if not _FILLING.fullmatch(word) and not (word == "rate" and unit == "%")]
    unit = _UNITS.get(unit, "_".join(_WORD.findall(unit)).lower())
    return "_".join([*(kept or words), *([unit] if unit and unit not in kept else [])])[:80]


class _Reader:
    """Collects every figure into the series that it belongs to, and the lines of text that hold none."""

    def __init__(self) -> None:
        self.series: dict[str, list[Sample]] = {}
        self.words: list[str] = []

    def read(self, raw: object, name: str = "", at: datetime | None = None, depth: int = MOST_DEPTH) -> None:
        """Read a value; `name` is what stood around it, `at` when its row was taken."""
        if depth < 0 or isinstance(raw, bool):
            return
        if isinstance(raw, int | float):
            self._add(name, at, raw)
        elif isinstance(raw, str):
            self._read_text(raw, name, at)
        elif isinstance(raw, Mapping):
            at = _time_of(raw) or at
            for key, value in raw.items():
                if str(key).lower() not in _TIMES:
                    self.read(value, _inside(name, str(key)), at, depth - 1)
        elif isinstance(raw, Sequence):
            for value in raw[-MOST_SAMPLES:]:
                self.read(value, name, at, depth - 1)

    def _add(self, name: str, at: datetime | None, value: float, unit: str = "") -> None:
        word = _UNITS.get(unit, unit)
        name = f"{name}_{word}" if word and not name.endswith(word) else name
        known = name in self.series or len(self.series) < MOST_SERIES
        if name and known and abs(value) < MOST and math.isfinite(value):
            self.series.setdefault(name, []).append((at, float(value)))

    def _read_text(self, text: str, name: str, at: datetime | None) -> None:
        """Read a figure with its unit; without a name around it, lines of `name: figure`, and keep the others."""
        if name:
            figure = _NUMBER.fullmatch(text.strip()[:80])
            if figure:
                self._add(name, at, float(figure[1]), figure[2] or "")
            return
        for line in text.split("\n")[:MOST_SERIES]:
            clean = clean_line(line).strip()
            parted = _LINE.match(clean)
            figure = _NUMBER.fullmatch(parted[2].strip()) if parted else None
            if parted and figure:
                self._add(metric_name(parted[1]), at, float(figure[1]), figure[2] or "")
            elif clean and len(self.words) < MOST_SERIES:
                self.words.append(clean[:300])


def _inside(name: str, key: str) -> str:
    """Name what stands under a key; containers of rows carry names that say nothing."""
    own = "" if key.lower() in {"rows", "samples", "series", "values", "metrics", "data"} else metric_name(key)
    return "_".join(part for part in (name, own) if part)


def _time_of(row: Mapping[Any, object]) -> datetime | None:
    text = next((value for key, value in row.items() if str(key).lower() in _TIMES), None)
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _blank(name: str, samples: Sequence[Sample]) -> bool:
    return len(samples) > 1 and name.endswith("percent") and not any(value for _, value in samples)


def _course(name: str, samples: Sequence[Sample]) -> Iterable[str]:
    """Tell a series under its spoken name: `node_cpu_percent` is `node CPU` in `%`."""
    *words, last = name.split("_")
    unit = _SPOKEN.get(last, "") if words else ""
    spoken = words if unit else [*words, last]
    return told(" ".join("CPU" if word == "cpu" else word for word in spoken), samples, unit)
