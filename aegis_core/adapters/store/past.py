"""Reads what has happened, beside a running agent, and changes nothing."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from aegis_core.domain.events import Event
from aegis_core.errors import ConfigError, StoreUnavailable

from .database import BUSY_SECONDS
from .event_log import read_events
from .tables import incidents


def closed_incidents(url: str) -> Sequence[Sequence[Event]]:
    """Return the events of every closed incident, the oldest incident first.

    Incidents that this version cannot read are passed over. The store is opened read-only.
    Raises ConfigError where there is no store, StoreUnavailable where it cannot be read.
    """
    engine = read_only(url)
    closed = select(incidents.c.id).where(~incidents.c.open).order_by(incidents.c.opened_at, incidents.c.id)
    found: list[Sequence[Event]] = []
    try:
        with engine.connect() as connection, connection.begin():
            for incident_id in connection.execute(closed).scalars().all():
                try:
                    found.append(read_events(connection, incident_id))
                except ValueError:  # a kind of event that a newer version writes
                    continue
    except DBAPIError as error:
        raise StoreUnavailable(f"reading the store: {error.orig}") from error
    finally:
        engine.dispose()
    return found


def read_only(url: str) -> Engine:
    """Open a store that is there already, for reading. Raises ConfigError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("AEGIS_STORE_URL is not a database URL, such as sqlite:////var/lib/aegis/aegis.db") from error
    path = Path(parsed.database or "")
    if parsed.get_backend_name() != "sqlite" or not path.is_file():
        raise ConfigError(f"there is no store at {path} yet: AEGIS_DATA_DIR or AEGIS_STORE_URL names the one in use")
    address = f"file:{quote(str(path.absolute()))}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)
