"""CPU and memory of a container, from the engine's one-shot statistics (cgroup v1 and v2)."""

import threading
import time
from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from docker.utils import version_gte

from aegis_core.domain.target import Limits, Usage
from aegis_core.errors import RuntimeProblem
from aegis_core.ports import Clock

from .client import Engine, answered_with, translated
from .state import Host, Inspection, limits_of, moment, name_of

_SHORTEST: Final = timedelta(seconds=0.1)  # one period of the kernel's CPU quota: below it a sample is chance
_LONGEST: Final = timedelta(seconds=30)  # an older sample tells of a time before what is asked about
_QUICK: Final = 0.2  # seconds to a second sample, where none is kept
_ONE_SHOT_VERSION: Final = "1.41"


class Reading(NamedTuple):
    """One sample: bytes of memory in use, and nanoseconds of CPU used since the container started."""

    at: datetime
    memory_bytes: int
    cpu_ns: int


class _Kept(NamedTuple):
    reading: Reading
    percent: float | None


def reading_of(stats: Mapping[str, Any]) -> Reading | None:
    """Read the engine's statistics; None where the container does not run.

    File cache that the kernel can drop at once is not in use: the same sum as `docker stats` makes. A kernel without
    the memory controller (Raspberry Pi OS) tells no memory at all; it is 0 then.
    """
    at = moment(stats.get("read"))
    if at is None:
        return None
    memory = stats.get("memory_stats") or {}
    used, details = memory.get("usage") or 0, memory.get("stats") or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))  # cgroup v1 has both, v2 the second
    cpu = (stats.get("cpu_stats") or {}).get("cpu_usage") or {}
    return Reading(at, used - cache if cache < used else used, cpu.get("total_usage") or 0)


def cpu_percent(earlier: Reading, later: Reading, cores: float) -> float | None:
    """Percentage of `cores` used between two readings; None where they tell nothing (too far apart, or restarted)."""
    span, used = later.at - earlier.at, later.cpu_ns - earlier.cpu_ns
    if not timedelta(0) < span <= _LONGEST or used < 0:
        return None
    return max(0.0, used / 1e9 / span.total_seconds() / cores * 100)


class Meter:
    """Takes samples and keeps the last one of each container. Used by many threads."""

    def __init__(self, engine: Engine, host: Host, clock: Clock) -> None:
        self._engine = engine
        self._host = host
        self._clock = clock
        self._one_shot = True if version_gte(engine.api_version, _ONE_SHOT_VERSION) else None
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def usage(self, inspection: Inspection, wait: bool = False) -> Usage | None:
        """Sample a container; None where it does not run. Raises TargetGone, RuntimeUnavailable.

        `cpu_percent` needs an earlier sample; with `wait`, a second one is taken right away where there is none.
        """
        container, doing = inspection["Id"], f"measuring {name_of(inspection)}"
        limits = limits_of(inspection["HostConfig"], self._host)
        reading = self._read(container, doing)
        if reading is None:
            return None
        cores = limits.cpus or float(self._host.cpus)
        percent = self._percent(container, reading, cores)
        if percent is None and wait:
            time.sleep(_QUICK)
            later = self._read(container, doing)
            percent = self._percent(container, later, cores) if later else None
        return self._usage(reading, limits, percent)

    def keep(self, containers: Set[str]) -> None:
        """Forget all but these container ids."""
        with self._lock:
            for gone in self._kept.keys() - containers:
                del self._kept[gone]

    def _usage(self, reading: Reading, limits: Limits, percent: float | None) -> Usage:
        share = reading.memory_bytes / limits.memory_bytes * 100 if limits.memory_bytes else None
        return Usage(at=self._clock(), memory_bytes=reading.memory_bytes, memory_percent=share, cpu_percent=percent)

    def _read(self, container: str, doing: str) -> Reading | None:
        try:
            with translated(doing):
                return reading_of(self._engine.stats(container, stream=False, one_shot=self._one_shot))
        except RuntimeProblem as problem:
            if answered_with(problem) not in {404, 409}:
                raise
        # The engine says so of a container that is gone, and also of one whose process has just ended.
        with translated(doing):
            self._engine.inspect_container(container)
        return None

    def _percent(self, container: str, reading: Reading, cores: float) -> float | None:
        with self._lock:
            kept = self._kept.get(container)
            if kept and timedelta(0) <= reading.at - kept.reading.at < _SHORTEST:
                return kept.percent  # two asked almost at once: the first one's answer is the better one
            percent = cpu_percent(kept.reading, reading, cores) if kept else None
            self._kept[container] = _Kept(reading, percent)
            return percent
