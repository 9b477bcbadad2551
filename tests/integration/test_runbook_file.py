"""The runbook file under two writers, readers, kill -9, corruption and a full disk."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from aegis_core.adapters.runbook.file import RunbookFile
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.signal import Fault
from aegis_core.errors import RunbookError, StoreUnavailable

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FORK = multiprocessing.get_context("fork")


def lesson(incident_id: str, minute: int = 0, root_cause: str = "a cache without an upper bound") -> Lesson:
    return Lesson(
        timestamp=NOON + timedelta(minutes=minute),
        incident_id=incident_id,
        container="buggy-app-v2",
        fault=Fault.MEMORY_PRESSURE,
        issue="memory at 93 % of its limit",
        fix="RESTART",
        root_cause=root_cause,
        source="rules",
        verified_healthy=True,
        seconds=12.4,
        signature="0123456789abcdef",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "runbook.json"


def ids(path: Path) -> list[str]:
    return [entry["incident_id"] for entry in json.loads(path.read_bytes())["entries"]]


def set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob("runbook.json.corrupt-*"))


# ---- one process


def test_the_first_start_writes_the_starter_lessons(path: Path) -> None:
    lessons = RunbookFile(path).lessons()
    assert len(lessons) == 7
    assert ids(path) == [one.incident_id for one in lessons]


def test_without_starter_lessons_an_absent_file_is_an_empty_runbook(path: Path) -> None:
    assert RunbookFile(path, starter=False).lessons() == ()


def test_a_lesson_is_in_the_file_when_add_returns_and_only_once(path: Path) -> None:
    runbook = RunbookFile(path, starter=False)
    runbook.add(lesson("inc-1"))
    runbook.add(lesson("inc-1"))
    assert ids(path) == ["inc-1"]
    assert RunbookFile(path).lessons() == (lesson("inc-1"),)


def test_a_second_start_adds_no_starter_lessons(path: Path) -> None:
    RunbookFile(path, starter=False).add(lesson("inc-1"))
    assert len(RunbookFile(path, starter=True).lessons()) == 1


def test_an_unchanged_file_is_not_read_again(path: Path) -> None:
    runbook = RunbookFile(path)
    first = runbook.lessons()
    path.chmod(0o600)  # touches neither time, size nor inode
    assert runbook.lessons() is first


def test_what_another_writer_adds_is_seen_at_once(path: Path) -> None:
    mine, other = RunbookFile(path, starter=False), RunbookFile(path, starter=False)
    assert mine.lessons() == ()
    other.add(lesson("inc-1"))
    assert [one.incident_id for one in mine.lessons()] == ["inc-1"]


def test_the_rights_that_a_person_gave_the_file_stay(path: Path) -> None:
    runbook = RunbookFile(path)
    runbook.lessons()
    path.chmod(0o640)
    runbook.add(lesson("inc-1"))
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_to_the_file_is_followed_and_stays_a_link(path: Path, tmp_path: Path) -> None:
    RunbookFile(path, starter=False).lessons()
    link = tmp_path / "link.json"
    link.symlink_to(path)
    RunbookFile(link).add(lesson("inc-1"))
    assert link.is_symlink()
    assert ids(path) == ["inc-1"]


def test_the_file_is_bounded_and_the_oldest_lessons_go(path: Path) -> None:
    runbook = RunbookFile(path, starter=False, most_entries=10)
    for number in range(25):
        runbook.add(lesson(f"inc-{number}", minute=number))
    assert ids(path) == [f"inc-{number}" for number in range(15, 25)]


def test_rebuild_adds_what_is_missing_and_keeps_the_rest(path: Path) -> None:
    runbook = RunbookFile(path, starter=False)
    runbook.add(lesson("inc-2", minute=2))
    runbook.rebuild(lesson(f"inc-{number}", minute=number) for number in (3, 1, 2))
    assert [one.incident_id for one in runbook.lessons()] == ["inc-1", "inc-2", "inc-3"]


# ---- corruption


@pytest.mark.parametrize("damage", [b'{"entries": [{"incident_id": "in', b"", b"\x00" * 4096, b"[]"])
def test_a_corrupt_file_is_set_aside_at_the_start_and_rebuilt(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    runbook = RunbookFile(path, recall=lambda: [lesson("inc-1"), lesson("inc-2", minute=1)])
    assert [one.incident_id for one in runbook.lessons()][-2:] == ["inc-1", "inc-2"]
    assert len(ids(path)) == 9
    assert [aside.read_bytes() for aside in set_aside(path)] == [damage]


def test_a_file_that_was_damaged_meanwhile_is_set_aside_before_a_lesson_is_added(path: Path) -> None:
    runbook = RunbookFile(path, starter=False, recall=lambda: [lesson("inc-1")])
    runbook.add(lesson("inc-1"))
    path.write_bytes(b"{ an editor's slip")
    runbook.add(lesson("inc-2", minute=1))
    assert ids(path) == ["inc-1", "inc-2"]
    assert [aside.read_bytes() for aside in set_aside(path)] == [b"{ an editor's slip"]


def test_each_corrupt_file_is_kept_even_within_the_same_moment(path: Path) -> None:
    runbook = RunbookFile(path, starter=False, clock=lambda: NOON)
    path.parent.mkdir()
    for damage in (b"first", b"second", b"third"):
        path.write_bytes(damage)
        runbook.lessons()
    assert {aside.read_bytes() for aside in set_aside(path)} == {b"first", b"second", b"third"}


def test_nothing_is_set_aside_while_the_event_log_is_away(path: Path) -> None:
    def away() -> list[Lesson]:
        raise StoreUnavailable

    path.parent.mkdir()
    path.write_bytes(b"{")
    with pytest.raises(RunbookError, match="event log"):
        RunbookFile(path, recall=away).add(lesson("inc-1"))
    assert path.read_bytes() == b"{"
    assert set_aside(path) == []


def test_an_editor_that_is_half_way_through_saving_does_not_lose_its_file(path: Path) -> None:
    runbook = RunbookFile(path, starter=False)
    runbook.add(lesson("inc-1"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    writing = threading.Timer(0.05, path.write_bytes, [whole])
    writing.start()
    runbook.add(lesson("inc-2", minute=1))
    writing.join()
    assert set_aside(path) == []
    assert [one.incident_id for one in runbook.lessons()] == ["inc-1", "inc-2"]


# ---- a disk that cannot be written


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"FULL DISK NOT TESTED: a tmpfs cannot be mounted here ({mounted.stderr.strip()})")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def test_on_a_full_disk_the_old_file_stays_whole_and_the_next_try_succeeds(tiny_disk: Path) -> None:
    path = tiny_disk / "runbook.json"
    runbook = RunbookFile(path)
    runbook.add(lesson("inc-1"))
    before = path.read_bytes()
    filler = tiny_disk / "filler"
    fill(filler)

    with pytest.raises(RunbookError, match="No space left on device") as raised:
        runbook.add(lesson("inc-2", minute=1))
    assert raised.value.transient
    assert path.read_bytes() == before
    assert {one.name for one in tiny_disk.iterdir()} == {"runbook.json", "runbook.json.lock", "filler"}
    assert runbook.lessons()[-1].incident_id == "inc-1"

    filler.unlink()
    runbook.add(lesson("inc-2", minute=1))
    assert ids(path)[-2:] == ["inc-1", "inc-2"]


def test_a_corrupt_file_stays_where_it_is_while_the_disk_is_full(tiny_disk: Path) -> None:
    path = tiny_disk / "runbook.json"
    path.write_bytes(b"{" * 60_000)
    (tiny_disk / "filler").write_bytes(b"x" * 65_536)
    with pytest.raises(RunbookError):
        RunbookFile(path, recall=lambda: [lesson("inc-1", root_cause="long " * 4_000)]).lessons()
    assert path.read_bytes() == b"{" * 60_000
    assert set_aside(path) == []


def test_a_file_that_cannot_be_read_is_reported_and_not_taken_for_corrupt(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(RunbookError, match="Is a directory"):
        RunbookFile(path).lessons()
    assert set_aside(path) == []


def test_a_writer_that_never_lets_go_of_the_lock_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aegis_core.adapters.runbook.file.LOCK_SECONDS", 0.1)
    holder, waiting = RunbookFile(path), RunbookFile(path)
    holder.lessons()
    with holder._lock, pytest.raises(RunbookError, match="lock"):
        waiting.add(lesson("inc-1"))


# ---- several processes, and kill -9


def write_until_killed(path: Path, prefix: str, acknowledged: int) -> None:
    runbook = RunbookFile(path, starter=False, most_entries=100_000)
    for number in range(100_000):
        runbook.add(lesson(f"{prefix}-{number}", minute=number))
        os.write(acknowledged, f"{prefix}-{number}\n".encode())


def read_until_told(path: Path, results: Connection) -> None:
    """Count reads and what is wrong with them: not JSON, or fewer entries than were there before."""
    runbook, reads, wrong, seen = RunbookFile(path, starter=False), 0, [], 0
    while not results.poll():
        try:
            raw = path.read_bytes()
            count = len(json.loads(raw)["entries"])
            if count < seen:
                wrong.append(f"{count} entries after {seen}")
            seen = max(seen, count)
            runbook.lessons()
            reads += 1
        except ValueError as error:
            wrong.append(f"{error}: {raw[:80]!r}")
    results.send((reads, wrong))


def start(target: object, *arguments: object) -> BaseProcess:
    process = FORK.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def acknowledged_ids(pipe: int) -> set[str]:
    os.set_blocking(pipe, False)
    text = b""
    while True:
        try:
            text += os.read(pipe, 65_536)
        except BlockingIOError:
            return set(text.decode().split())


def test_two_writers_killed_at_random_lose_nothing_and_readers_never_see_half_a_file(path: Path) -> None:
    RunbookFile(path, starter=False).lessons()
    dice = random.Random(19)
    told, tell = os.pipe()
    ours, theirs = FORK.Pipe()
    reader = start(read_until_told, path, theirs)
    acknowledged: set[str] = set()
    writers = [start(write_until_killed, path, f"{slot}.0", tell) for slot in (0, 1)]
    kill = 0
    while kill < 60 or len(acknowledged) < 200:  # a busy machine needs more kills to have as many entries at stake
        kill += 1
        time.sleep(dice.uniform(0.02, 0.15))  # the moment of the kill is the point
        victim = kill % 2
        os.kill(writers[victim].pid, signal.SIGKILL)
        writers[victim].join()
        acknowledged |= acknowledged_ids(told)
        writers[victim] = start(write_until_killed, path, f"{victim}.{kill}", tell)
    for writer in writers:
        writer.kill()
        writer.join()
    acknowledged |= acknowledged_ids(told)
    ours.send("enough")
    reads, wrong = ours.recv()
    reader.join()
    stored = ids(path)
    print(f"{len(acknowledged)} acknowledged, {len(stored)} stored, {reads} reads, {kill + 2} kills")
    assert wrong == []
    assert acknowledged - set(stored) == set()
    assert len(stored) == len(set(stored))
    assert reads > 100
    assert set_aside(path) == []


def test_threads_of_one_agent_do_not_lose_each_others_lessons(path: Path) -> None:
    runbook = RunbookFile(path, starter=False)
    names = [f"inc-{thread}-{number}" for thread in range(4) for number in range(10)]
    threads = [
        threading.Thread(target=lambda part: [runbook.add(lesson(name)) for name in part], args=(names[i::4],))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids(path)) == sorted(names)
