"""The app's own customers: a thread that asks for /orders all the time, and the figures of what happened to them."""

import http.client
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from aegis_infra.target_app.background import Background

MIN_SAMPLES = 3
CLIENT_TIMEOUT_SECONDS = 30.0

log = logging.getLogger(__name__)


class RequestStatistics:
    """Latency and error rate of the requests of the last `window_seconds`; None below three requests."""

    def __init__(self, window_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_seconds = window_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: deque[tuple[float, float, bool]] = deque(maxlen=10_000)  # when it ended, seconds, failed

    def record(self, seconds: float, failed: bool) -> None:
        with self._lock:
            self._requests.append((self._clock(), seconds, failed))

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()

    def latency_p95_ms(self) -> float | None:
        """The nearest-rank 95th percentile."""
        seconds = sorted(seconds for _, seconds, _ in self._recent())
        if len(seconds) < MIN_SAMPLES:
            return None
        return 1000 * seconds[math.ceil(0.95 * len(seconds)) - 1]

    def error_rate_percent(self) -> float | None:
        failures = [failed for _, _, failed in self._recent()]
        return 100 * sum(failures) / len(failures) if len(failures) >= MIN_SAMPLES else None

    def _recent(self) -> list[tuple[float, float, bool]]:
        oldest = self._clock() - self._window_seconds
        with self._lock:
            while self._requests and self._requests[0][0] < oldest:
                self._requests.popleft()
            return list(self._requests)


class SelfTraffic:
    """Asks the app itself for /orders, one request after the other."""

    def __init__(self, host: str, port: int, interval_seconds: float) -> None:
        self._host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        self._port = port
        self._interval_seconds = interval_seconds
        self._thread = Background("self-traffic", self._work)

    def start(self) -> None:
        """Begins; an interval of 0 means no traffic."""
        if self._interval_seconds > 0:
            self._thread.start()

    def _work(self, stop: threading.Event) -> None:
        while not stop.wait(self._interval_seconds):
            connection = http.client.HTTPConnection(self._host, self._port, timeout=CLIENT_TIMEOUT_SECONDS)
            try:
                connection.request("GET", "/orders")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException) as error:
                log.debug("a customer gave up: %s", error)
            finally:
                connection.close()
