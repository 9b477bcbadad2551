"""The engine's events in our words, and what is remembered between two subscriptions."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from aegis_core.adapters.docker.changes import OVERLAP, Changes, Memory, change_of
from aegis_core.adapters.docker.past import Happening
from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.target import TargetRef
from aegis_core.errors import RuntimeUnavailable

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHOP = TargetRef(name="shop", id="5" * 64)


def happening(what: str, seconds: float = 0.0, **attributes: str) -> Happening:
    return Happening(AT + timedelta(seconds=seconds), what, {"name": SHOP.name, **attributes}, SHOP.id)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("die", ChangeKind.DIED),
        ("oom", ChangeKind.OOM),
        ("health_status: unhealthy", ChangeKind.UNHEALTHY),
        ("health_status: healthy", ChangeKind.HEALTHY),
        ("start", ChangeKind.STARTED),
        ("unpause", ChangeKind.STARTED),
        ("kill", ChangeKind.STOPPED),
        ("stop", ChangeKind.STOPPED),
        ("pause", ChangeKind.STOPPED),
        ("destroy", ChangeKind.REMOVED),
    ],
)
def test_an_event_becomes_a_change_of_its_container(word: str, kind: ChangeKind) -> None:
    assert change_of(happening(word)) == Change(kind=kind, at=AT, target=SHOP)


@pytest.mark.parametrize("word", ["exec_create: true", "health_status: running", "rename", "restart", "nonsense"])
def test_an_event_that_is_nothing_to_us_becomes_no_change(word: str) -> None:
    assert change_of(happening(word)) is None


@pytest.mark.parametrize(("told", "code"), [("137", 137), ("0", 0), ("", None), ("-1", None), ("many", None)])
def test_a_death_tells_its_exit_code_where_the_engine_does(told: str, code: int | None) -> None:
    change = change_of(happening("die", exitCode=told))

    assert change
    assert change.exit_code == code


def test_an_event_without_a_name_is_no_targets() -> None:
    assert change_of(Happening(AT, "die", {}, SHOP.id)) is None


def test_the_same_event_is_new_once() -> None:
    memory = Memory(AT)

    assert memory.is_new(happening("die"))
    assert not memory.is_new(happening("die"))
    assert memory.is_new(happening("start"))
    assert memory.is_new(happening("die", seconds=0.000001))


def test_it_is_asked_again_from_a_little_before_the_newest_event() -> None:
    memory = Memory(AT)
    memory.is_new(happening("die", seconds=60))
    memory.is_new(happening("start", seconds=59))  # late

    assert memory.since == AT + timedelta(seconds=60) - OVERLAP


def test_what_was_told_is_remembered_as_long_as_the_engine_could_repeat_it_and_no_longer() -> None:
    memory = Memory(AT)
    for second in range(10_000):
        memory.is_new(happening("die", seconds=second))

    assert not memory.is_new(happening("die", seconds=10_000 - 256))
    assert memory.is_new(happening("die", seconds=0))


class Answer:
    """The answer that events come in: these lines, and then the connection breaks."""

    def __init__(self, *events: Happening) -> None:
        self.lines = [
            {
                "Action": event.what,
                "Actor": {"ID": event.container, "Attributes": event.attributes},
                "timeNano": int(event.at.timestamp()) * 10**9,
            }
            for event in events
        ]

    def iter_content(self, size: int) -> Iterator[bytes]:
        yield from (json.dumps(line).encode() + b"\n" for line in self.lines)
        raise requests.ConnectionError("broken")

    def close(self) -> None: ...


class Scripted:
    """An engine that answers each subscription with the next of these, and notes from when on they were to be."""

    def __init__(self, *answers: Answer | None) -> None:
        self.answers = list(answers)
        self.asked: list[datetime] = []

    def live_events(self, since: datetime, filters: Any, silence: float) -> tuple[Answer, socket.socket]:
        self.asked.append(since)
        self.filters = filters
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            raise requests.ConnectionError("refused")
        return answer, socket.socket()


class Impatient(threading.Event):
    """Does not wait, and notes how long it was to be."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return False


class Following:
    """Changes over a scripted engine, with a clock that is set by hand."""

    def __init__(self, *answers: Answer | None) -> None:
        self.engine, self.now = Scripted(*answers), AT
        self.changes = Changes(self.engine, None, lambda: self.now, silence=1)  # type: ignore[arg-type]
        self.stopping = Impatient()

    def kinds(self) -> list[ChangeKind]:
        """All that is told until the engine refuses to answer."""
        told: list[ChangeKind] = []
        with pytest.raises(RuntimeUnavailable):
            self._listen(told)
        return told

    def _listen(self, told: list[ChangeKind]) -> None:
        for change in self.changes.follow(self.stopping):
            told.append(change.kind)


def test_every_subscription_begins_with_a_gap_and_what_is_repeated_is_told_once() -> None:
    died, started = happening("die", seconds=10), happening("start", seconds=11)
    following = Following(Answer(died), Answer(died, started), Answer(started))

    assert following.kinds() == [ChangeKind.GAP, ChangeKind.DIED, ChangeKind.GAP, ChangeKind.STARTED, ChangeKind.GAP]


def test_the_next_subscription_asks_for_what_came_since_the_newest_event() -> None:
    following = Following(Answer(happening("die", seconds=10)))
    following.kinds()

    assert following.engine.asked == [AT, AT + timedelta(seconds=10) - OVERLAP]


def test_a_stream_that_ends_at_once_is_not_asked_for_again_without_a_pause() -> None:
    following = Following(Answer(), Answer())
    following.kinds()

    assert following.stopping.waits == [1.0, 1.0]


def test_the_engine_is_asked_for_nothing_but_what_matters() -> None:
    """A health check alone makes three exec events every few seconds, for each container."""
    following = Following()
    following.kinds()

    wanted = {"die", "oom", "health_status", "start", "stop", "kill", "pause", "unpause", "destroy"}
    assert following.engine.filters["type"] == ["container"]
    assert set(following.engine.filters["event"]) == wanted


def test_after_a_refusal_the_next_call_takes_up_where_the_last_one_was() -> None:
    died = happening("die", seconds=10)
    following = Following(Answer(died))
    following.kinds()
    following.now += timedelta(seconds=60)
    following.engine.answers = [Answer(died, happening("start", seconds=30))]

    assert following.kinds() == [ChangeKind.GAP, ChangeKind.STARTED]
    assert following.engine.asked[2] == AT + timedelta(seconds=10) - OVERLAP


def test_what_is_old_is_not_asked_for_after_a_long_absence() -> None:
    following = Following()
    following.kinds()
    following.now += timedelta(hours=3)
    following.kinds()

    assert following.engine.asked == [AT, following.now - timedelta(minutes=5)]


def test_who_begins_to_listen_is_told_nothing_of_before() -> None:
    following = Following(Answer(happening("die", seconds=10)))
    first = following.changes.follow(following.stopping)
    next(first)
    first.close()
    following.now += timedelta(seconds=60)
    following.kinds()

    assert following.engine.asked == [AT, following.now]
