"""Measures this app: memory, CPU, request latency, errors and disk, each against its own limit."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from aegis_infra.target_app.disk import DiskSpace
from aegis_infra.target_app.limits import Limits
from aegis_infra.target_app.traffic import RequestStatistics

CPU_WINDOW_SECONDS = 2.0


@dataclass(frozen=True)
class Memory:
    """Bytes in use and allowed; `enforced` says whether the kernel kills what grows beyond."""

    used_bytes: int
    limit_bytes: int
    source: str
    enforced: bool

    @property
    def percent(self) -> float:
        return 100 * self.used_bytes / self.limit_bytes


@dataclass(frozen=True)
class Measurement:
    """One look at the app. Percentages are of the app's own limits; None where too little is known."""

    memory: Memory
    cpu_percent: float | None
    cpu_cores: float
    latency_p95_ms: float | None
    error_rate_percent: float | None
    disk_bytes: int
    disk_limit_bytes: int

    def metrics(self) -> dict[str, float]:
        """What is known, by the names of the webhook format."""
        values = {
            "memory_percent": self.memory.percent,
            "memory_bytes": self.memory.used_bytes,
            "memory_limit_bytes": self.memory.limit_bytes,
            "cpu_percent": self.cpu_percent,
            "latency_p95_ms": self.latency_p95_ms,
            "error_rate_percent": self.error_rate_percent,
            "disk_percent": 100 * self.disk_bytes / self.disk_limit_bytes,
        }
        return {name: round(value, 1) for name, value in values.items() if value is not None}


class Meter:
    """Measures the process with its children; `measure` belongs to one thread, the others may be called by any."""

    def __init__(self, limits: Limits, disk: DiskSpace, requests: RequestStatistics) -> None:
        self._limits = limits
        self._disk = disk
        self._requests = requests
        self._cpu = CpuClock(time.monotonic, _cpu_seconds_by_process)

    def measure(self) -> Measurement:
        cpu = self._limits.cpu()
        cores_used = self._cpu.cores_used()
        disk_bytes, disk_limit_bytes = self._disk.usage()
        return Measurement(
            memory=self.memory(),
            cpu_percent=None if cores_used is None else 100 * cores_used / cpu.cores,
            cpu_cores=cpu.cores,
            latency_p95_ms=self._requests.latency_p95_ms(),
            error_rate_percent=self._requests.error_rate_percent(),
            disk_bytes=disk_bytes,
            disk_limit_bytes=disk_limit_bytes,
        )

    def memory(self) -> Memory:
        """The memory that counts against the limit."""
        limit = self._limits.memory()
        used = _resident_bytes() if limit.used_bytes is None else limit.used_bytes
        return Memory(used, limit.limit_bytes, limit.source, limit.enforced)

    def cpu_cores(self) -> float:
        """The CPU allowance."""
        return self._limits.cpu().cores


class CpuClock:
    """The cores used over the last two seconds, from the CPU seconds of each process at each call."""

    def __init__(self, clock: Callable[[], float], cpu_seconds: Callable[[], dict[int, float]]) -> None:
        self._clock = clock
        self._cpu_seconds = cpu_seconds
        self._last = cpu_seconds()
        self._total = 0.0
        self._samples = deque([(clock(), 0.0)])

    def cores_used(self) -> float | None:
        """None until some time has passed since the first look."""
        now, current = self._clock(), self._cpu_seconds()
        self._total += sum(max(0.0, seconds - self._last.get(pid, 0.0)) for pid, seconds in current.items())
        self._last = current
        self._samples.append((now, self._total))
        while now - self._samples[1][0] >= CPU_WINDOW_SECONDS:
            self._samples.popleft()
        began, total = self._samples[0]
        return (self._total - total) / (now - began) if now > began else None


def _cpu_seconds_by_process() -> dict[int, float]:
    seconds: dict[int, float] = {}
    for process in _own_processes():
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has just ended
            continue
        seconds[process.pid] = times.user + times.system
    return seconds


def _resident_bytes() -> int:
    total = 0
    for process in _own_processes():
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total


def _own_processes() -> list[psutil.Process]:
    own = psutil.Process()
    try:
        return [own, *own.children(recursive=True)]
    except psutil.Error:  # a child has ended while the children were listed
        return [own]
