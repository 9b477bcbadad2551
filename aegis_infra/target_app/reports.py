"""The quarterly report. Its fault: batches are cached and never evicted."""

import logging
import math
import mmap
import threading
import time
from collections.abc import Callable

from aegis_infra.target_app.background import Background
from aegis_infra.target_app.meter import Memory
from aegis_infra.target_app.settings import MIB

STEP_SECONDS = 0.5
FAST_UNTIL = 0.88  # of the limit: above the monitor's threshold and below the kernel's, so that there is time to act
SWAPPED_AT = 1.1  # times the limit
COMPLAIN_PERCENT = 80.0
COMPLAIN_SECONDS = 5.0
ROW = b"2026-Q3;item-07;quantity 3;cents 1999;region north\n"

log = logging.getLogger(__name__)


class ReportCache:
    """While active, grows by `rate` MiB/s up to 88 % of the limit, then slowly on to the limit in `hold_seconds`.

    Where the kernel enforces the limit, it then kills the process; elsewhere the cache stays as large as it is.
    """

    def __init__(self, memory: Callable[[], Memory], hold_seconds: float) -> None:
        self._memory = memory
        self._hold_seconds = hold_seconds
        self._rate = 0.0
        self._batches: list[mmap.mmap] = []
        self._complained_at = 0.0
        self._thread = Background("quarterly-report", self._work)

    @property
    def active(self) -> bool:
        return self._thread.running or bool(self._batches)

    @property
    def cached_bytes(self) -> int:
        return sum(len(batch) for batch in self._batches)

    def start(self, rate: float) -> bool:
        if self.active:
            return False
        self._rate = rate
        log.info("quarterly report begins, its batches are kept in the cache")
        self._thread.start()
        return True

    def stop(self) -> None:
        self._thread.stop()
        while self._batches:
            self._batches.pop().close()  # gives the pages back to the system at once

    def _work(self, stop: threading.Event) -> None:
        while not stop.wait(STEP_SECONDS):
            size = next_batch_bytes(self._memory(), self.cached_bytes, self._rate, self._hold_seconds)
            if size > 0:
                self._batches.append(_batch_of(size))
            self._report(self._memory())

    def _report(self, memory: Memory) -> None:
        count, cached = len(self._batches), self.cached_bytes / MIB
        if memory.percent < COMPLAIN_PERCENT:
            log.info("report batch %d cached, %.0f MiB in the cache, nothing evicted", count, cached)
        elif time.monotonic() - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = time.monotonic()
            log.error(
                "memory at %.0f %% of the %.0f MiB limit: cache of %d report batches (%.0f MiB) is never evicted",
                memory.percent,
                memory.limit_bytes / MIB,
                count,
                cached,
            )


def next_batch_bytes(memory: Memory, cached_bytes: int, rate: float, hold_seconds: float) -> int:
    """How much to cache in the next step, in whole pages; `rate` in MiB/s as long as memory is below 88 %.

    0 at the limit, unless a kernel enforces it, and where far more is cached than memory holds (it is in swap).
    """
    at_limit = memory.used_bytes >= memory.limit_bytes and not memory.enforced
    if at_limit or cached_bytes > memory.limit_bytes * SWAPPED_AT:
        return 0
    fast = min(rate * MIB * STEP_SECONDS, memory.limit_bytes * FAST_UNTIL - memory.used_bytes)
    slow = memory.limit_bytes * (1 - FAST_UNTIL) * STEP_SECONDS / max(hold_seconds, STEP_SECONDS)
    return _whole_pages(max(fast, slow))


def _whole_pages(size: float) -> int:
    return math.ceil(size / mmap.PAGESIZE) * mmap.PAGESIZE


def _batch_of(size: int) -> mmap.mmap:
    """A batch with rows in each of its pages, so that all are used; mapped, so that closing it returns them at once."""
    batch = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for start in range(0, size, mmap.PAGESIZE):
        batch[start : start + len(ROW)] = ROW
    return batch
