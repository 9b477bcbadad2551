"""Tells the agent about symptoms, and keeps trying while it is away; never more than one post per symptom waits."""

import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aegis_infra.target_app.background import Background

_ACCEPTED = range(200, 300)
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What became of a post: the HTTP status, or None where nobody answered, and why."""

    status: int | None
    reason: str
    retry_after: float = 0.0

    @property
    def accepted(self) -> bool:
        return self.status in _ACCEPTED


Post = Callable[[Mapping[str, Any]], Answer]


class Outbox:
    """Posts symptoms one by one in its own thread, with growing pauses (1 s to 30 s) while they are not accepted."""

    def __init__(self, post: Post, clock: Callable[[], float] = time.monotonic) -> None:
        self._post = post
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: dict[str, Mapping[str, Any]] = {}
        self._told_at: dict[str, float] = {}
        self._failures = 0
        self._next_try_at = 0.0
        self._thread = Background("webhook", self._work)

    def start(self) -> None:
        self._thread.start()

    def put(self, alert_type: str, payload: Mapping[str, Any]) -> None:
        """Takes the newest state of a symptom; it replaces an older one that still waits."""
        with self._changed:
            self._pending[alert_type] = payload
            self._changed.notify()

    def withdraw(self, alert_type: str) -> None:
        """The symptom has gone: what still waits is not sent any more."""
        with self._changed:
            self._pending.pop(alert_type, None)

    def told_at(self, alert_type: str) -> float | None:
        """When the agent last accepted this symptom, by the clock."""
        return self._told_at.get(alert_type)

    def pending(self) -> list[str]:
        with self._changed:
            return sorted(self._pending)

    def send_next(self) -> float | None:
        """Posts one symptom if it is time to; returns the seconds until the next try, None where nothing waits."""
        with self._changed:
            if not self._pending:
                return None
            wait = self._next_try_at - self._clock()
            if wait > 0:
                return wait
            alert_type, payload = next(iter(self._pending.items()))
        answer = self._post(payload)  # without the lock: it may take seconds
        with self._changed:
            if answer.accepted:
                self._settle(alert_type)
            else:
                self._put_off(alert_type, answer)
            return max(0.0, self._next_try_at - self._clock())

    def _settle(self, alert_type: str) -> None:
        self._pending.pop(alert_type, None)
        self._told_at[alert_type] = self._clock()
        if self._failures:
            log.info("the agent is back")
        self._failures, self._next_try_at = 0, 0.0

    def _put_off(self, alert_type: str, answer: Answer) -> None:
        if alert_type in self._pending:  # to the end: what is refused must not keep the others from being told
            self._pending[alert_type] = self._pending.pop(alert_type)
        delay = max(delay_after(self._failures), min(answer.retry_after, LONGEST_DELAY_SECONDS))
        if not self._failures:
            log.warning("the agent did not take a message (%s), trying again, at most every 30 s", answer.reason)
        self._failures += 1
        self._next_try_at = self._clock() + delay

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            wait = self.send_next()
            with self._changed:
                if wait is None and not self._pending:
                    self._changed.wait(1.0)
                elif wait:
                    self._changed.wait(min(wait, 1.0))


def delay_after(failures: int) -> float:
    """Seconds to wait after that many failures in a row: 1, 2, 4 … 30."""
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures, 10))


def http_post(url: str, token: str | None, timeout: float) -> Post:
    """A Post that sends JSON to `url`; follows no redirect, uses no proxy, and waits `timeout` seconds at most."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def post(payload: Mapping[str, Any]) -> Answer:
        connection = connect(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.request("POST", parts.path, json.dumps(payload).encode(), headers)
            response = connection.getresponse()
            return Answer(response.status, f"HTTP {response.status}", _seconds(response.getheader("Retry-After")))
        except (OSError, http.client.HTTPException) as error:
            return Answer(None, f"{type(error).__name__}: {url}")
        finally:
            connection.close()

    return post


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdecimal() else 0.0
