"""The runtime's own health check: GET a URL again and again, and judge as Docker does."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import requests

from aegis_core.domain.target import Health
from aegis_core.ports import Clock

from .config import TargetSpec

LOG_ENTRIES: Final = 5  # as many as Docker keeps
STARTING_INTERVAL: Final = 0.5  # seconds between checks until the first good one, where the interval is longer


@dataclass(frozen=True)
class Standing:
    """What the checks have come to: `retries` failures in a row make it unhealthy, one success healthy."""

    retries: int
    status: Health = Health.STARTING
    failures: int = 0  # in a row
    log: Sequence[str] = ()  # the newest checks, oldest first

    def after(self, passed: bool, line: str, lenient: bool) -> Self:
        """Add one check. `lenient`: still in the start period, when failures do not count."""
        log = (*self.log, line)[-LOG_ENTRIES:]
        if passed:
            return replace(self, status=Health.HEALTHY, failures=0, log=log)
        if lenient and self.status is Health.STARTING:
            return replace(self, log=log)
        failures = self.failures + 1
        status = Health.UNHEALTHY if failures >= self.retries else self.status
        return replace(self, status=status, failures=failures, log=log)


class HealthCheck:
    """The check of one run of a target, in a thread of its own. A new run gets a new check."""

    def __init__(self, url: str, spec: TargetSpec, clock: Clock) -> None:
        self._url = url
        self._spec = spec
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"health {url}", daemon=True)
        self.standing = Standing(spec.health_retries)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the check that is under way, without waiting for it."""
        self._over.set()

    def _run(self) -> None:
        begun = self._clock()
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the host has no part in asking a local service
            while not self._over.wait(self._pause()):
                passed, line = self._check(session)
                lenient = (self._clock() - begun).total_seconds() < self._spec.health_start_period
                self.standing = self.standing.after(passed, line, lenient)

    def _pause(self) -> float:
        interval = self._spec.health_interval
        return min(interval, STARTING_INTERVAL) if self.standing.status is Health.STARTING else interval

    def _check(self, session: requests.Session) -> tuple[bool, str]:
        at = self._clock()
        timeout = self._spec.health_timeout
        try:
            with session.get(self._url, timeout=timeout, allow_redirects=False, stream=True) as answer:
                passed, seen = answer.status_code == requests.codes.ok, f"status {answer.status_code}"
        except requests.RequestException as error:
            passed, seen = False, _told(error)
        seconds = (self._clock() - at).total_seconds()
        return passed, f"{at:%Y-%m-%dT%H:%M:%SZ} {seen} after {seconds:.2f} s"


def _told(error: requests.RequestException) -> str:
    """Say in a few words why there was no answer; the library's own text names objects and addresses."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
