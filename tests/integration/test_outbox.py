"""Delivery from the outbox: Slack away for long, a store that fails, restarts, refusals and a prompt end."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.notify.lessons import LessonChannel
from aegis_core.adapters.notify.limits import RATES, Patience, Rate, Storm
from aegis_core.adapters.notify.outbox import Deliverer
from aegis_core.adapters.notify.slack import SlackChannel
from aegis_core.adapters.runbook.file import RunbookFile
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import DeliveryDeferred, RunbookError, StoreUnavailable
from aegis_core.ports import Channel, Outbox, OutboxItem
from aegis_core.testing import MemoryOutbox
from tests.integration.slack_server import Answer, SlackServer

QUICK = Patience(first=0.02, longest=0.2)
CALM = Storm(handful=10**6, crowd=10**6)  # here each notice is told by itself; storms have tests of their own
AS_FAST_AS_IT_GOES = {"slack": Rate(per_second=10_000, burst=10_000)}


def utc_now() -> datetime:
    return datetime.now(UTC)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def notice(kind: NoticeKind, incident_id: str, at: datetime | None = None) -> Notice:
    at = at or utc_now()
    lesson = Lesson(
        timestamp=at,
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
        version=list(NoticeKind).index(kind) + 1,
        at=at,
        target="buggy-app-v2",
        fault=Fault.CRASHED,
        severity=Severity.CRITICAL,
        summary="it crashed",
        reason="why",
        lesson=lesson if kind is NoticeKind.LESSON else None,
    )


class Post:
    """An outbox with a deliverer that is told of every notice."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        self.outbox = outbox
        self.deliverer: Deliverer | None = None

    def put(self, channel: str, *notices: Notice) -> None:
        for one in notices:
            self.outbox.put(channel, one, utc_now())
        if self.deliverer:
            self.deliverer.nudge()


StartDeliverer = Callable[..., Deliverer]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    server = SlackServer().start()
    yield server
    server.stop()


@pytest.fixture
def post() -> Post:
    return Post(MemoryOutbox())


@pytest.fixture
def deliver(post: Post) -> Iterator[StartDeliverer]:
    """Start a deliverer over the outbox of `post`; it is ended with the test."""
    started: list[Deliverer] = []

    def start(*channels: Channel, outbox: Outbox | None = None, **options: Any) -> Deliverer:
        fast = {"patience": QUICK, "rates": AS_FAST_AS_IT_GOES, "storm": CALM, "poll_seconds": 30.0}
        post.deliverer = Deliverer(outbox or post.outbox, channels, utc_now, **(fast | options))
        started.append(post.deliverer)
        post.deliverer.start()
        return post.deliverer

    yield start
    for deliverer in started:
        deliverer.stop(5)


@pytest.fixture
def channel(slack: SlackServer) -> SlackChannel:
    return SlackChannel(slack.url, timeout=1)


def told(slack: SlackServer) -> list[tuple[str, str]]:
    """What stands in the Slack channel: (incident, first sign of the headline), in order."""
    return [(incident_of(message), message["blocks"][0]["text"]["text"][0]) for message in slack.messages]


def incident_of(message: dict[str, Any]) -> str:
    found = re.search(r"incident (inc-[\w-]+)", json.dumps(message, ensure_ascii=False))
    assert found
    return found[1]


# ---- Slack away for long (down, silent, limiting)


def down(slack: SlackServer) -> None:
    slack.stop()


def silent(slack: SlackServer) -> None:
    slack.always_hang()


def limiting(slack: SlackServer) -> None:
    slack.always(429, "rate_limited", Retry_After="1")


def broken(slack: SlackServer) -> None:
    slack.always(503, "upstream connect error")


def back(slack: SlackServer) -> None:
    slack.work()
    slack.stop()
    slack.start()


