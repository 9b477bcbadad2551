"""The output of a target: tails, moments, and a file that does not grow for ever."""

import os
from pathlib import Path

import pytest

from aegis_core.adapters.process.output import READ_BYTES, OutputLog
from aegis_core.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(tmp_path: Path, clock: FakeClock) -> OutputLog:
    return OutputLog(tmp_path, "web", clock, most_bytes=1000)


def write(log: OutputLog, *lines: str) -> None:
    with log.opened() as descriptor:
        os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())


def test_what_never_printed_has_no_lines(log: OutputLog) -> None:
    assert list(log.tail(10)) == []


def test_the_newest_lines_come_in_order(log: OutputLog) -> None:
    write(log, "one", "two", "three")
    assert list(log.tail(2)) == ["two", "three"]
    assert list(log.tail(0)) == []


def test_lines_since_a_marked_moment_leave_out_the_earlier_ones(log: OutputLog, clock: FakeClock) -> None:
    write(log, "before")
    log.mark()
    since = clock()
    write(log, "after")
    assert list(log.tail(10, since)) == ["after"]


def test_without_a_mark_more_is_told_and_never_less(log: OutputLog, clock: FakeClock) -> None:
    write(log, "one")
    log.mark()
    write(log, "two")
    since = clock()
    write(log, "three")
    assert list(log.tail(10, since)) == ["two", "three"]


def test_a_moment_before_everything_asks_for_everything(log: OutputLog, clock: FakeClock) -> None:
    since = clock()
    write(log, "one")
    log.mark()
    write(log, "two")
    assert list(log.tail(10, since)) == ["one", "two"]


def test_marks_survive_the_agent(log: OutputLog, tmp_path: Path, clock: FakeClock) -> None:
    write(log, "before")
    log.mark()
    since = clock()
    write(log, "after")
    assert list(OutputLog(tmp_path, "web", clock).tail(10, since)) == ["after"]


def test_a_torn_mark_is_passed_over(log: OutputLog, tmp_path: Path, clock: FakeClock) -> None:
    write(log, "before")
    log.mark()
    since = clock()
    write(log, "after")
    with (tmp_path / "web.marks").open("a") as file:
        file.write("17635\n1763.")
    assert list(OutputLog(tmp_path, "web", clock).tail(10, since)) == ["after"]


def test_a_clock_that_was_set_back_does_not_hide_new_lines(log: OutputLog, clock: FakeClock) -> None:
    write(log, "before")
    log.mark()
    clock.advance(-3600)
    since = clock()
    write(log, "after")
    assert "after" in log.tail(10, since)


def test_marks_are_not_made_more_often_than_asked_for(log: OutputLog, tmp_path: Path, clock: FakeClock) -> None:
    for number in range(10):
        write(log, str(number))
        log.mark(least_seconds=0.5)
    clock.advance(1)
    log.mark(least_seconds=0.5)
    log.mark()
    assert len((tmp_path / "web.marks").read_text().splitlines()) == 2


def test_a_file_that_has_grown_too_big_is_set_aside_and_read_on(log: OutputLog, tmp_path: Path) -> None:
    write(log, *(f"line {number:03}" for number in range(150)))
    log.trim()
    assert (tmp_path / "web.log").stat().st_size == 0
    write(log, "newest")
    assert list(log.tail(3)) == ["line 148", "line 149", "newest"]


def test_moments_stay_right_when_the_file_was_set_aside(log: OutputLog, tmp_path: Path, clock: FakeClock) -> None:
    write(log, *(f"line {number:03}" for number in range(149)))
    log.mark()
    since = clock()
    write(log, "after")
    log.trim()
    write(log, "newest")
    assert list(log.tail(9, since)) == ["after", "newest"]
    assert list(OutputLog(tmp_path, "web", clock).tail(9, since)) == ["after", "newest"]


def test_two_files_at_most_are_kept(log: OutputLog, tmp_path: Path) -> None:
    for _ in range(10):
        write(log, *["x" * 99] * 11)
        log.trim()
    assert sum(file.stat().st_size for file in tmp_path.glob("web.log*")) < 2500


def test_a_program_that_keeps_its_file_open_goes_on_printing_after_it_was_set_aside(log: OutputLog) -> None:
    with log.opened() as descriptor:
        os.write(descriptor, b"x" * 2000 + b"\n")
        log.trim()
        os.write(descriptor, b"and on\n")
    assert log.tail(1) == ("and on",)


def test_only_the_end_of_a_long_log_is_read_and_it_begins_with_a_whole_line(tmp_path: Path, clock: FakeClock) -> None:
    log = OutputLog(tmp_path, "web", clock)
    write(log, *["0123456789" * 10] * (READ_BYTES // 100 + 100))
    lines = log.tail(1_000_000)
    assert len(lines) < READ_BYTES // 100
    assert set(lines) == {"0123456789" * 10}


def test_a_line_without_an_end_is_told_all_the_same(tmp_path: Path, clock: FakeClock) -> None:
    log = OutputLog(tmp_path, "web", clock)
    with log.opened() as descriptor:
        os.write(descriptor, b"x" * (READ_BYTES + 10))
    assert len(log.tail(10)) == 1


def test_a_target_that_is_another_one_now_begins_with_an_empty_log(log: OutputLog) -> None:
    write(log, "old")
    log.mark()
    log.clear()
    assert list(log.tail(10)) == []
