"""What every channel has to do. An implementation joins by a line in `MAKERS`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.notify.lessons import LessonChannel
from aegis_core.adapters.notify.log import LogChannel
from aegis_core.adapters.notify.slack import SlackChannel
from aegis_core.adapters.runbook.file import RunbookFile
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.notice import Digest, Named, Notice, NoticeKind, Share
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import DeliveryDeferred
from aegis_core.ports import Channel
from tests.integration.slack_server import SlackServer

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Rig(NamedTuple):
    """A channel, how many notices have arrived at its other end, and how that end is taken away and brought back.

    `cut` is None for a channel that has no other end.
    """

    channel: Channel
    arrived: Callable[[], int]
    cut: Callable[[], None] | None = None
    mend: Callable[[], None] | None = None
    wants: frozenset[NoticeKind] = frozenset(NoticeKind) - {NoticeKind.LESSON}


@contextmanager
def slack(_folder: Path) -> Iterator[Rig]:
    server = SlackServer().start()
    try:
        channel = SlackChannel(server.url, timeout=1)
        yield Rig(channel, lambda: len(server.messages), server.stop, lambda: server.start() and None)
    finally:
        server.stop()


@contextmanager
def log(_folder: Path) -> Iterator[Rig]:
    with capture_logs() as lines:
        yield Rig(LogChannel(), lambda: len(lines))


@contextmanager
def runbook(folder: Path) -> Iterator[Rig]:
    path = folder / "runbook.json"
    file = RunbookFile(path, starter=False)

    def cut() -> None:
        path.unlink()
        path.mkdir()

    yield Rig(LessonChannel(file), lambda: len(file.lessons()), cut, path.rmdir, frozenset({NoticeKind.LESSON}))


MAKERS: list[Callable[[Path], AbstractContextManager[Rig]]] = [slack, log, runbook]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with request.param(tmp_path) as desk:
        yield desk


def notice(kind: NoticeKind, incident_id: str = "inc-1") -> Notice:
    lesson = Lesson(
        timestamp=NOON,
        incident_id=incident_id,
        container="buggy-app-v2",
        fault=Fault.CRASHED,
        issue="crashed",
        fix="RESTART",
        root_cause="exit code 1",
        source="rules",
        verified_healthy=True,
        seconds=3.0,
        signature="0123456789abcdef",
    )
    return Notice(
        kind=kind,
        incident_id=incident_id,
        version=1,
        at=NOON,
        target="buggy-app-v2",
        fault=Fault.CRASHED,
        severity=Severity.CRITICAL,
        summary="it crashed",
        lesson=lesson if kind is NoticeKind.LESSON else None,
    )


def digest() -> Digest:
    worst = (Named(target="buggy-app-v2", fault=Fault.CRASHED, severity=Severity.CRITICAL),)
    counted = {"faults": {Fault.CRASHED: 37}, "severities": {Severity.CRITICAL: 37}}
    return Digest(since=NOON, at=NOON, failed=Share(incidents=37, targets=37, worst=worst, **counted))


def test_a_channel_has_a_short_name(desk: Rig) -> None:
    assert desk.channel.name.isidentifier()
    assert len(desk.channel.name) <= 32


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_that_the_channel_is_for_arrives_once_and_others_do_not(desk: Rig, kind: NoticeKind) -> None:
    desk.channel.deliver(notice(kind))
    assert desk.arrived() == (1 if kind in desk.wants else 0)


def test_a_digest_arrives_once_where_people_are_and_nowhere_else(desk: Rig) -> None:
    desk.channel.deliver(digest())
    assert desk.arrived() == (1 if NoticeKind.FAILED in desk.wants else 0)


def test_a_digest_is_deferred_by_a_channel_for_people_that_is_away(desk: Rig) -> None:
    if desk.cut is None or desk.mend is None or NoticeKind.FAILED not in desk.wants:
        assert desk.channel.name in {"log", "runbook"}  # the one cannot be away, the other passes digests over
        return
    desk.cut()
    with pytest.raises(DeliveryDeferred):
        desk.channel.deliver(digest())
    desk.mend()
    desk.channel.deliver(digest())
    assert desk.arrived() == 1


def test_a_channel_that_is_away_defers_and_takes_the_notice_when_it_is_back(desk: Rig) -> None:
    if desk.cut is None or desk.mend is None:
        assert desk.channel.name == "log"  # the only one that cannot be away
        return
    kind = min(desk.wants)
    desk.channel.deliver(notice(kind, "inc-1"))
    desk.cut()
    for _ in range(2):
        with pytest.raises(DeliveryDeferred):
            desk.channel.deliver(notice(kind, "inc-2"))
    before = 1 if kind is not NoticeKind.LESSON else 0  # what was in a file that was taken away is gone
    desk.mend()
    assert desk.arrived() == before
    desk.channel.deliver(notice(kind, "inc-2"))
    assert desk.arrived() == before + 1
