"""CPU and memory of containers, from the engine's one-shot statistics (cgroup v1 and v2).

Up to Docker 25 the engine looks once a second at all containers that somebody asked for, and an answer may have to
wait for that. So samples are taken together where many are wanted, and one of this second is as good as a new one.
"""

import threading
from collections.abc import Iterable, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from docker.utils import version_gte

from aegis_core.domain.target import Usage
from aegis_core.errors import RuntimeProblem
from aegis_core.ports import Clock

from .client import Engine, answered_with, translated
from .state import Host, Inspection, limits_of, moment, name_of

_FRESH: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(seconds=60)  # an older sample tells of a time before what is asked about
_AT_ONCE: Final = 32  # samples in one round: some 50 ms of CPU, however many containers there are
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_ONE_SHOT_VERSION: Final = "1.41"


class Reading(NamedTuple):
    """One sample: bytes of memory in use, and nanoseconds of CPU used since the container started."""

    at: datetime
    memory_bytes: int
    cpu_ns: int


class _Kept(NamedTuple):
    run: str  # when the run began that was measured
    reading: Reading  # the one that the next mean begins at
    usage: Usage


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


def _run(inspection: Inspection) -> str:
    return str(inspection["State"]["StartedAt"])


class Meter:
    """Takes samples and keeps the last one of each container. Used by many threads."""

    def __init__(self, engine: Engine, host: Host, clock: Clock) -> None:
        self._engine = engine
        self._host = host
        self._clock = clock
        self._one_shot = True if version_gte(engine.api_version, _ONE_SHOT_VERSION) else None
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._rounds = ThreadPoolExecutor(_AT_ONCE, "docker-stats")
        self._round: dict[str, Future[Usage | None]] = {}

    def usage(self, inspection: Inspection) -> Usage | None:
        """Sample a container; None where it does not run. Raises TargetGone, RuntimeUnavailable.

        `cpu_percent` is the mean since a sample of this run that is a second to a minute old; None without one.
        """
        kept = self._last(inspection)
        reading = self._read(inspection["Id"], f"measuring {name_of(inspection)}")
        if reading is None:
            return None
        if kept and timedelta(0) <= reading.at - kept.reading.at < _FRESH:
            base, percent = kept.reading, kept.usage.cpu_percent  # too close for a mean: the last one still holds
        else:
            base, percent = reading, self._cpu_percent(inspection, kept, reading)
        usage = self._usage(inspection, reading, percent)
        with self._lock:
            self._kept[inspection["Id"]] = _Kept(_run(inspection), base, usage)
        return usage

    def newest(self, inspection: Inspection) -> Usage | None:
        """Return the newest sample of this run, without waiting for another one; None where there is none yet."""
        kept = self._last(inspection)
        return kept.usage if kept else None

    def begin_round(self, inspections: Iterable[Inspection]) -> None:
        """Begin to sample these, all at once. Of too many it is the turn of those that were sampled longest ago."""
        turn = sorted(inspections, key=self._sampled_at)
        futures = {one["Id"]: self._rounds.submit(self.usage, one) for one in turn[:_AT_ONCE]}
        for one in turn[_AT_ONCE:]:
            kept = self._last(one)
            futures[one["Id"]] = Future()
            futures[one["Id"]].set_result(kept.usage if kept else None)
        with self._lock:
            former, self._round = self._round, futures
        for unasked in former.values():
            unasked.cancel()

    def of_round(self, inspection: Inspection) -> Usage | None:
        """Return the sample of the present round, once; afterwards, and without a round, a new one is taken.

        Raises as `usage` does. None also for one whose first turn has not come yet.
        """
        with self._lock:
            begun = self._round.pop(inspection["Id"], None)
        return begun.result() if begun else self.usage(inspection)

    def keep(self, containers: Set[str]) -> None:
        """Forget all but these container ids."""
        with self._lock:
            for gone in self._kept.keys() - containers:
                del self._kept[gone]

    def drop(self, container: str) -> None:
        """Forget the samples of a container: they were measured against what holds no longer."""
        with self._lock:
            self._round.pop(container, None)
            self._kept.pop(container, None)

    def close(self) -> None:
        """End the threads; samples that are being taken are waited for."""
        self._rounds.shutdown(cancel_futures=True)

    def _last(self, inspection: Inspection) -> _Kept | None:
        with self._lock:
            kept = self._kept.get(inspection["Id"])
        return kept if kept and kept.run == _run(inspection) else None

    def _sampled_at(self, inspection: Inspection) -> datetime:
        kept = self._last(inspection)
        return kept.usage.at if kept else _LONG_AGO

    def _cpu_percent(self, inspection: Inspection, kept: _Kept | None, reading: Reading) -> float | None:
        cores = limits_of(inspection["HostConfig"], self._host).cpus or self._host.cpus
        return cpu_percent(kept.reading, reading, cores) if kept else None

    def _usage(self, inspection: Inspection, reading: Reading, percent: float | None) -> Usage:
        limit = limits_of(inspection["HostConfig"], self._host).memory_bytes
        share = reading.memory_bytes / limit * 100 if limit else None
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
