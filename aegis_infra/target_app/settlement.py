"""The settlement of payments. Its fault: it meets a record that it cannot read, and the error is not handled."""

import json
import logging
import threading

from aegis_infra.target_app.background import Background

TRUNCATED_RECORD = '{"settlement": 4711, "orders": [300, 299, 298'

log = logging.getLogger(__name__)


class Settlement:
    """Once started, ends the whole process by an unhandled error after `delay` seconds."""

    def __init__(self) -> None:
        self._delay = 0.0
        self._thread = Background("settlement", self._work)

    @property
    def active(self) -> bool:
        return self._thread.running

    def start(self, delay: float) -> bool:
        if self._thread.running:
            return False
        self._delay = delay
        log.info("settlement begins, reading the bank's file")
        self._thread.start()
        return True

    def stop(self) -> None:
        self._thread.stop()

    def _work(self, stop: threading.Event) -> None:
        if not stop.wait(self._delay):
            json.loads(TRUNCATED_RECORD)
