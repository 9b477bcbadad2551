"""The two background workers that book sales. Their fault: they take two locks in opposite order, and deadlock."""

import logging
import threading
import time
from collections.abc import Callable

from aegis_infra.target_app.background import Background

HOLD_SECONDS = 0.05  # between the first lock and the second
STUCK_SECONDS = 2.0  # a worker that finished no round for so long is stuck
COMPLAIN_SECONDS = 5.0

log = logging.getLogger(__name__)


class _StoppedError(Exception):
    """The worker was told to stop while it waited for a lock."""


class Lock:
    """A lock that knows its holder; waits for ever unless the worker is told to stop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.holder: str | None = None
        self._lock = threading.Lock()

    def take(self, worker: str, stop: threading.Event) -> None:
        while not self._lock.acquire(timeout=0.2):
            if stop.is_set():
                raise _StoppedError
        self.holder = worker

    def give_back(self) -> None:
        self.holder = None
        self._lock.release()


class Worker:
    """Books sales in rounds; each round needs both locks, in the order that they are given in."""

    def __init__(self, name: str, pause_seconds: float, locks: Callable[[], tuple[Lock, Lock]]) -> None:
        self.name = name
        self._pause_seconds = pause_seconds
        self.finished_at = time.monotonic()
        self.waits_for: Lock | None = None
        self._locks = locks
        self._thread = Background(name, self._work)

    def start(self) -> None:
        self.finished_at = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    def _work(self, stop: threading.Event) -> None:
        while not stop.wait(self._pause_seconds):
            try:
                self._book(*self._locks(), stop)
            except _StoppedError:
                return
            self.finished_at = time.monotonic()

    def _book(self, first: Lock, second: Lock, stop: threading.Event) -> None:
        self._take(first, stop)
        try:
            stop.wait(HOLD_SECONDS)
            self._take(second, stop)
            second.give_back()
        finally:
            first.give_back()

    def _take(self, lock: Lock, stop: threading.Event) -> None:
        self.waits_for = lock
        lock.take(self.name, stop)
        self.waits_for = None


class SalesWorkers:
    """Two workers, always running. While the fault is active they deadlock, and the health check sees it."""

    def __init__(self) -> None:
        stock, ledger = Lock("stock"), Lock("ledger")
        self._opposite = False
        self._workers = (  # at different paces, so that their rounds meet again and again
            Worker("billing", 0.2, lambda: (ledger, stock)),
            Worker("shipping", 0.13, lambda: (stock, ledger) if self._opposite else (ledger, stock)),
        )
        self._watch = Background("workers-watch", self._complain)

    @property
    def active(self) -> bool:
        return self._opposite

    def run(self) -> None:
        """Starts the workers themselves."""
        for worker in self._workers:
            worker.start()
        self._watch.start()

    def start(self, _level: float) -> bool:
        if self.active:
            return False
        log.info("shipping now books the stock before the ledger")
        self._opposite = True
        return True

    def stop(self) -> None:
        for worker in self._workers:
            worker.stop()
        self._opposite = False
        self.run()

    def stuck(self) -> list[str]:
        """A sentence for each worker that no longer finishes its rounds; empty when all is well."""
        return [sentence for worker in self._workers if (sentence := _why_stuck(worker))]

    def _complain(self, stop: threading.Event) -> None:
        while not stop.wait(COMPLAIN_SECONDS):
            for sentence in self.stuck():
                log.error("%s", sentence)


def _why_stuck(worker: Worker) -> str | None:
    seconds = time.monotonic() - worker.finished_at
    if seconds < STUCK_SECONDS:
        return None
    lock = worker.waits_for
    why = f"waits for the lock '{lock.name}' held by worker '{lock.holder}'" if lock else "gives no reason"
    return f"worker '{worker.name}' finished no round for {seconds:.0f} s: {why}"
