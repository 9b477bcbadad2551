"""A circuit breaker: who fails again and again is left alone for a while."""

import threading
from collections.abc import Callable

from aegis_core.domain.opinion import COOLDOWN_SECONDS, FAILURES, SUCCESSES


class CircuitBreaker:
    """Closed, open, or half open: after the cool-down one call at a time is let through to try.

    `monotonic` gives seconds. Safe to use from several threads. Every call that `admits` let through has to be
    followed by `success` or `failure`.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        failures: int = FAILURES,
        cooldown_seconds: float = COOLDOWN_SECONDS,
        successes: int = SUCCESSES,
    ) -> None:
        self._monotonic = monotonic
        self._most_failures = failures
        self._cooldown = cooldown_seconds
        self._enough_successes = successes
        self._lock = threading.Lock()
        self._failures = 0
        self._successes = 0
        self._opened_at: float | None = None
        self._trying = False

    def admits(self) -> bool:
        """Tell whether a call may be made now; after the cool-down, only one at a time."""
        with self._lock:
            if self._opened_at is None:
                return True
            if self._trying or self._monotonic() - self._opened_at < self._cooldown:
                return False
            self._trying = True
            return True

    def success(self) -> None:
        """Report that a call went well."""
        with self._lock:
            self._failures = 0
            if self._trying:
                self._trying = False
                self._successes += 1
                if self._successes >= self._enough_successes:
                    self._opened_at = None

    def failure(self) -> bool:
        """Report that a call failed; returns whether that has opened the breaker (anew: False)."""
        with self._lock:
            self._failures += 1
            if self._trying:
                self._trying = False
                self._successes = 0
                self._opened_at = self._monotonic()
                return False
            if self._opened_at is not None or self._failures < self._most_failures:
                return False
            self._successes = 0
            self._opened_at = self._monotonic()
            return True
