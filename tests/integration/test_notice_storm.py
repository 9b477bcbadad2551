"""Too much at once: few critical incidents are told one by one, the rest in a digest, and nothing is lost."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aegis_core.adapters.notify.lessons import LessonChannel
from aegis_core.adapters.notify.limits import NAMED, PAGE, STORM, Patience, Rate, Storm
from aegis_core.adapters.notify.outbox import Deliverer
from aegis_core.adapters.notify.slack import SlackChannel
from aegis_core.adapters.runbook.file import RunbookFile
from aegis_core.domain.notice import Digest, Notice, NoticeKind
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import StoreUnavailable
from aegis_core.ports import Channel, Opening, Outbox, OutboxItem
from aegis_core.testing import MemoryOutbox
from tests import examples as make
from tests.contract.stores import sqlite
from tests.integration.slack_server import Answer, SlackServer

QUICK = Patience(first=0.02, longest=0.1)
AS_FAST_AS_IT_GOES = {"slack": Rate(per_second=10_000, burst=10_000)}
DIGESTED = "delivered in a digest"


def utc_now() -> datetime:
    return datetime.now(UTC)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def notice(number: int, kind: NoticeKind = NoticeKind.FAILED, **changes: object) -> Notice:
    """The notice of an incident of its own, of a mere name: nothing that has to be told by itself."""
    fields = {
        "kind": kind,
        "incident_id": f"inc-{number}",
        "version": list(NoticeKind).index(kind) + 1,
        "at": utc_now(),
        "target": f"web-{number}",
        "fault": Fault.CRASHED,
        "severity": Severity.WARNING,
        "summary": "it crashed",
        "reason": "why",
    }
    return Notice.model_validate(fields | changes)


def critical(number: int, kind: NoticeKind = NoticeKind.FAILED, **changes: object) -> Notice:
    return notice(number, kind, target=f"db-{number}", severity=Severity.CRITICAL, known=True, **changes)


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    server = SlackServer().start()
    yield server
    server.stop()


@pytest.fixture
def channel(slack: SlackServer) -> SlackChannel:
    return SlackChannel(slack.url, "http://127.0.0.1:8501", timeout=1)


class Post:
    """An outbox with a deliverer that is told of every notice."""

    def __init__(self) -> None:
        self.outbox = MemoryOutbox()
        self.deliverer: Deliverer | None = None

    def put(self, *notices: Notice, channel: str = "slack") -> None:
        for one in notices:
            self.outbox.put(channel, one, utc_now())
        if self.deliverer:
            self.deliverer.nudge()

    @property
    def outcomes(self) -> Counter[str | None]:
        return Counter(self.outbox.outcomes.values())


@pytest.fixture
def post() -> Post:
    return Post()


StartDeliverer = Callable[..., Deliverer]


@pytest.fixture
def deliver(post: Post) -> Iterator[StartDeliverer]:
    """Start a deliverer over the outbox of `post`; it is ended with the test."""
    started: list[Deliverer] = []

    def start(*channels: Channel, outbox: Outbox | None = None, **options: Any) -> Deliverer:
        fast = {"patience": QUICK, "rates": AS_FAST_AS_IT_GOES, "poll_seconds": 30.0}
        post.deliverer = Deliverer(outbox or post.outbox, channels, utc_now, **(fast | options))
        started.append(post.deliverer)
        post.deliverer.start()
        return post.deliverer

    yield start
    for deliverer in started:
        deliverer.stop(5)


def headlines(slack: SlackServer) -> list[str]:
    return [message["blocks"][0]["text"]["text"] for message in slack.messages]


def is_digest(message: dict[str, Any]) -> bool:
    return "incident" in message["blocks"][0]["text"]["text"]


def digests_fail(slack: SlackServer, answer: Answer) -> None:
    slack.answer = lambda _: answer if is_digest(slack.requests[-1][1]) else None


# ---- what people see of it


def test_500_failures_at_once_are_seven_messages_at_most_and_all_are_struck_off(
    slack: SlackServer, channel: SlackChannel, tmp_path: Path
) -> None:
    """At Slack's real pace, out of a real store."""
    store = sqlite(tmp_path)
    store.routes[:] = [lambda _, after: [("slack", urgent_or_not(int(after.target.removeprefix("web-"))))]]
    store.events.open([Opening(signal=make.signal(f"web-{number}")) for number in range(500)], utc_now())
    deliverer = Deliverer(store.outbox, [channel], utc_now)
    deliverer.start()
    until(lambda: not store.outbox.due("slack", utc_now()))
    deliverer.stop()
    outcomes = Counter(row[0] for row in store.tamper("SELECT outcome FROM outbox", {}))
    store.close()

    assert outcomes == {"delivered": STORM.singles, DIGESTED: 500 - STORM.singles}
    assert len(slack.messages) == STORM.singles + 1 <= 7
    singles = [f"🚨 db-{number} needs you: crashed" for number in range(0, 400, 50)]
    assert headlines(slack) == [*singles[: STORM.singles], "🚨 495 incidents need a person"]
    section = slack.messages[-1]["blocks"][1]["text"]["text"].splitlines()
    assert section[1:3] == ["3 critical, 492 warning", "495 × crashed"]
    assert section[3:6] == [f"• db-{number} (critical, crashed)" for number in (250, 300, 350)]
    assert section[-1] == f"and {495 - NAMED} more targets"
    assert slack.messages[-1]["blocks"][-1]["elements"][0]["text"].endswith("/incidents|Open in Aegis>")
    moments = [moment for moment, _ in slack.requests]
    assert moments[-1] - moments[0] > 0.5, "five at once, and the sixth a second later"


