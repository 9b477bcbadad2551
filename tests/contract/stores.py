"""The stores that the contract tests of the event log, the queue and the outbox run on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.event_log import SqlEventLog, rebuild
from aegis_core.adapters.store.feed import SqlFeed
from aegis_core.adapters.store.incidents import Archive, SqlIncidents
from aegis_core.adapters.store.outbox import SqlOutbox
from aegis_core.adapters.store.queue import SqlWorkQueue
from aegis_core.adapters.store.standings import SqlStandings
from aegis_core.domain.incident import Incident
from aegis_core.domain.notice import Notice
from aegis_core.domain.signal import Signal
from aegis_core.ports import EventLog, Feed, Incidents, Opening, Outbox, StandingBook, WorkQueue

Route = Callable[[Incident | None, Incident], Iterable[tuple[str, Notice]]]


@dataclass
class Store:
    """Everything that one store offers, and the means to tamper with it. `routes` is what a test sets it to."""

    events: EventLog
    incidents: Incidents
    queue: WorkQueue
    outbox: Outbox
    archive: Archive
    feed: Feed
    standings: StandingBook
    rebuild: Callable[[], int]
    tamper: Callable[[str, dict[str, Any]], Sequence[Any]]
    close: Callable[[], None]
    routes: list[Route] = field(default_factory=list)

    def open(self, signal: Signal, at: datetime) -> tuple[Incident, bool]:
        """Store one signal."""
        [taken] = self.events.open([Opening(signal=signal)], at)
        return taken


def sqlite(folder: Path) -> Store:
    database = Database(f"sqlite:///{folder / 'aegis.db'}")
    routes: list[Route] = []

    def routed(before: Incident | None, after: Incident) -> Iterable[tuple[str, Notice]]:
        return [pair for route in routes for pair in route(before, after)]

    def tamper(statement: str, values: dict[str, Any]) -> Sequence[Any]:
        with database.writing(durable=False) as connection:
            answer = connection.execute(text(statement), values)
            return answer.all() if answer.returns_rows else ()

    return Store(
        events=SqlEventLog(database, routed),
        incidents=SqlIncidents(database),
        queue=SqlWorkQueue(database, owner="a test"),
        outbox=SqlOutbox(database),
        archive=Archive(database),
        feed=SqlFeed(database),
        standings=SqlStandings(database),
        rebuild=lambda: rebuild(database),
        tamper=tamper,
        close=database.close,
        routes=routes,
    )


STORES: list[Callable[[Path], Store]] = [sqlite]
"""Another store joins the contract by a line here."""
