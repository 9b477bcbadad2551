"""The shop's orders in SQLite."""

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

SEED_ORDERS = 300

log = logging.getLogger(__name__)


class OrderBook:
    """Reads and writes orders; every query waits up to `timeout` seconds for the database's lock.

    Its methods raise sqlite3.Error; "database is locked" after the timeout.
    """

    def __init__(self, path: Path, timeout: float, slow_seconds: float) -> None:
        self._path = path
        self._timeout = timeout
        self._slow_seconds = slow_seconds

    def create(self) -> None:
        """Makes the database anew with sample orders; what an earlier run left behind is removed."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in self._path.parent.glob(f"{self._path.name}*"):  # also its journal
            leftover.unlink()
        with closing(self.connect()) as database:
            database.execute("PRAGMA journal_mode = MEMORY")  # the disk may be full of what an earlier run left
            database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, quantity INTEGER, cents INTEGER)")
            database.execute("CREATE TABLE stock (item TEXT PRIMARY KEY, quantity INTEGER)")
            database.execute("BEGIN")
            rows = [
                (f"item-{number % 40:02}", 1 + number % 5, 250 * (1 + number % 37)) for number in range(SEED_ORDERS)
            ]
            database.executemany("INSERT INTO orders (item, quantity, cents) VALUES (?, ?, ?)", rows)
            database.executemany("INSERT INTO stock VALUES (?, 100)", sorted({(item,) for item, _, _ in rows}))
            database.execute("COMMIT")

    def connect(self) -> sqlite3.Connection:
        """A connection of the caller's own, without implicit transactions; the caller closes it."""
        return sqlite3.connect(self._path, timeout=self._timeout, isolation_level=None)

    def newest(self, count: int = 10) -> list[dict[str, Any]]:
        """The newest orders: id, item, quantity, and the price in cents."""
        rows = self._query("SELECT id, item, quantity, cents FROM orders ORDER BY id DESC LIMIT ?", count)
        return [dict(zip(("id", "item", "quantity", "cents"), row, strict=True)) for row in rows]

    def turnover_cents(self) -> int:
        return int(self._query("SELECT sum(quantity * cents) FROM orders")[0][0])

    def ping(self) -> float:
        """Seconds that the simplest query took."""
        started = time.monotonic()
        self._query("SELECT id FROM orders LIMIT 1")
        return time.monotonic() - started

    def _query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        started = time.monotonic()
        try:
            with closing(self.connect()) as database:
                return database.execute(sql, values).fetchall()
        finally:
            seconds = time.monotonic() - started
            if seconds > self._slow_seconds:
                log.warning("slow query: %.2f s, waited for the lock of %s: %s", seconds, self._path.name, sql)