def urgent_or_not(number: int) -> Notice:
    """One in fifty of the first 400 is critical, and of a target that exists."""
    return critical(number) if number % 50 == 0 and number < 400 else notice(number)


def test_a_storm_that_goes_on_is_told_at_most_once_in_each_pause(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(notice, range(50)))
    deliver(channel, storm=Storm(pause=2.0))
    slack.wait_for(lambda: len(slack.messages) == 1)
    for first in range(50, 450, 40):
        post.put(*map(notice, range(first, first + 40)))
        time.sleep(0.02)  # each one nudges
    until(lambda: post.outcomes == {DIGESTED: 450})
    assert headlines(slack) == ["🚨 50 incidents need a person", "🚨 400 incidents need a person"]
    moments = [moment for moment, _ in slack.requests]
    assert moments[1] - moments[0] >= 1.95


def test_after_a_storm_a_single_notice_is_told_at_once(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(notice, range(50)))
    deliver(channel, storm=Storm(pause=600.0))
    slack.wait_for(lambda: len(slack.messages) == 1)
    post.put(notice(99))
    slack.wait_for(lambda: len(slack.messages) == 2)
    assert headlines(slack)[1] == "🚨 web-99 needs you: crashed"


def test_what_is_critical_does_not_wait_for_the_next_digest_up_to_a_bound(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(notice, range(50)))
    deliver(channel, storm=Storm(pause=600.0, glance=0.05))
    slack.wait_for(lambda: len(slack.messages) == 1)
    post.put(*map(notice, range(100, 150)))
    for number in range(10):
        post.put(critical(number))
        told = min(number + 1, STORM.singles)
        slack.wait_for(lambda: len(slack.messages) == 1 + told)  # noqa: B023 - it is called at once
    until(lambda: post.outcomes == {DIGESTED: 50, "delivered": STORM.singles, None: 50 + 10 - STORM.singles})
    time.sleep(0.3)  # time for six glances
    assert headlines(slack)[1:] == [f"🚨 db-{number} needs you: crashed" for number in range(STORM.singles)]


def test_a_new_storm_owes_nothing_to_the_last_one(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(notice, range(50)))
    deliver(channel, storm=Storm(pause=600.0, glance=0.05))
    until(lambda: post.outcomes == {DIGESTED: 50})
    post.put(*map(critical, range(STORM.handful + 1)))  # a storm that ends without a digest
    until(lambda: post.outcomes == {DIGESTED: 50, "delivered": STORM.handful + 1})
    post.put(*map(critical, range(100, 120)))
    slack.wait_for(lambda: len(slack.messages) == 1 + STORM.handful + 1 + STORM.singles)


