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
    """An empty outbox, and how a notice comes into it: `put(channel, notice, at)`, due from `at` on."""

    outbox: Outbox
    put: Callable[[str, Notice, datetime], None]


def memory(_folder: Path) -> Box:
    outbox = MemoryOutbox()
    return Box(outbox, outbox.put)


def sql(folder: Path) -> Box:
    """Notices come into it together with the event that causes them, and in no other way."""
    store = sqlite(folder)
    targets = count(1)

    def put(channel: str, notice: Notice, at: datetime) -> None:
        store.routes[:] = [lambda before, after: [(channel, notice)]]
        store.open(make.signal(f"web-{next(targets)}"), at)

    return Box(store.outbox, put)


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
    box.outbox.delivered(box.outbox.due("slack", NOON)[0], NOON)
    later = box.outbox.due("slack", NOON + timedelta(days=1))
    assert [item.notice.incident_id for item in later] == ["inc-2"]


def test_a_dropped_notice_never_comes_again(box: Box) -> None:
    box.put("slack", notice(), NOON)
    box.outbox.dropped(box.outbox.due("slack", NOON)[0], NOON, "superseded")
    assert list(box.outbox.due("slack", NOON + timedelta(days=1))) == []


def test_a_deferred_notice_comes_when_its_time_has_come_and_counts_its_attempts(box: Box) -> None:
    box.put("slack", notice(), NOON)
    for attempt in (1, 2):
        until = NOON + attempt * timedelta(minutes=1)
        box.outbox.deferred(box.outbox.due("slack", until)[0], until, "Slack answered 503")
        assert list(box.outbox.due("slack", until - SECOND)) == []
        (item,) = box.outbox.due("slack", until)
        assert item.attempts == attempt


def test_a_deferred_notice_keeps_its_place_in_the_order(box: Box) -> None:
    for number in (1, 2):
        box.put("slack", notice(number), NOON)
    box.outbox.deferred(box.outbox.due("slack", NOON)[0], NOON + SECOND, "Slack answered 503")
    assert [item.notice.incident_id for item in box.outbox.due("slack", NOON + SECOND)] == ["inc-1", "inc-2"]


def test_a_delivered_notice_does_not_come_back_by_a_late_deferral(box: Box) -> None:
    box.put("slack", notice(), NOON)
    (item,) = box.outbox.due("slack", NOON)
    box.outbox.delivered(item, NOON)
    box.outbox.deferred(item, NOON, "a thread that came late")
    assert list(box.outbox.due("slack", NOON + SECOND)) == []


def test_delivering_twice_is_harmless(box: Box) -> None:
    box.put("slack", notice(), NOON)
    (item,) = box.outbox.due("slack", NOON)
    box.outbox.delivered(item, NOON)
    box.outbox.delivered(item, NOON)
    assert list(box.outbox.due("slack", NOON + SECOND)) == []
