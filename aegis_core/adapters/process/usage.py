"""CPU and memory of a target against its own limits."""

import os
import threading
import time
from datetime import datetime
from typing import Final

from aegis_core.domain.target import Limits, Usage

from .family import Family

WINDOW_SECONDS: Final = 0.5  # a shorter one shows the scheduler, not the load
_LEAST_SECONDS: Final = 0.1  # until a window has passed: the shortest that says anything


class Meter:
    """Samples one run of a target. `note` is called by the supervisor, `sample` by anyone."""

    def __init__(self, family: Family, limits: Limits) -> None:
        self._family = family
        self._limits = limits
        self._lock = threading.Lock()
        self._samples: tuple[tuple[float, float], ...] = ()  # (monotonic seconds, CPU seconds), the newest last

    def bound_by(self, limits: Limits) -> None:
        """Measure against these limits from now on, and forget what was measured against others."""
        with self._lock:
            self._limits, self._samples = limits, ()

    def note(self) -> None:
        """Keep a CPU sample, when the last one is old enough."""
        with self._lock:
            if not self._samples or time.monotonic() - self._samples[-1][0] >= WINDOW_SECONDS:
                self._samples = (*self._samples[-1:], self._cpu())

    def memory_bytes(self) -> int:
        return self._family.memory_bytes()

    def sample(self, at: datetime) -> Usage:
        """Measure now; CPU over the time since a sample that is at least half a second old, where there is one."""
        memory, limit = self.memory_bytes(), self._limits.memory_bytes
        return Usage(
            at=at,
            memory_bytes=memory,
            memory_percent=round(100 * memory / limit, 2) if limit else None,
            cpu_percent=self._cpu_percent(),
        )

    def _cpu(self) -> tuple[float, float]:
        return time.monotonic(), self._family.cpu_seconds()

    def _cpu_percent(self) -> float | None:
        now, used = self._cpu()
        with self._lock:
            old_enough = [sample for sample in self._samples if now - sample[0] >= WINDOW_SECONDS]
            base = old_enough[-1] if old_enough else next(iter(self._samples), None)
        if base is None or now - base[0] < _LEAST_SECONDS:
            return None
        allowance = self._limits.cpus or os.cpu_count() or 1
        return round(max(0.0, 100 * (used - base[1]) / (now - base[0]) / allowance), 2)
