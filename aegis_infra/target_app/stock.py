"""The import of stock figures. Its fault: it works inside one long exclusive transaction."""

import logging
import sqlite3
import threading
from contextlib import closing

from aegis_infra.target_app.background import Background
from aegis_infra.target_app.orders import OrderBook

GAP_SECONDS = 0.25  # longer than the 0.1 s in which SQLite looks for the lock again: nobody waits for ever

log = logging.getLogger(__name__)


class StockImport:
    """While active, holds the database's exclusive lock for `hold_seconds` again and again: every query waits."""

    def __init__(self, orders: OrderBook) -> None:
        self._orders = orders
        self._hold_seconds = 0.0
        self._thread = Background("stock-import", self._work)

    @property
    def active(self) -> bool:
        return self._thread.running

    def start(self, hold_seconds: float) -> bool:
        if self._thread.running:
            return False
        self._hold_seconds = hold_seconds
        log.info("stock import begins, one transaction for each of the supplier's files")
        self._thread.start()
        return True

    def stop(self) -> None:
        self._thread.stop()

    def _work(self, stop: threading.Event) -> None:
        number = 0
        with closing(self._orders.connect()) as database:
            while not stop.is_set():
                number += 1
                self._import_file(database, number, stop)
                stop.wait(GAP_SECONDS)

    def _import_file(self, database: sqlite3.Connection, number: int, stop: threading.Event) -> None:
        try:
            database.execute("BEGIN EXCLUSIVE")
            database.execute("UPDATE stock SET quantity = quantity + 1")
            stop.wait(self._hold_seconds)  # the supplier's server is asked for each row while the lock is held
            database.execute("COMMIT")
        except sqlite3.Error as error:
            log.error("stock import of file %d failed: %s", number, error)
            return
        log.warning(
            "stock import transaction %d held the exclusive lock on the database for %.1f s, all queries waited",
            number,
            self._hold_seconds,
        )
