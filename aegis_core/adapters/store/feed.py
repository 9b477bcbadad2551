"""The events of all incidents as one stream (port `Feed`)."""

from collections.abc import Sequence

from sqlalchemy import Integer, func, literal_column, select

from aegis_core.domain.events import Event

from .database import Database
from .event_log import event_of
from .tables import events

# The log is only ever appended to, by one connection: so SQLite's row numbers grow in the order of the commits, and
# nobody who has seen one will ever find another below it.
_position = literal_column("events.rowid", Integer)


class SqlFeed:
    """Reads the log in the order in which it was written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> int:
        """See `ports.Feed.newest`."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(_position)).select_from(events)).scalar() or 0

    def after(self, position: int, limit: int) -> Sequence[tuple[int, Event]]:
        """See `ports.Feed.after`."""
        query = select(_position.label("position"), events).where(_position > position).order_by(_position).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [(row["position"], event_of(row)) for row in rows]
