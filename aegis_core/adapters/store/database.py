"""Opens the database: one agent a file, one writing connection, many reading ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from aegis_core.errors import AlreadyRunning, ConfigError, StoreUnavailable

from .turn import Turn

BUSY_SECONDS = 1.5  # how long one waits for a lock that somebody else holds: a sender is to hear within 2 s
READERS = 8
MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


class Database:
    """A SQLite file in WAL mode.

    Raises AlreadyRunning when another agent holds the file, ConfigError for a URL that is not SQLite or a store that a
    newer version wrote, StoreUnavailable when the file cannot be opened or is no database.
    """

    def __init__(self, url: str, exclusive: bool = True) -> None:
        self.path = _path_of(url)
        self._turn = Turn()
        self._lock = FileLock(f"{self.path}.lock") if exclusive else None
        if self._lock:
            _acquire(self._lock, self.path)
        self._writer = _engine(self.path, begin="BEGIN IMMEDIATE", connections=1)
        self._reader = _engine(self.path, begin="BEGIN", connections=READERS)
        if exclusive:
            try:
                self._migrate()
            except StoreUnavailable as error:
                self.close()
                raise StoreUnavailable(f"the store {self.path} cannot be used: {error}") from error
            except ConfigError:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and let go of the file."""
        self._reader.dispose()
        self._writer.dispose()
        if self._lock:
            self._lock.release()

    @contextmanager
    def writing(self, durable: bool, urgent: bool = False) -> Iterator[Connection]:
        """One write transaction at a time, `urgent` ones first.

        `durable`: on disk before this ends, also if the host loses power.

        Without `durable` a commit survives a killed agent, and is synced with the next durable one.
        """
        with (
            self._turn.taken(urgent, BUSY_SECONDS),
            _translated("writing to the store"),
            self._writer.connect() as connection,
        ):
            driver: Any = connection.connection.driver_connection
            driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")  # refused inside a transaction
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view that neither waits for writers nor holds them up."""
        with _translated("reading from the store"), self._reader.connect() as connection, connection.begin():
            yield connection

    def _migrate(self) -> None:
        if self._revision() == NEWEST:
            return
        # 10 MB that an agent whose store is up to date need not carry.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.writing(durable=True) as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ConfigError(f"the store {self.path} was written by a newer aegis: {error}") from error

    def _revision(self) -> str | None:
        with self.writing(durable=False) as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _path_of(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("AEGIS_STORE_URL is not a database URL, such as sqlite:////var/lib/aegis/aegis.db") from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigError("AEGIS_STORE_URL has to name a SQLite file, such as sqlite:////var/lib/aegis/aegis.db")
    path = Path(parsed.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder of the store, {path.parent}, cannot be made: {error.strerror}") from error
    return path


def _acquire(lock: FileLock, path: Path) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AlreadyRunning(
            f"another aegis is already running on {path}; stop it first, or set AEGIS_DATA_DIR to another folder"
        ) from error
    except OSError as error:
        raise ConfigError(f"the store {path} cannot be locked: {error.strerror}") from error


def _engine(path: Path, begin: str, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=connections,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreUnavailable(f"{doing}: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"{doing}: {error}") from error