@pytest.mark.parametrize("trouble", [down, silent, limiting, broken], ids=lambda one: one.__name__)
def test_after_slack_was_away_each_end_is_told_once_in_order_and_the_runbook_never_waited(
    slack: SlackServer, post: Post, deliver: StartDeliverer, trouble: Callable[[SlackServer], None], tmp_path: Path
) -> None:
    runbook = RunbookFile(tmp_path / "runbook.json", starter=False)
    deliver(SlackChannel(slack.url, timeout=1), LessonChannel(runbook))
    incidents = [f"inc-{number}" for number in range(20)]
    for one in incidents[:10]:
        post.put("slack", notice(NoticeKind.RECEIVED, one))
    slack.wait_for(lambda: len(slack.messages) == 10)

    trouble(slack)
    before = len(slack.requests)
    began = time.monotonic()
    for one in incidents:
        post.put("slack", notice(NoticeKind.ACTING, one))
        end = NoticeKind.FAILED if one == "inc-7" else NoticeKind.RESOLVED
        post.put("slack", notice(end, one))
        post.put("runbook", notice(NoticeKind.LESSON, one))
    until(lambda: len(runbook.lessons()) == 20)
    until(lambda: time.monotonic() - began > 2.5)  # away for long, by the measure of the back-off in this test
    assert len(slack.messages) == 10
    away = time.monotonic() - began
    assert len(slack.requests) - before <= 6 + away / QUICK.longest

    back(slack)
    slack.wait_for(lambda: len(slack.messages) >= 30)
    until(lambda: set(post.outbox.outcomes.values()) == {"delivered", "dropped: superseded"})
    received, ended = told(slack)[:10], told(slack)[10:]
    assert received == [(one, "🟠") for one in incidents[:10]]
    assert Counter(ended) == Counter((one, "🚨" if one == "inc-7" else "✅") for one in incidents)
    assert Counter(post.outbox.outcomes.values()) == {"delivered": 50, "dropped: superseded": 20}


