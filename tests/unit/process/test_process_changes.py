"""What is told of a target when its record changes, and to whom."""

import threading
from datetime import UTC, datetime, timedelta

from aegis_core.adapters.process.changes import Changes, changes_between
from aegis_core.adapters.process.journal import Asked, Record
from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.target import TargetRef

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(seconds=5)
SHOP = TargetRef(name="shop", id="5" * 64)
CREATED = Record(id=SHOP.id, definition="one")
RUNNING = CREATED.starting(AT, "first run", 4_242, 1.0)
STOPPING = RUNNING.stopping(AT, Asked.PERSON, running=True)


def told(before: Record, after: Record) -> list[Change]:
    return list(changes_between(SHOP, before, after))


def change(kind: ChangeKind, at: datetime = AT, exit_code: int | None = None) -> Change:
    return Change(kind=kind, at=at, target=SHOP, exit_code=exit_code)


def test_a_start_is_told() -> None:
    assert told(CREATED, RUNNING) == [change(ChangeKind.STARTED)]


def test_a_crash_is_told_with_its_exit_code() -> None:
    assert told(RUNNING, RUNNING.ended(LATER, 3)) == [change(ChangeKind.DIED, LATER, 3)]


def test_a_stop_is_told_when_it_is_begun_and_its_end_when_it_has_come() -> None:
    assert told(RUNNING, STOPPING) == [change(ChangeKind.STOPPED)]
    assert told(STOPPING, STOPPING.ended(LATER, 0)) == [change(ChangeKind.DIED, LATER, 0)]


def test_a_stop_by_a_signal_from_outside_shows_at_the_end_only() -> None:
    assert told(RUNNING, RUNNING.ended(LATER, 143)) == [
        change(ChangeKind.STOPPED, LATER),
        change(ChangeKind.DIED, LATER, 143),
    ]


def test_a_kill_for_memory_is_told_before_its_end() -> None:
    killing = RUNNING.killing_for_memory(LATER, 300, 200)

    assert told(RUNNING, killing) == [change(ChangeKind.OOM, LATER)]
    assert told(killing, killing.ended(LATER, None)) == [change(ChangeKind.DIED, LATER, 137)]


def test_a_start_that_fails_after_a_stop_is_one_more_end() -> None:
    ended = STOPPING.ended(AT, 0)

    assert told(ended, ended.not_started(LATER, "no such file")) == [change(ChangeKind.DIED, LATER, 127)]


def test_what_changes_nothing_is_not_told() -> None:
    ended = RUNNING.ended(LATER, 3)

    assert told(RUNNING, RUNNING.noting(LATER, "taken over")) == []
    assert told(ended, ended.stopping(LATER, Asked.PERSON, running=False)) == []
    assert told(RUNNING, RUNNING.never_ran()) == []


def test_who_listens_hears_what_comes_after_the_gap_and_nothing_once_it_is_over() -> None:
    changes, stopping = Changes(lambda: AT), threading.Event()
    changes.tell(change(ChangeKind.STARTED))  # nobody listens yet
    heard = changes.follow(stopping)

    assert next(heard) == Change(kind=ChangeKind.GAP, at=AT)
    changes.tell(change(ChangeKind.DIED))
    changes.tell_removed(SHOP)
    assert [next(heard), next(heard)] == [change(ChangeKind.DIED), change(ChangeKind.REMOVED)]
    stopping.set()
    assert list(heard) == []


def test_who_does_not_take_what_is_told_is_told_that_something_was_missed() -> None:
    changes, stopping = Changes(lambda: AT), threading.Event()
    heard = changes.follow(stopping)
    next(heard)
    for _ in range(10_000):
        changes.tell(change(ChangeKind.STARTED))

    assert next(heard).kind is ChangeKind.GAP
    assert next(heard).kind is ChangeKind.STARTED
