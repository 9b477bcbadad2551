"""In which order notices go out, and which are no news any more."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.notify.plan import Entry, Plan, entry, plan
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.signal import Fault, Severity
from aegis_core.ports import OutboxItem

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ENDS = {NoticeKind.RESOLVED, NoticeKind.FAILED, NoticeKind.LESSON}


def item(number: int, incident: str, kind: str, attempts: int = 0, age: timedelta = timedelta(0)) -> Entry:
    return Entry(
        id=number,
        attempts=attempts,
        kind=NoticeKind(kind),
        at=NOON - age,
        incident_id=incident,
        target=f"target-of-{incident}",
        fault=Fault.CRASHED,
        severity=Severity.CRITICAL,
        known=True,
    )


def ids(items: Sequence[Entry]) -> list[int]:
    return [one.id for one in items]


def planned(*items: Entry) -> Plan:
    return plan(items, NOON)


def test_the_oldest_incident_goes_first() -> None:
    assert ids(planned(item(1, "a", "received"), item(2, "b", "received")).order) == [1, 2]


def test_progress_is_superseded_by_what_came_after_it() -> None:
    todo = planned(item(1, "a", "received"), item(2, "a", "acting"), item(3, "a", "resolved"))
    assert ids(todo.order) == [3]
    assert ids(todo.superseded) == [1, 2]


def test_progress_of_another_incident_is_not_superseded() -> None:
    assert ids(planned(item(1, "a", "acting"), item(2, "b", "failed")).order) == [1, 2]


@pytest.mark.parametrize("later", ["acting", "resolved", "failed"])
def test_a_question_is_no_news_any_more_once_something_has_come_of_it(later: str) -> None:
    todo = planned(item(1, "a", "received"), item(2, "a", "approval"), item(3, "a", later))
    assert ids(todo.superseded) == [1, 2]


def test_a_question_is_asked_however_late_and_an_older_one_gives_way_to_it() -> None:
    todo = planned(
        item(1, "a", "approval", age=timedelta(hours=1)), item(2, "a", "approval", age=timedelta(minutes=20))
    )
    assert (ids(todo.order), ids(todo.superseded)) == ([2], [1])


def test_a_lesson_supersedes_nothing() -> None:
    assert ids(planned(item(1, "a", "acting"), item(2, "a", "lesson")).order) == [1, 2]


def test_progress_that_is_minutes_old_is_no_news_any_more() -> None:
    todo = planned(item(1, "a", "received", age=timedelta(minutes=6)), item(2, "b", "acting", age=timedelta(minutes=4)))
    assert ids(todo.order) == [2]
    assert ids(todo.superseded) == [1]


def test_an_end_is_told_however_late_it_is() -> None:
    week = timedelta(days=7)
    todo = planned(
        item(1, "a", "failed", age=week), item(2, "b", "resolved", age=week), item(3, "c", "lesson", age=week)
    )
    assert ids(todo.order) == [1, 2, 3]


def test_a_clock_that_was_set_back_makes_no_progress_stale() -> None:
    assert ids(planned(item(1, "a", "received", age=-timedelta(hours=1))).order) == [1]


def test_a_notice_that_the_channel_chokes_on_lets_the_others_pass() -> None:
    assert ids(planned(item(1, "a", "failed", attempts=4), item(2, "b", "failed"), item(3, "c", "failed")).order) == [
        2,
        3,
        1,
    ]


def test_a_notice_never_overtakes_an_earlier_one_of_its_incident_that_has_to_wait() -> None:
    todo = planned(item(1, "a", "failed", attempts=3), item(2, "a", "failed"), item(3, "b", "failed", attempts=1))
    assert ids(todo.order) == [3, 1, 2]


rows = st.tuples(st.sampled_from("abc"), st.sampled_from(list(NoticeKind)), st.integers(0, 3), st.integers(-10, 20))
items = st.lists(rows, max_size=25).map(
    lambda many: [item(n, i, k, a, timedelta(minutes=m)) for n, (i, k, a, m) in enumerate(many, start=1)]
)


@given(items)
def test_nothing_is_lost_doubled_or_out_of_order(waiting: list[Entry]) -> None:
    todo = plan(waiting, NOON)
    assert sorted(ids(todo.order) + ids(todo.superseded)) == ids(waiting)
    assert not ENDS & {one.kind for one in todo.superseded}
    for incident in "abc":
        own = ids([one for one in todo.order if one.incident_id == incident])
        assert own == sorted(own)


def test_an_entry_says_of_a_notice_what_the_plan_needs(make_notice: Callable[..., Notice]) -> None:
    notice = make_notice("failed", known=True)
    one = entry(OutboxItem(id=3, channel="slack", notice=notice, attempts=2, created_at=NOON))
    assert (one.id, one.attempts) == (3, 2)
    assert {name: getattr(one, name) for name in Entry._fields[2:]} == {
        name: getattr(notice, name) for name in Entry._fields[2:]
    }
