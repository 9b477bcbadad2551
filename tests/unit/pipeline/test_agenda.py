"""What is due when."""

import pytest

from aegis_core.pipeline.agenda import Agenda


class Day:
    """A clock that a test sets, and an agenda by it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.agenda = Agenda(lambda: self.now)
        self.done: list[str] = []

    def plan(self, seconds: float, what: str) -> None:
        self.agenda.add(seconds, lambda: self.done.append(what))

    def work(self) -> list[str]:
        """Do all that is due; tells what was done since the last time."""
        self.done.clear()
        while task := self.agenda.due():
            task()
        return list(self.done)


def test_what_is_due_first_is_done_first_and_what_is_not_due_waits() -> None:
    day = Day()
    for seconds, what in ((2.0, "second"), (1.0, "first"), (5.0, "last")):
        day.plan(seconds, what)
    assert day.work() == []
    day.now += 2
    assert day.work() == ["first", "second"]
    day.now += 3
    assert day.work() == ["last"]


def test_what_is_due_at_one_moment_is_done_in_the_order_in_which_it_was_planned() -> None:
    day = Day()
    for number in range(20):
        day.plan(0.0, f"{number:02}")
    assert day.work() == [f"{number:02}" for number in range(20)]


def test_the_pause_lasts_until_the_next_task_is_due() -> None:
    day = Day()
    assert day.agenda.pause() == 1.0, "nothing is planned: look again in a second"
    day.plan(3.0, "later")
    assert day.agenda.pause() == 3.0
    day.now += 10
    assert day.agenda.pause() == 0.0


def test_what_comes_again_and_again_begins_at_once_and_pauses_after_its_end() -> None:
    day = Day()

    def slow() -> None:
        day.done.append("done")
        day.now += 7

    day.agenda.every(lambda: 2.0, slow)
    assert day.work() == ["done"]
    assert day.agenda.pause() == 2.0
    day.now += 2
    assert day.work() == ["done"]


def test_the_pause_is_asked_for_each_time() -> None:
    day = Day()
    pauses = iter([1.0, 9.0])
    day.agenda.every(lambda: next(pauses), lambda: None)
    day.work()
    assert day.agenda.pause() == 1.0
    day.now += 1
    day.work()
    assert day.agenda.pause() == 9.0


def test_what_breaks_comes_again_all_the_same() -> None:
    day = Day()

    def breaks() -> None:
        raise ZeroDivisionError

    day.agenda.every(lambda: 2.0, breaks)
    for _ in range(2):
        task = day.agenda.due()
        assert task
        with pytest.raises(ZeroDivisionError):
            task()
        assert day.agenda.due() is None
        day.now += 2
