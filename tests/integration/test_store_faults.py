"""The store when a second agent comes, when another process holds it, when its agent is killed, and when it is no
database at all."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from aegis_core.adapters.store import database as database_module
from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.event_log import SqlEventLog
from aegis_core.adapters.store.incidents import Archive, SqlIncidents
from aegis_core.adapters.store.queue import SqlWorkQueue
from aegis_core.domain.incident import Incident, Status
from aegis_core.errors import AlreadyRunning, ConfigError, StoreUnavailable
from aegis_core.ports import Filter
from tests import examples as make
from tests.examples import NOON, later

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "aegis.db"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def log_of(database: Database) -> SqlEventLog:
    return SqlEventLog(database, lambda *_: [])


def store(log: SqlEventLog, target: str = "web", at: datetime = NOON, **known: Any) -> tuple[Incident, bool]:
    return make.opened(log, make.signal(target, **known), at)


# ---- two agents


SECOND_AGENT = """
import sys
from aegis_core.adapters.store.database import Database
from aegis_core.errors import AlreadyRunning
try:
    Database(sys.argv[1])
except AlreadyRunning as error:
    print(error)
    sys.exit(3)
"""


def test_a_second_agent_on_the_same_file_refuses_to_start_and_says_what_to_do(path: Path) -> None:
    with Database(url(path)) as first:
        second = subprocess.run(
            [sys.executable, "-c", SECOND_AGENT, url(path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 3, second.stderr
        assert second.stdout.startswith(f"another aegis is already running on {path}")
        assert "AEGIS_DATA_DIR" in second.stdout
        assert store(log_of(first))[1], "the first one goes on undisturbed"


def test_a_second_agent_in_the_same_process_is_refused_too(path: Path) -> None:
    with Database(url(path)), pytest.raises(AlreadyRunning):
        Database(url(path))


def test_when_the_first_has_ended_the_next_one_may_start_and_finds_everything(path: Path) -> None:
    with Database(url(path)) as first:
        incident, _ = store(log_of(first))
    with Database(url(path)) as second:
        assert SqlIncidents(second).get(incident.id) == incident


def test_who_only_looks_may_look_while_the_agent_runs(path: Path) -> None:
    with Database(url(path)) as agent, Database(url(path), exclusive=False) as doctor:
        store(log_of(agent))
        assert Archive(doctor).count() == 1


# ---- killed


def open_for_ever(path: Path, acknowledged: Connection) -> None:
    log = log_of(Database(url(path)))
    for number in range(1_000_000):
        incident, _ = store(log, f"web-{number % 7}", later(number), fault=list(make.Fault)[number % 3])
        acknowledged.send((incident.id, incident.signals))


@pytest.mark.parametrize("acknowledgements", [1, 40, 97])
def test_a_killed_agent_has_lost_nothing_that_it_acknowledged(path: Path, acknowledgements: int) -> None:
    heard, tell = FORK.Pipe(duplex=False)
    agent = FORK.Process(target=open_for_ever, args=(path, tell), daemon=True)
    agent.start()
    tell.close()
    counted: dict[str, int] = {}
    try:
        for _ in range(acknowledgements):
            assert heard.poll(30)
            incident_id, signals = heard.recv()
            counted[incident_id] = signals
    finally:
        os.kill(agent.pid or 0, signal.SIGKILL)
        agent.join(30)
    while True:  # what it had said before it was killed counts as well
        try:
            incident_id, signals = heard.recv()
        except EOFError:
            break
        counted[incident_id] = signals
    with Database(url(path)) as database:
        assert Archive(database).broken() == []
        stored = {one.id: one.signals for one in SqlIncidents(database).list(Filter(), 500, 0)[0]}
    assert counted.keys() <= stored.keys()
    assert all(stored[incident_id] >= signals for incident_id, signals in counted.items())
    assert sum(stored.values()) - sum(counted.values()) in {0, 1}, "at most the one whose answer it could not send"


def claim_and_hang(path: Path, acknowledged: Connection) -> None:
    database = Database(url(path))
    store(log_of(database))
    (claim,) = SqlWorkQueue(database, "killed").claim(1, NOON)
    log_of(database).append(claim, [make.gathered(), make.diagnosed(), make.decided(), make.intended()], NOON)
    acknowledged.send(claim.incident.id)
    signal.pause()


def test_what_a_killed_agent_was_at_is_taken_up_where_it_was(path: Path) -> None:
    heard, tell = FORK.Pipe(duplex=False)
    agent = FORK.Process(target=claim_and_hang, args=(path, tell), daemon=True)
    agent.start()
    assert heard.poll(30)
    incident_id = heard.recv()
    os.kill(agent.pid or 0, signal.SIGKILL)
    agent.join(30)
    with Database(url(path)) as database:
        queue = SqlWorkQueue(database, "next")
        assert queue.claim(1, NOON) == []
        assert queue.recover() == 1
        (claim,) = queue.claim(1, NOON)
        assert (claim.incident.id, claim.incident.status, claim.fence) == (incident_id, Status.EXECUTING, 2)
        assert claim.incident.intent


# ---- held by somebody else


def hold(path: Path, said: Connection) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        said.send("held")
        said.recv()


@contextmanager
def held(path: Path) -> Iterator[Connection]:
    """Another process has a transaction open on the file until the end of the block."""
    here, there = FORK.Pipe()
    other = FORK.Process(target=hold, args=(path, there), daemon=True)
    other.start()
    assert here.recv() == "held"
    try:
        yield here
    finally:
        here.send("let go")
        other.join(30)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.2)


def test_a_store_that_another_process_holds_is_unavailable_and_nothing_is_half_written(
    path: Path, impatient: None
) -> None:
    with Database(url(path)) as database:
        log, queue = log_of(database), SqlWorkQueue(database, "here")
        store(log)
        (claim,) = queue.claim(1, NOON)
        with held(path):
            for write in (
                lambda: store(log, "db"),
                lambda: log.append(claim, [make.gathered()], NOON),
                lambda: queue.claim(1, NOON),
                lambda: queue.release(claim),
                queue.recover,
            ):
                with pytest.raises(StoreUnavailable, match="locked"):
                    write()
            assert SqlIncidents(database).get(claim.incident.id) == claim.incident, "looking is still possible"
        assert log.append(claim, [make.gathered()], NOON).incident.version == 2
        assert store(log, "db")[1]
        assert Archive(database).broken() == []
        assert Archive(database).count() == 3


def test_a_store_that_is_held_for_a_moment_only_is_waited_for(path: Path) -> None:
    with Database(url(path)) as database:
        log = log_of(database)
        with held(path) as other:
            writing = threading.Thread(target=store, args=(log,))
            writing.start()
            writing.join(0.2)
            assert writing.is_alive()
            other.send("let go")
            writing.join(database_module.BUSY_SECONDS)
        assert Archive(database).count() == 1


def test_many_writers_do_not_wait_one_after_the_other_for_a_store_that_is_held(path: Path, impatient: None) -> None:
    """Ten of them would wait ten times as long: every one gives up within its own turn and one transaction."""
    with Database(url(path)) as database:
        log = log_of(database)
        answers: list[str] = []

        def write(number: int) -> None:
            with pytest.raises(StoreUnavailable) as refusal:
                store(log, f"web-{number}")
            answers.append(str(refusal.value))

        writers = [threading.Thread(target=write, args=(number,)) for number in range(10)]
        with held(path):
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join(30)
        assert len(answers) == 10
        assert sum("other writers" in answer for answer in answers) >= 5
        assert store(log)[1]


# ---- no database


@pytest.mark.parametrize(
    "content", [b"this is a text and no database at all\n" * 200, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_file_that_is_no_database_is_named_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="not a database") as refusal:
        Database(url(path))
    assert str(path) in str(refusal.value)
    assert path.read_bytes() == content


def test_a_start_that_failed_lets_go_of_the_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailable):
        Database(url(path))
    path.unlink()
    with Database(url(path)) as database:
        assert Archive(database).count() == 0


def test_a_store_of_a_newer_version_is_left_alone(path: Path) -> None:
    Database(url(path)).close()
    with closing(sqlite3.connect(path)) as later_version:
        later_version.execute("UPDATE alembic_version SET version_num = '9999'")
        later_version.commit()
    with pytest.raises(ConfigError, match="newer aegis"):
        Database(url(path))


@pytest.mark.parametrize("bad", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_a_url_that_names_no_file_is_refused_by_the_name_of_its_setting(bad: str) -> None:
    with pytest.raises(ConfigError, match="AEGIS_STORE_URL"):
        Database(bad)


def test_a_folder_that_cannot_be_made_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="folder of the store"):
        Database(url(tmp_path / "file" / "aegis.db"))


def test_a_disk_that_fills_up_loses_nothing_that_was_acknowledged(path: Path) -> None:
    with Database(url(path)) as database:
        log = log_of(database)
        with database.writing(durable=True) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        with database.writing(durable=True) as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 30}")
        stored: list[Incident] = []

        def store_until_it_is_full() -> None:
            for number in range(1000):
                stored.append(store(log, f"web-{number}", logs=("x" * 2000,))[0])

        with pytest.raises(StoreUnavailable, match="full"):
            store_until_it_is_full()
        assert stored
        with database.writing(durable=True) as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
        assert [SqlIncidents(database).get(one.id) for one in stored] == stored
        assert Archive(database).broken() == []
        assert store(log, "after")[1]
