"""A thread that works in the background until it is told to stop."""

import threading
from collections.abc import Callable


class Background:
    """Runs `work(stop)` in a daemon thread; `work` returns soon after the event `stop` is set."""

    def __init__(self, name: str, work: Callable[[threading.Event], None]) -> None:
        self._name = name
        self._work = work
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread; does nothing while it runs."""
        if self.running:
            return
        self._stop = threading.Event()  # a new one: a thread that is late to stop must not be woken up again
        self._thread = threading.Thread(target=self._work, args=(self._stop,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Tells the thread to stop and waits up to `timeout` seconds for it."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