def test_a_later_notice_does_not_overtake_an_earlier_one_that_waits_for_its_next_try(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.answer = lambda number: Answer(503, "away") if number <= 3 else None
    deliver(channel, patience=Patience(first=0.1, longest=0.1))
    post.put("slack", notice(NoticeKind.FAILED, "inc-1"))
    slack.wait_for(lambda: len(slack.requests) >= 1)
    post.put("slack", notice(NoticeKind.RESOLVED, "inc-1"))
    slack.wait_for(lambda: len(slack.messages) == 2)
    assert told(slack) == [("inc-1", "🚨"), ("inc-1", "✅")]


def test_a_restarted_agent_tries_at_once_and_keeps_the_order(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.always(503, "away")
    first = deliver(channel, patience=Patience(first=600, longest=600))
    post.put("slack", notice(NoticeKind.FAILED, "inc-1"))
    until(lambda: "Slack answered 503 away" in post.outbox.outcomes.values())
    first.stop(5)
    slack.work()
    post.put("slack", notice(NoticeKind.RESOLVED, "inc-1"))
    deliver(channel)
    slack.wait_for(lambda: len(slack.messages) == 2)
    assert told(slack) == [("inc-1", "🚨"), ("inc-1", "✅")]


def test_a_nudge_does_not_shorten_the_wait_that_slack_asked_for(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.answer = lambda number: Answer(429, "rate_limited", {"Retry-After": "1"}) if number <= 2 else None
    deliver(channel)
    for number in range(30):
        post.put("slack", notice(NoticeKind.FAILED, f"inc-{number}"))
        time.sleep(0.01)
    slack.wait_for(lambda: len(slack.messages) == 30)
    moments = [moment for moment, _ in slack.requests]
    assert moments[1] - moments[0] >= 1
    assert moments[2] - moments[1] >= 1
    assert len(slack.requests) == 32


def test_slack_is_posted_to_at_the_pace_that_it_allows(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    for number in range(7):
        post.put("slack", notice(NoticeKind.FAILED, f"inc-{number}"))
    deliver(channel, rates=RATES)
    slack.wait_for(lambda: len(slack.messages) == 7)
    moments = [moment for moment, _ in slack.requests]
    assert moments[4] - moments[0] < 0.9
    assert moments[5] - moments[0] > 0.9
    assert moments[6] - moments[5] > 0.9


def test_a_notice_that_slack_chokes_on_holds_up_no_other(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.answer = lambda _: Answer(500, "fatal") if incident_of(slack.requests[-1][1]) == "inc-0" else None
    deliver(channel)
    for number in range(10):
        post.put("slack", notice(NoticeKind.FAILED, f"inc-{number}"))
    slack.wait_for(lambda: len(slack.messages) == 9)
    assert {incident for incident, _ in told(slack)} == {f"inc-{number}" for number in range(1, 10)}


def test_what_slack_refuses_is_dropped_with_its_reason_and_stands_in_the_log(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.answer = lambda number: Answer(404, "no_service") if number == 1 else None
    post.put("slack", notice(NoticeKind.FAILED, "inc-1"), notice(NoticeKind.FAILED, "inc-2"))
    with capture_logs() as lines:
        deliver(channel)
        slack.wait_for(lambda: len(slack.messages) == 1)
        until(lambda: None not in post.outbox.outcomes.values())
    assert post.outbox.outcomes == {1: "dropped: Slack answered 404 no_service", 2: "delivered"}
    (error,) = [line["event"] for line in lines if line["log_level"] == "error"]
    assert "404 no_service" in error
    assert "buggy-app-v2 needs you" in error


def test_an_outage_is_one_line_in_the_log_and_its_end_another(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.answer = lambda number: Answer(503, "away") if number <= 6 else None
    with capture_logs() as lines:
        deliver(channel)
        post.put("slack", notice(NoticeKind.FAILED, "inc-1"))
        until(lambda: post.outbox.outcomes == {1: "delivered"})
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "Notices to slack have to wait: Slack answered 503 away. Nothing is lost; it is tried again."),
        ("info", "Notices to slack go out again."),
    ]


def test_old_progress_is_not_told_when_the_agent_comes_up_and_old_ends_are(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    long_ago = utc_now() - timedelta(hours=3)
    post.put(
        "slack", notice(NoticeKind.RECEIVED, "inc-1", at=long_ago), notice(NoticeKind.FAILED, "inc-2", at=long_ago)
    )
    deliver(channel)
    until(lambda: post.outbox.outcomes == {1: "dropped: superseded", 2: "delivered"})
    assert told(slack) == [("inc-2", "🚨")]


# ---- the deliverer itself


class Recorder:
    """A channel that keeps what it gets."""

    def __init__(self, name: str = "slack") -> None:
        self.name = name
        self.got: list[Notice] = []

    def deliver(self, notice: Notice) -> None:
        self.got.append(notice)


class Stuck(Recorder):
    """A channel that does not come back until it is let go."""

    def __init__(self, name: str = "stuck") -> None:
        super().__init__(name)
        self.entered, self.let_go = threading.Event(), threading.Event()

    def deliver(self, notice: Notice) -> None:
        self.entered.set()
        self.let_go.wait(30)
        super().deliver(notice)


class Away(Recorder):
    """A channel that is away for good."""

    def deliver(self, notice: Notice) -> None:
        super().deliver(notice)
        raise DeliveryDeferred("away", retry_after=600)


class FailingOutbox:
    """An outbox whose store fails for the first `times` calls of a method."""

    def __init__(self, inner: MemoryOutbox, method: str, times: int) -> None:
        self._inner, self._method, self.left = inner, method, times

    def _fail(self, method: str) -> None:
        if method == self._method and self.left:
            self.left -= 1
            raise StoreUnavailable

    def due(self, channel: str, now: datetime, limit: int = 10, after: int = 0) -> Sequence[OutboxItem]:
        self._fail("due")
        return self._inner.due(channel, now, limit, after)

    def delivered(self, ids: Collection[int], at: datetime, outcome: str = "delivered") -> None:
        self._fail("delivered")
        self._inner.delivered(ids, at, outcome)

    def deferred(self, ids: Collection[int], until: datetime, reason: str) -> None:
        self._fail("deferred")
        self._inner.deferred(ids, until, reason)

    def dropped(self, ids: Collection[int], at: datetime, reason: str) -> None:
        if ids:
            self._fail("dropped")
        self._inner.dropped(ids, at, reason)


@pytest.mark.parametrize("method", ["due", "delivered"])
def test_while_the_store_is_away_nothing_is_lost_and_nothing_is_told_twice(
    post: Post, deliver: StartDeliverer, method: str
) -> None:
    recorder = Recorder()
    post.put("slack", *(notice(NoticeKind.FAILED, f"inc-{number}") for number in range(3)))
    outbox = FailingOutbox(post.outbox, method, times=4)
    deliver(recorder, outbox=outbox)
    until(lambda: set(post.outbox.outcomes.values()) == {"delivered"})
    assert outbox.left == 0
    assert [one.incident_id for one in recorder.got] == ["inc-0", "inc-1", "inc-2"]


def test_a_store_that_cannot_note_a_deferral_does_not_shorten_it(post: Post, deliver: StartDeliverer) -> None:
    away = Away()
    post.put("slack", notice(NoticeKind.FAILED, "inc-1"))
    outbox = FailingOutbox(post.outbox, "deferred", times=1)
    deliver(away, outbox=outbox)
    until(lambda: outbox.left == 0)
    time.sleep(0.2)  # ten times the first wait of the back-off
    assert len(away.got) == 1


def test_a_store_that_cannot_note_a_drop_is_asked_again(post: Post, deliver: StartDeliverer) -> None:
    recorder = Recorder()
    post.put("slack", notice(NoticeKind.RECEIVED, "inc-1"), notice(NoticeKind.FAILED, "inc-1"))
    deliver(recorder, outbox=FailingOutbox(post.outbox, "dropped", times=3))
    until(lambda: post.outbox.outcomes == {1: "dropped: superseded", 2: "delivered"})


def test_a_stuck_channel_delays_no_other(post: Post, deliver: StartDeliverer) -> None:
    stuck, recorder = Stuck(), Recorder("log")
    deliver(stuck, recorder)
    post.put("stuck", notice(NoticeKind.FAILED, "inc-1"))
    assert stuck.entered.wait(5)
    for number in range(100):
        post.put("log", notice(NoticeKind.FAILED, f"inc-{number}"))
    until(lambda: len(recorder.got) == 100, seconds=5)
    stuck.let_go.set()


def test_more_notices_than_one_look_takes_are_all_delivered(post: Post, deliver: StartDeliverer) -> None:
    recorder = Recorder()
    post.put("slack", *(notice(NoticeKind.RECEIVED, f"inc-{number}") for number in range(450)))
    post.put("slack", *(notice(NoticeKind.FAILED, f"inc-{number}") for number in range(450)))
    deliver(recorder)
    until(lambda: sum(one.kind is NoticeKind.FAILED for one in recorder.got) == 450)
    until(lambda: None not in post.outbox.outcomes.values())


def test_a_notice_that_nobody_nudged_for_is_found_by_the_timer(post: Post, deliver: StartDeliverer) -> None:
    recorder = Recorder()
    deliver(recorder, poll_seconds=0.05)
    post.deliverer = None
    post.put("slack", notice(NoticeKind.FAILED, "inc-1"))
    until(lambda: len(recorder.got) == 1, seconds=5)


def test_a_nudge_is_answered_at_once(post: Post, deliver: StartDeliverer) -> None:
    recorder = Recorder()
    deliver(recorder, poll_seconds=30.0)
    for number in range(50):
        post.put("slack", notice(NoticeKind.FAILED, f"inc-{number}"))
        until(lambda: len(recorder.got) == number + 1, seconds=5)  # noqa: B023 - it is called at once


def test_the_end_is_prompt_while_idle_and_in_the_middle_of_a_back_off(post: Post, deliver: StartDeliverer) -> None:
    away = Away()
    deliverer = deliver(away, Recorder("log"), poll_seconds=600.0)
    post.put("slack", notice(NoticeKind.FAILED, "inc-1"))
    until(lambda: len(away.got) == 1)
    began = time.monotonic()
    deliverer.stop(5)
    assert time.monotonic() - began < 1
    assert deliverer.silent == ("slack", "log")


def test_the_end_does_not_wait_longer_than_told_for_a_stuck_channel(post: Post, deliver: StartDeliverer) -> None:
    stuck = Stuck()
    deliverer = deliver(stuck)
    post.put("stuck", notice(NoticeKind.FAILED, "inc-1"))
    assert stuck.entered.wait(5)
    began = time.monotonic()
    deliverer.stop(0.3)
    assert 0.25 < time.monotonic() - began < 1.5
    stuck.let_go.set()
    until(lambda: post.outbox.outcomes == {1: "delivered"})


class LateWake(threading.Event):
    """A wake-up call that comes at the worst moment: just before the lane forgets the earlier ones."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self._call = call

    def clear(self) -> None:
        self._call()
        super().clear()


def test_an_end_in_the_moment_before_a_turn_is_not_missed(post: Post) -> None:
    deliverer = Deliverer(post.outbox, [Recorder()], utc_now, poll_seconds=600.0)
    (lane,) = deliverer._lanes
    lane._wake = LateWake(lane._ending.set)
    deliverer.start()
    lane.join(5)
    assert deliverer.silent == ("slack",)


def test_it_is_known_which_channels_are_served(post: Post, deliver: StartDeliverer) -> None:
    deliverer = Deliverer(post.outbox, [Recorder("slack"), Recorder("log")], utc_now)
    assert deliverer.silent == ("slack", "log")
    assert deliver(Recorder("slack"), Recorder("log")).silent == ()


def test_stopping_what_was_never_started_is_harmless(post: Post) -> None:
    Deliverer(post.outbox, [Recorder()], utc_now).stop()


def test_lessons_wait_out_a_full_disk_while_slack_goes_on(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer, tmp_path: Path
) -> None:
    path = tmp_path / "runbook.json"
    path.mkdir()  # stands for a disk that cannot be written; the full one is tried with the runbook file
    runbook = RunbookFile(path, starter=False)
    with pytest.raises(RunbookError):
        runbook.lessons()
    deliver(channel, LessonChannel(runbook))
    post.put("runbook", *(notice(NoticeKind.LESSON, f"inc-{number}") for number in range(3)))
    post.put("slack", notice(NoticeKind.RESOLVED, "inc-1"))
    slack.wait_for(lambda: len(slack.messages) == 1)
    path.rmdir()
    until(lambda: len(runbook.lessons()) == 3)