def test_progress_that_was_overtaken_is_dropped_and_what_is_under_way_is_counted(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*(notice(number, NoticeKind.RECEIVED) for number in range(300)))
    post.put(*(notice(number, NoticeKind.FAILED) for number in range(200)))
    post.put(*(notice(number, NoticeKind.RESOLVED) for number in range(200, 260)))
    deliver(channel)
    until(lambda: post.outcomes == {"dropped: superseded": 260, DIGESTED: 300})
    assert headlines(slack) == ["🚨 200 incidents need a person; 60 are resolved; 40 are being looked into"]


def test_one_digest_stands_for_more_than_one_look_takes(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    count = 2 * PAGE + 500
    post.put(*map(notice, range(count)))
    deliver(channel)
    until(lambda: post.outcomes == {DIGESTED: count})
    assert headlines(slack) == [f"🚨 {count} incidents need a person"]


def test_lessons_are_written_one_by_one_in_every_storm(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer, tmp_path: Path
) -> None:
    runbook = RunbookFile(tmp_path / "runbook.json", starter=False)
    lessons = [
        notice(number, NoticeKind.LESSON, lesson=make.lesson(incident_id=f"inc-{number}")) for number in range(40)
    ]
    post.put(*lessons, channel="runbook")
    post.put(*map(notice, range(40)))
    deliver(channel, LessonChannel(runbook))
    until(lambda: post.outcomes == {"delivered": 40, DIGESTED: 40})
    assert {lesson.incident_id for lesson in runbook.lessons()} == {f"inc-{number}" for number in range(40)}


# ---- what can go wrong


@pytest.mark.parametrize(
    "answer",
    [Answer(503, "away"), Answer(429, "rate_limited"), Answer(404, "no_service"), Answer(status=0), Answer(hang=True)],
    ids=["broken", "limiting", "refusing", "hanging up", "silent"],
)
def test_when_the_digest_fails_all_of_it_waits_and_is_told_later(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer, answer: Answer
) -> None:
    digests_fail(slack, answer)
    post.put(*map(notice, range(50)))
    deliver(channel)
    slack.wait_for(lambda: len(slack.requests) >= 3)
    assert slack.messages == []
    assert not {"delivered", DIGESTED} & set(post.outcomes)
    assert not [outcome for outcome in post.outcomes if outcome and outcome.startswith("dropped")]
    post.put(*map(notice, range(50, 60)))
    slack.work()
    slack.release()
    until(lambda: post.outcomes == {DIGESTED: 60})
    assert headlines(slack) == ["🚨 60 incidents need a person"]


def test_while_the_digest_fails_no_more_are_told_one_by_one_than_at_other_times(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    digests_fail(slack, Answer(503, "away"))
    post.put(*map(critical, range(100)))
    deliver(channel)
    until(lambda: len(slack.requests) - len(slack.messages) >= 6)
    assert len(slack.messages) == STORM.singles
    slack.work()
    until(lambda: post.outcomes == {"delivered": STORM.singles, DIGESTED: 100 - STORM.singles})
    assert headlines(slack)[-1] == f"🚨 {100 - STORM.singles} incidents need a person"
    assert slack.texts[-1].endswith(f"{STORM.singles} more told one by one.")


def test_the_next_digest_has_its_own_critical_incidents_beside_it(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(critical, range(20)))
    deliver(channel, storm=Storm(pause=0.3))
    until(lambda: post.outcomes == {"delivered": 5, DIGESTED: 15})
    post.put(*map(critical, range(100, 120)))
    until(lambda: post.outcomes == {"delivered": 10, DIGESTED: 30})
    assert len(slack.messages) == 12


def test_a_critical_notice_that_slack_chokes_on_does_not_hold_up_the_digest(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    slack.answer = lambda _: Answer(500, "fatal") if "db-7 needs" in str(slack.requests[-1][1]) else None
    post.put(critical(7), *map(notice, range(10, 60)), critical(8))
    deliver(channel)
    until(lambda: post.outcomes[DIGESTED] == 50)
    assert headlines(slack) == ["🚨 db-8 needs you: crashed", "🚨 50 incidents need a person"]
    slack.work()
    slack.wait_for(lambda: len(slack.messages) == 3)
    assert headlines(slack)[2] == "🚨 db-7 needs you: crashed"


def test_what_slack_choked_on_is_told_in_the_midst_of_a_storm_that_goes_on(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    def answer(number: int) -> Answer | None:
        if is_digest(slack.requests[-1][1]):
            post.put(*map(notice, range(100, 150)))
        return Answer(500, "fatal") if number == 1 else None

    slack.answer = answer
    post.put(critical(7), *map(notice, range(10, 60)))
    deliver(channel, storm=Storm(pause=600.0))
    slack.wait_for(lambda: len(slack.messages) == 2)
    assert headlines(slack) == ["🚨 50 incidents need a person", "🚨 db-7 needs you: crashed"]


class ForgetfulOutbox:
    """An outbox whose store is away when something is to be struck off, `times` times."""

    def __init__(self, inner: MemoryOutbox, times: int) -> None:
        self._inner, self.left = inner, times
        self.due, self.deferred, self.dropped = inner.due, inner.deferred, inner.dropped

    def delivered(self, ids: Collection[int], at: datetime, outcome: str = "delivered") -> None:
        if self.left:
            self.left -= 1
            raise StoreUnavailable
        self._inner.delivered(ids, at, outcome)


def test_a_digest_is_not_told_twice_when_the_store_is_away_afterwards(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(notice, range(50)))
    outbox = ForgetfulOutbox(post.outbox, times=4)
    deliver(channel, outbox=outbox)
    until(lambda: post.outcomes == {DIGESTED: 50})
    assert outbox.left == 0
    assert headlines(slack) == ["🚨 50 incidents need a person"]


def test_the_end_in_the_middle_of_a_storm_is_prompt_and_the_next_start_tells_the_rest(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(critical, range(20)))
    first = deliver(channel, rates={"slack": Rate(per_second=0.001, burst=2)})
    slack.wait_for(lambda: len(slack.messages) == 2)
    began = time.monotonic()
    first.stop(5)
    assert time.monotonic() - began < 1
    assert first.silent == ("slack",)
    deliver(channel)
    until(lambda: post.outcomes == {"delivered": 2 + STORM.singles, DIGESTED: 13})
    assert Counter(headlines(slack)).most_common(1)[0][1] == 1, "nothing is told twice"


class SharedOutbox:
    """An outbox out of which somebody else takes what was about to be told by itself."""

    def __init__(self, inner: MemoryOutbox) -> None:
        self._inner = inner
        self.delivered, self.deferred, self.dropped = inner.delivered, inner.deferred, inner.dropped

    def due(self, channel: str, now: datetime, limit: int = 10, after: int = 0) -> Sequence[OutboxItem]:
        if limit == 1:
            self._inner.dropped([after + 1], now, "by somebody else")
        return self._inner.due(channel, now, limit, after)


def test_no_other_notice_takes_the_place_of_one_that_does_not_wait_any_more(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(critical(7), *map(notice, range(10, 60)))
    deliver(channel, outbox=SharedOutbox(post.outbox))
    until(lambda: post.outcomes == {"dropped: by somebody else": 1, DIGESTED: 50})
    assert headlines(slack) == ["🚨 50 incidents need a person"]


class Slow:
    """A channel that takes its time over the first notice."""

    name = "slack"

    def __init__(self) -> None:
        self.got = 0
        self.entered, self.let_go = threading.Event(), threading.Event()

    def deliver(self, notice: Notice | Digest) -> None:
        self.got += 1
        self.entered.set()
        assert self.let_go.wait(30)


def test_nothing_more_is_told_of_a_storm_after_the_end(post: Post, deliver: StartDeliverer) -> None:
    slow = Slow()
    post.put(*map(critical, range(20)))
    deliverer = deliver(slow)
    assert slow.entered.wait(5)
    deliverer.stop(0)
    slow.let_go.set()
    until(lambda: deliverer.silent == ("slack",))
    assert slow.got == 1
    assert post.outcomes == {"delivered": 1, None: 19}


def test_what_was_told_of_an_incident_in_a_digest_is_followed_by_its_end(
    slack: SlackServer, channel: SlackChannel, post: Post, deliver: StartDeliverer
) -> None:
    post.put(*map(notice, range(50)))
    deliver(channel)
    slack.wait_for(lambda: len(slack.messages) == 1)
    post.put(notice(7, NoticeKind.RESOLVED))
    slack.wait_for(lambda: len(slack.messages) == 2)
    assert [line[0] for line in headlines(slack)] == ["🚨", "✅"]
