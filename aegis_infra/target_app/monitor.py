"""The thread that measures the app and tells the agent what it sees."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aegis_infra.target_app.alerts import Rule, Verdict, Watch
from aegis_infra.target_app.background import Background
from aegis_infra.target_app.meter import Measurement
from aegis_infra.target_app.webhook import Outbox

COMPLAIN_SECONDS = 10.0

log = logging.getLogger(__name__)


class Monitor:
    """Measures every `interval_seconds`, and hands to the outbox what is due by the rules."""

    def __init__(
        self,
        *,
        measure: Callable[[], Measurement],
        watches: Sequence[Watch],
        outbox: Outbox,
        container_name: str,
        last_lines: Callable[[], str],
        interval_seconds: float,
    ) -> None:
        self._measure = measure
        self._watches = watches
        self._outbox = outbox
        self._container_name = container_name
        self._last_lines = last_lines
        self._interval_seconds = interval_seconds
        self._complained_at: dict[str, float] = {}
        self._thread = Background("monitor", self._work)
        self.newest: Measurement | None = None

    def start(self) -> None:
        self._thread.start()

    def tick(self, now: float) -> None:
        """One round; `now` is seconds of the clock that the outbox uses."""
        seen = self._measure()
        self.newest = seen
        metrics = seen.metrics()
        for watch in self._watches:
            rule = watch.rule
            verdict = watch.judge(metrics.get(rule.metric), now, self._outbox.told_at(rule.alert_type))
            if verdict is Verdict.QUIET:
                self._outbox.withdraw(rule.alert_type)
            else:
                self._complain(rule, seen, now)
            if verdict is Verdict.DUE:
                self._outbox.put(rule.alert_type, self._message(rule, metrics))

    def _message(self, rule: Rule, metrics: dict[str, float]) -> dict[str, Any]:
        return {
            "container_name": self._container_name,
            "alert_type": rule.alert_type,
            "severity": rule.severity,
            "logs": self._last_lines(),
            "timestamp": datetime.now(UTC).isoformat(),
            "metrics": metrics,
        }

    def _complain(self, rule: Rule, seen: Measurement, now: float) -> None:
        last = self._complained_at.get(rule.alert_type)
        if last is None or now - last >= COMPLAIN_SECONDS:
            self._complained_at[rule.alert_type] = now
            log.warning("%s", rule.describe(seen))

    def _work(self, stop: threading.Event) -> None:
        while not stop.wait(self._interval_seconds):
            self.tick(time.monotonic())
