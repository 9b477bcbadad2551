"""Price recalculation in processes of its own. Its fault: the calculation never converges."""

import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from aegis_infra.target_app.background import Background

WORKER = Path(__file__).with_name("pricing_worker.py")
COMPLAIN_SECONDS = 5.0

log = logging.getLogger(__name__)


class PriceCalculation:
    """While active, child processes burn `percent` of the CPU allowance together."""

    def __init__(self, allowance_cores: Callable[[], float]) -> None:
        self._allowance_cores = allowance_cores
        self._workers: list[subprocess.Popen[bytes]] = []
        self._thread = Background("price-watch", self._watch)

    @property
    def active(self) -> bool:
        return bool(self._workers)

    @property
    def pids(self) -> list[int]:
        return [worker.pid for worker in self._workers]

    def start(self, percent: float) -> bool:
        if self.active:
            return False
        cores = self._allowance_cores() * percent / 100
        count = max(1, math.ceil(cores))
        # isolated and without site-packages: a worker needs nothing but the standard library, and stays small
        command = [sys.executable, "-I", "-S", str(WORKER), str(cores / count), str(os.getpid())]
        self._workers = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(count)]  # noqa: S603 - own file
        log.info("price recalculation begins, %d worker(s), pids %s", count, self.pids)
        self._thread.start()
        return True

    def stop(self) -> None:
        self._thread.stop()
        while self._workers:
            worker = self._workers.pop()
            worker.kill()
            worker.wait()

    def _watch(self, stop: threading.Event) -> None:
        began = time.monotonic()
        while not stop.wait(COMPLAIN_SECONDS):
            log.warning(
                "price recalculation still runs after %.0f s and does not converge: worker pids %s in a busy loop",
                time.monotonic() - began,
                self.pids,
            )
