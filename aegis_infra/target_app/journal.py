"""The app's log: one timestamped line each on stdout, and the last ones kept in memory to be sent along."""

import logging
import sys
from collections import deque
from datetime import UTC, datetime

LOGGER = __name__.rpartition(".")[0]  # the parent of every logger of the app
KEPT_LINES = 50


class Journal(logging.Handler):
    """Keeps the newest lines, tracebacks line by line."""

    def __init__(self, kept_lines: int = KEPT_LINES) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=kept_lines)
        self.setFormatter(_LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.extend(self.format(record).splitlines())

    def text(self) -> str:
        """The last lines, oldest first, joined by newlines."""
        self.acquire()
        try:
            return "\n".join(self._lines)
        finally:
            self.release()


def start_logging(level: str) -> Journal:
    """Sends the app's log to stdout and to the journal that is returned; replaces what was set up before."""
    stdout = logging.StreamHandler(sys.stdout)
    stdout.setFormatter(_LineFormatter())
    journal = Journal()
    logger = logging.getLogger(LOGGER)
    logger.handlers = [stdout, journal]
    logger.propagate = False
    logger.setLevel(level)
    return journal


class _LineFormatter(logging.Formatter):
    """`2026-11-20T04:31:00.123Z ERROR reports: the message`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(part)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.part = record.name.rpartition(".")[2]
        return super().format(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's own
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
