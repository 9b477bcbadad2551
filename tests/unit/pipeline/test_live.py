"""The stream of events: read once for all who follow, handed out from memory, and from the store to who is behind."""

from collections.abc import Iterator, Sequence

import pytest

from aegis_core.domain.events import Draft, Event
from aegis_core.domain.incident import Incident, Status, fold
from aegis_core.errors import IncidentUnknown, StoreUnavailable
from aegis_core.pipeline import live as module
from aegis_core.pipeline.live import Folds, Happening, Live
from tests import examples as make
from tests.contract.rigs import wait_until


class Log:
    """A log in memory: as much of `Feed` and `Incidents` as following needs."""

    def __init__(self) -> None:
        self.written: list[Event] = []
        self.away = False
        self.reads = 0

    def write(self, incident_id: str, *drafts: Draft) -> None:
        mine = [event for event in self.written if event.incident_id == incident_id]
        version, head = (mine[-1].version, mine[-1].hash) if mine else (0, make.GENESIS)
        self.written += make.chain(drafts, incident_id, make.NOON, version, head)

    def newest(self) -> int:
        return len(self.written)

    def after(self, position: int, limit: int) -> Sequence[tuple[int, Event]]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable
        return list(enumerate(self.written, start=1))[position : position + limit]

    def events(self, incident_id: str) -> Sequence[Event]:
        found = [event for event in self.written if event.incident_id == incident_id]
        if not found:
            raise IncidentUnknown
        return found


def tell(happening: Happening) -> Sequence[str]:
    return [f"{happening.event.incident_id}:{happening.event.version} {happening.after.status}"]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def live(log: Log) -> Iterator[Live]:
    sums = iter(range(1, 1_000))
    one = Live(log, log, tell, lambda: f"sum {next(sums)}")  # type: ignore[arg-type]
    one.start()
    yield one
    one.stop()


class Ear:
    """A follower that keeps what it has heard."""

    def __init__(self, live: Live) -> None:
        self.live, self.heard, self.woken = live, list[str](), 0
        self.position = live.join(self.wake)

    def wake(self) -> None:
        self.woken += 1

    def listen(self) -> list[str]:
        entries = self.live.kept_after(self.position)
        for entry in self.live.read(self.position) if entries is None else entries:
            self.position = entry.position
            self.heard += entry.messages
        return self.heard


def test_what_happens_while_somebody_follows_is_told_in_order(live: Live, log: Log) -> None:
    log.write("a", make.received())
    ear = Ear(live)
    log.write("a", make.gathered(), make.diagnosed())
    log.write("b", make.received())
    live.nudge()
    wait_until(lambda: len(ear.listen()) == 3, "three messages")
    assert ear.heard == ["a:2 ANALYZING", "a:3 ANALYZING", "b:1 RECEIVED"]
    assert ear.woken > 0


def test_without_a_nudge_it_is_found_within_a_second(live: Live, log: Log) -> None:
    ear = Ear(live)
    wait_until(lambda: log.reads > 0, "the first look")
    log.write("a", make.received())
    wait_until(ear.listen, "the message")


def test_nobody_follows_and_nothing_is_read(live: Live, log: Log) -> None:
    ear = Ear(live)
    wait_until(lambda: log.reads > 0, "the first look")
    live.leave(ear.wake)
    reads = log.reads
    for _ in range(50):
        log.write("a", make.received() if not log.written else make.commented())
        live.nudge()
    assert log.reads <= reads + 1
    late = Ear(live)
    assert late.position == 50
    log.write("b", make.received())
    wait_until(late.listen, "what came after it")
    assert late.heard == ["b:1 RECEIVED"]


def test_an_incident_that_went_on_while_nobody_followed_is_told_as_it_stands(live: Live, log: Log) -> None:
    ear = Ear(live)
    log.write("a", make.received(), make.gathered())
    live.nudge()
    wait_until(lambda: len(ear.listen()) == 2, "the beginning")
    live.leave(ear.wake)
    log.write("a", make.diagnosed(), make.decided())
    late = Ear(live)
    log.write("a", make.commented())
    live.nudge()
    wait_until(late.listen, "what came after it")
    assert late.heard == ["a:5 DECIDED"]


def test_whoever_is_too_far_behind_reads_the_store_and_misses_nothing(
    live: Live, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    slow, quick = Ear(live), Ear(live)
    log.write("a", make.received(), *[make.commented()] * 9)
    live.nudge()
    wait_until(lambda: len(quick.listen()) == 10, "the quick one to have heard all")
    assert live.kept_after(slow.position) is None
    wait_until(lambda: len(slow.listen()) == 10, "the slow one to have heard all")
    assert slow.heard == quick.heard


def test_large_messages_are_not_kept_without_a_bound(live: Live, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHARACTERS", 40)
    ear = Ear(live)
    log.write("a", make.received(), *[make.commented()] * 9)
    live.nudge()
    wait_until(lambda: live.kept_after(0) is None, "the first ones to be dropped")
    wait_until(lambda: len(ear.listen()) == 10, "all of it")


def test_the_store_comes_back_and_nothing_is_missing(live: Live, log: Log) -> None:
    ear = Ear(live)
    log.away = True
    log.write("a", make.received())
    live.nudge()
    wait_until(lambda: log.reads >= 2, "some looks")
    log.away = False
    wait_until(ear.listen, "the message")
    assert ear.heard == ["a:1 RECEIVED"]


def test_sums_are_told_when_an_incident_ends_and_not_more_often_than_every_two_seconds(
    live: Live, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    ear = Ear(live)
    assert live.figures == (1, "sum 1")
    log.write("a", make.received(), make.failed())
    log.write("b", make.received(), make.failed())
    live.nudge()
    wait_until(lambda: len(ear.listen()) == 4, "both")
    assert live.figures == (1, "sum 1")
    now[0] += 2.0
    wait_until(lambda: live.figures == (2, "sum 2"), "one sum for both")
    woken = ear.woken
    log.write("c", make.received())
    live.nudge()
    wait_until(lambda: ear.woken > woken, "the news")
    assert live.figures == (2, "sum 2")


def test_a_room_is_what_happened_to_one_incident_after_a_version(live: Live, log: Log) -> None:
    log.write("a", make.received(), make.gathered(), make.commented())
    log.write("b", make.received())
    assert [entry.messages for entry in live.room("a", 1)] == [("a:2 ANALYZING",), ("a:3 ANALYZING",)]
    with pytest.raises(IncidentUnknown):
        live.room("c", 0)


def test_at_the_end_every_follower_is_woken(live: Live) -> None:
    ear = Ear(live)
    live.stop()
    assert ear.woken > 0
    assert live.over


def test_an_incident_is_folded_right_wherever_a_stream_begins_and_whatever_was_forgotten(log: Log) -> None:
    for name in "abc":
        log.write(name, make.received(), make.gathered(), make.diagnosed(), make.decided(), make.failed())
    order = sorted(log.written, key=lambda event: (event.version, event.incident_id))

    def told(folds: Folds) -> list[tuple[Incident | None, Incident]]:
        return [folds.of(event) for event in order[4:]]

    whole, forgetful = told(Folds(log)), told(Folds(log, most=1))  # type: ignore[arg-type]
    assert whole == forgetful
    for event, (before, after) in zip(order[4:], whole, strict=True):
        mine = log.events(event.incident_id)[: event.version]
        assert after == fold(mine)
        assert before == fold(mine[:-1])
    assert {after.status for _, after in whole[-3:]} == {Status.FAILED}
