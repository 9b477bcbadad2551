"""What every outbox has to do. An implementation joins by a line in `BOXES`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.signal import Fault, Severity
from aegis_core.ports import Outbox
from aegis_core.testing import MemoryOutbox
from tests import examples as make

from .stores import sqlite

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Box(NamedTuple):
    """An empty outbox, how a notice comes into it (`put(channel, notice, at)`, due from `at` on), and its outcome."""

    outbox: Outbox
    put: Callable[[str, Notice, datetime], None]
    outcome: Callable[[int], str | None]


def memory(_folder: Path) -> Box:
    outbox = MemoryOutbox()
    return Box(outbox, outbox.put, lambda one: outbox.outcomes[one])


def sql(folder: Path) -> Box:
    """Notices come into it together with the event that causes them, and in no other way."""
    store = sqlite(folder)
    targets = count(1)

    def put(channel: str, notice: Notice, at: datetime) -> None:
        store.routes[:] = [lambda before, after: [(channel, notice)]]
        store.open(make.signal(f"web-{next(targets)}"), at)

    def outcome(one: int) -> str | None:
        return store.tamper("SELECT outcome FROM outbox WHERE id = :id", {"id": one})[0][0]

    return Box(store.outbox, put, outcome)


BOXES: list[Callable[[Path], Box]] = [memory, sql]


@pytest.fixture(params=BOXES, ids=lambda make: make.__name__)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    return request.param(tmp_path)


def notice(number: int = 1, kind: NoticeKind = NoticeKind.RECEIVED) -> Notice:
    return Notice(
        kind=kind,
        incident_id=f"inc-{number}",
        version=1,
        at=NOON,
        target="buggy-app-v2",
        fault=Fault.MEMORY_PRESSURE,
        severity=Severity.CRITICAL,
        summary="memory at 93 % of its limit",
        log_lines=("first", "last"),
    )


def test_an_empty_outbox_has_nothing_due(box: Box) -> None:
    assert list(box.outbox.due("slack", NOON)) == []


def test_a_notice_comes_out_as_it_went_in(box: Box) -> None:
    box.put("slack", notice(), NOON)
    (item,) = box.outbox.due("slack", NOON)
    assert (item.channel, item.notice, item.attempts, item.created_at) == ("slack", notice(), 0, NOON)


def test_a_channel_gets_its_own_notices_only(box: Box) -> None:
    box.put("slack", notice(1), NOON)
    box.put("runbook", notice(2), NOON)
    assert [item.notice.incident_id for item in box.outbox.due("runbook", NOON)] == ["inc-2"]


def test_notices_come_oldest_first_and_no_more_than_asked_for(box: Box) -> None:
    for number in (3, 1, 2):
        box.put("slack", notice(number), NOON)
    assert [item.notice.incident_id for item in box.outbox.due("slack", NOON, limit=2)] == ["inc-3", "inc-1"]


def test_a_notice_is_not_due_before_its_time(box: Box) -> None:
    box.put("slack", notice(), NOON)
    assert list(box.outbox.due("slack", NOON - SECOND)) == []


def test_looking_takes_nothing_away(box: Box) -> None:
    box.put("slack", notice(), NOON)
    assert list(box.outbox.due("slack", NOON)) == list(box.outbox.due("slack", NOON)) != []


def test_a_delivered_notice_never_comes_again(box: Box) -> None:
    box.put("slack", notice(1), NOON)
    box.put("slack", notice(2), NOON)
    box.outbox.delivered([box.outbox.due("slack", NOON)[0].id], NOON)
    later = box.outbox.due("slack", NOON + timedelta(days=1))
    assert [item.notice.incident_id for item in later] == ["inc-2"]


def test_a_dropped_notice_never_comes_again(box: Box) -> None:
    box.put("slack", notice(), NOON)
    box.outbox.dropped([box.outbox.due("slack", NOON)[0].id], NOON, "superseded")
    assert list(box.outbox.due("slack", NOON + timedelta(days=1))) == []


def test_a_deferred_notice_comes_when_its_time_has_come_and_counts_its_attempts(box: Box) -> None:
    box.put("slack", notice(), NOON)
    for attempt in (1, 2):
        until = NOON + attempt * timedelta(minutes=1)
        box.outbox.deferred([box.outbox.due("slack", until)[0].id], until, "Slack answered 503")
        assert list(box.outbox.due("slack", until - SECOND)) == []
        (item,) = box.outbox.due("slack", until)
        assert item.attempts == attempt


def test_a_deferred_notice_keeps_its_place_in_the_order(box: Box) -> None:
    for number in (1, 2):
        box.put("slack", notice(number), NOON)
    box.outbox.deferred([box.outbox.due("slack", NOON)[0].id], NOON + SECOND, "Slack answered 503")
    assert [item.notice.incident_id for item in box.outbox.due("slack", NOON + SECOND)] == ["inc-1", "inc-2"]


def test_a_delivered_notice_does_not_come_back_by_a_late_deferral(box: Box) -> None:
    box.put("slack", notice(), NOON)
    (item,) = box.outbox.due("slack", NOON)
    box.outbox.delivered([item.id], NOON)
    box.outbox.deferred([item.id], NOON, "a thread that came late")
    assert list(box.outbox.due("slack", NOON + SECOND)) == []


def test_delivering_twice_is_harmless(box: Box) -> None:
    box.put("slack", notice(), NOON)
    (item,) = box.outbox.due("slack", NOON)
    box.outbox.delivered([item.id], NOON)
    box.outbox.delivered([item.id], NOON)
    assert list(box.outbox.due("slack", NOON + SECOND)) == []


def filled(box: Box, notices: int) -> list[int]:
    for number in range(1, notices + 1):
        box.put("slack", notice(number), NOON)
    return [item.id for item in box.outbox.due("slack", NOON, limit=notices)]


def test_what_waits_can_be_read_page_by_page(box: Box) -> None:
    ids = filled(box, 5)
    first = box.outbox.due("slack", NOON, limit=3)
    rest = box.outbox.due("slack", NOON, limit=3, after=first[-1].id)
    assert [item.id for item in (*first, *rest)] == ids
    assert list(box.outbox.due("slack", NOON, limit=3, after=rest[-1].id)) == []


def test_many_are_struck_off_at_once_and_their_outcome_says_how_they_were_told(box: Box) -> None:
    ids = filled(box, 5)
    box.outbox.delivered(ids[:4], NOON, "delivered in a digest")
    assert [item.id for item in box.outbox.due("slack", NOON + SECOND)] == ids[4:]
    assert [box.outcome(one) for one in ids] == ["delivered in a digest"] * 4 + [None]


def test_many_are_put_off_at_once_and_each_counts_an_attempt(box: Box) -> None:
    ids = filled(box, 3)
    box.outbox.deferred(ids[:1], NOON, "Slack answered 503")
    box.outbox.deferred(ids[:2], NOON, "Slack answered 503")
    assert [item.attempts for item in box.outbox.due("slack", NOON)] == [2, 1, 0]
    assert [box.outcome(one) for one in ids] == ["Slack answered 503", "Slack answered 503", None]


def test_many_are_given_up_at_once_and_the_reason_is_kept(box: Box) -> None:
    ids = filled(box, 3)
    box.outbox.dropped(ids[1:], NOON, "superseded")
    assert [item.id for item in box.outbox.due("slack", NOON + SECOND)] == ids[:1]
    assert [box.outcome(one) for one in ids] == [None, "dropped: superseded", "dropped: superseded"]


def test_what_was_delivered_stays_so_whoever_comes_late(box: Box) -> None:
    (one,) = filled(box, 1)
    box.outbox.delivered([one], NOON)
    box.outbox.dropped([one], NOON, "superseded")
    box.outbox.deferred([one], NOON, "a thread that came late")
    assert box.outcome(one) == "delivered"


def test_nothing_is_done_to_no_notices(box: Box) -> None:
    (one,) = filled(box, 1)
    box.outbox.delivered([], NOON)
    box.outbox.deferred([], NOON + SECOND, "nobody")
    box.outbox.dropped([], NOON, "nobody")
    assert box.outcome(one) is None
    assert [item.id for item in box.outbox.due("slack", NOON)] == [one]
