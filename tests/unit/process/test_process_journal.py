"""The journal of the process runtime: how a record follows from another, and what stands on disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aegis_core.adapters.process.journal import MOST_HAPPENINGS, Asked, Journal, Phase, Record
from aegis_core.errors import ConfigError

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=30)
NEW = Record(id="a" * 64, definition="b" * 64)
RUNNING = NEW.starting(NOON, "run-1", 4711, 1234.5)


def test_a_start_forgets_how_the_last_run_ended() -> None:
    ended = RUNNING.killing_for_memory(NOON, 300 << 20, 256 << 20).ended(LATER, 137)
    again = ended.starting(LATER, "run-2", 4712, 1264.5)
    assert (again.phase, again.pid, again.started_at) == (Phase.RUNNING, 4712, LATER)
    assert (again.exit_code, again.finished_at, again.oom_killed) == (None, None, False)


@pytest.mark.parametrize("exit_code", [0, 130, 143])
def test_an_end_on_purpose_that_we_did_not_ask_for_is_a_persons(exit_code: int) -> None:
    assert RUNNING.ended(LATER, exit_code).stopped_by_person


@pytest.mark.parametrize("exit_code", [1, 2, 127, 134, 137, 139, None])
def test_every_other_end_is_a_crash(exit_code: int | None) -> None:
    ended = RUNNING.ended(LATER, exit_code)
    assert ended.phase is Phase.EXITED
    assert not ended.stopped_by_person


@pytest.mark.parametrize("exit_code", [0, 137, 143, None])
def test_the_end_of_our_own_stop_is_nobody_elses(exit_code: int | None) -> None:
    stopping = RUNNING.stopping(NOON, Asked.AEGIS, running=True)
    assert stopping.ended(LATER, exit_code).asked is Asked.AEGIS
    assert not stopping.ended(LATER, exit_code).stopped_by_person


@pytest.mark.parametrize("exit_code", [0, 1, 137])
def test_a_stop_for_a_person_is_a_persons_whatever_the_exit_code(exit_code: int) -> None:
    assert RUNNING.stopping(NOON, Asked.PERSON, running=True).ended(LATER, exit_code).stopped_by_person


def test_a_kill_for_memory_counts_as_such_even_if_the_program_ends_politely() -> None:
    ended = RUNNING.killing_for_memory(NOON, 300 << 20, 256 << 20).ended(LATER, 0)
    assert (ended.oom_killed, ended.exit_code, ended.stopped_by_person) == (True, 137, False)


def test_a_stop_that_was_begun_is_remembered_over_the_next_start() -> None:
    again = RUNNING.stopping(LATER, Asked.AEGIS, running=True).ended(LATER, 143).starting(LATER, "run-2", 1, 1.0)
    assert again.begun_at == LATER
    assert again.asked is Asked.NOBODY


def test_the_restart_of_what_is_down_has_begun_without_a_signal() -> None:
    ended = RUNNING.ended(NOON, 1)
    begun = ended.stopping(LATER, Asked.AEGIS, running=False)
    assert (begun.phase, begun.begun_at) == (Phase.EXITED, LATER)
    assert begun.happenings == ended.happenings


def test_what_never_ran_is_to_be_started() -> None:
    assert RUNNING.never_ran().phase is Phase.CREATED


def test_happenings_are_told_with_their_time_and_the_oldest_are_forgotten() -> None:
    record = NEW
    for number in range(MOST_HAPPENINGS + 5):
        record = record.noting(NOON, f"happening {number}")
    assert len(record.happenings) == MOST_HAPPENINGS
    assert str(record.happenings[0]) == "12:00:00 happening 5"


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.save("web.1", RUNNING)
    assert journal.load("web.1") == RUNNING
    assert list(journal.names()) == ["web.1"]


def test_a_name_without_a_record_has_none(tmp_path: Path) -> None:
    assert Journal(tmp_path).load("web") is None


def test_a_removed_record_is_gone_with_its_mark(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.save("web", RUNNING)
    journal.mark("web").write_text("run-1\n")
    journal.remove("web")
    assert journal.load("web") is None
    assert not journal.has_run("web", "run-1")


def test_only_the_run_that_left_the_mark_has_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert not journal.has_run("web", "run-1")
    journal.mark("web").write_text("run-1\n")
    assert journal.has_run("web", "run-1")
    assert not journal.has_run("web", "run-2")


@pytest.mark.parametrize("text", ["", "{", '{"id": 7}'])
def test_a_record_that_cannot_be_understood_is_not_guessed_at(tmp_path: Path, text: str) -> None:
    """A lost record may mean a living process that nobody knows of: a second copy is worse than a refusal."""
    (tmp_path / "web.json").write_text(text)
    with pytest.raises(ConfigError, match=r"web\.json cannot be understood.*web"):
        Journal(tmp_path).load("web")


def test_a_failed_write_leaves_the_old_record(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.save("web", NEW)
    (tmp_path / "web.draft").mkdir()
    with pytest.raises(OSError, match="directory"):
        journal.save("web", RUNNING)
    assert journal.load("web") == NEW
