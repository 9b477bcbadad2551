"""A symptom becomes a stored signal, cleaned and masked."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event, Semaphore

import pytest

from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import Fault, Signal
from aegis_core.errors import StoreUnavailable
from aegis_core.pipeline.detect import Inbox, SecretsOf
from aegis_core.pipeline.rush import Rush
from aegis_core.ports import Claim, Opening
from tests import examples as make
from tests.contract.rigs import wait_until

from .scene import Scene

SECRET = "s3cr3t-of-the-shop"


class Log:
    """An event log that keeps what it is given, or is away."""

    def __init__(self, away: bool = False) -> None:
        self.stored: list[Opening] = []
        self.cleared: list[str] = []
        self.batches: list[int] = []
        self.entered, self.door = Semaphore(0), Event()
        self.door.set()
        self.away = away

    def open(self, openings: Sequence[Opening], at: datetime) -> Sequence[tuple[Incident, bool]]:
        self.batches.append(len(openings))
        self.entered.release()
        self.door.wait()
        if self.away:
            raise StoreUnavailable
        self.stored += openings
        return [(make.incident(incident_id=opening.signal.target), True) for opening in openings]

    def clear(self, keys: Sequence[str], at: datetime) -> Sequence[Incident]:
        self.cleared += keys
        return ()

    def append(self, claim: Claim, drafts: Sequence[Draft], at: datetime) -> Claim:
        raise AssertionError("an inbox appends nothing")


def inbox(log: Log, debounce: float = 0.0, secrets_of: SecretsOf = lambda _: frozenset()) -> Inbox:
    return Inbox(log, secrets_of, Scene().clock, debounce, Rush())


def stored(signal: Signal, secrets: frozenset[str] = frozenset()) -> Signal:
    log = Log()
    asked: list[str] = []

    def secrets_of(name: str) -> frozenset[str]:
        asked.append(name)
        return secrets

    inbox(log, secrets_of=secrets_of).take(signal)
    assert asked == [signal.target], "it is the target's own environment that is masked"
    (one,) = log.stored
    return one.signal


def test_a_signal_about_a_task_is_one_about_its_service() -> None:
    log = Log()
    services = {"shop.1.v8z": "shop"}
    target_of = lambda name: services.get(name, name)  # noqa: E731
    one = Inbox(log, lambda _: frozenset(), Scene().clock, 0.0, Rush(), target_of=target_of)
    one.take_all([make.signal(target="shop.1.v8z"), make.signal(target="web")])
    assert [opening.signal.target for opening in log.stored] == ["shop", "web"]


def test_a_signal_is_stored_as_it_came() -> None:
    signal = make.signal(logs=("one", "two"), alert_type="high_memory", metrics={"memory_percent": 93.0})
    assert stored(signal) == signal


def test_secrets_of_the_target_are_masked_before_anything_is_stored() -> None:
    signal = make.signal(logs=(f"login with {SECRET}",), alert_type=f"login {SECRET} failed")
    one = stored(signal, frozenset({SECRET}))
    assert (one.logs, one.alert_type) == (("login with ***",), "login *** failed")


def test_what_looks_like_a_secret_is_masked_without_knowing_it() -> None:
    assert stored(make.signal(logs=("password=hunter2hunter2",))).logs == ("password=***",)


def test_lines_that_no_store_takes_are_cleaned() -> None:
    one = stored(make.signal(logs=("nul \0 and \udc80 surrogate", "\x1b[31mred\x1b[0m"), alert_type="a\0b\nc"))
    assert one.logs == ("nul   and ? surrogate", "red")
    assert one.alert_type == "a b c"


def test_what_could_not_be_stored_was_not_accepted() -> None:
    with pytest.raises(StoreUnavailable):
        inbox(Log(away=True)).take(make.signal())


def test_what_waits_while_another_is_written_is_written_together() -> None:
    """The first one holds the turn; the twenty that come meanwhile share one transaction, and each gets its own."""
    log = Log()
    log.door.clear()
    box = inbox(log)
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(box.take, make.signal("first"))
        log.entered.acquire()
        rest = [pool.submit(box.take, make.signal(f"web-{number}")) for number in range(20)]
        while len(box._waiting) < 20:
            assert not first.done()
        log.door.set()
        assert [one.result()[0].id for one in rest] == [f"web-{number}" for number in range(20)]
    assert log.batches == [1, 20]


def test_a_sender_does_not_wait_for_ever_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aegis_core.pipeline.detect.TURN_SECONDS", 0.05)
    log = Log()
    log.door.clear()
    box = inbox(log)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(box.take, make.signal("first"))
        log.entered.acquire()
        with pytest.raises(StoreUnavailable):
            box.take(make.signal("second"))
        log.door.set()
        assert first.result()[1]
    assert [one.signal.target for one in log.stored] == ["first"], "what was refused is not stored later"


def test_one_failed_transaction_refuses_everybody_in_it() -> None:
    log = Log(away=True)
    box = inbox(log)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            box.take(make.signal())
    log.away = False
    assert box.take(make.signal())[1], "the turn was given back"


def test_others_alerts_wait_and_what_docker_has_made_sure_of_does_not() -> None:
    log = Log()
    box = inbox(log, debounce=3.0)
    for source, fault in (("native", Fault.MEMORY_PRESSURE), ("native", Fault.UNHEALTHY), ("sensor", Fault.LATENCY)):
        box.take(make.signal(source=source, fault=fault))
    for fault in (Fault.UNHEALTHY, Fault.CRASHED, Fault.CRASH_LOOP, Fault.OOM_KILLED):
        box.take(make.signal(source="sensor", fault=fault))
    assert [one.until is not None for one in log.stored] == [True] * 3 + [False] * 4


class Broken(Log):
    """An event log with a bug."""

    def open(self, openings: Sequence[Opening], at: datetime) -> Sequence[tuple[Incident, bool]]:
        super().open(openings, at)
        raise ZeroDivisionError


def test_when_writing_breaks_unexpectedly_nobody_waits_for_ever() -> None:
    """The one who wrote gets the error, and those whose signals it had taken along are told to come again."""
    log = Broken()
    entrance = inbox(log)
    log.door.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(entrance.take, make.signal("a"))
        assert log.entered.acquire(timeout=10)
        others = [pool.submit(entrance.take, make.signal(name)) for name in ("b", "c")]
        wait_until(lambda: len(entrance._waiting) == 2, "the others to wait")
        log.door.set()
        errors = [type(one.exception(timeout=10)) for one in (first, *others)]
    assert errors[0] is ZeroDivisionError
    assert sorted(error.__name__ for error in errors[1:]) == ["StoreUnavailable", "ZeroDivisionError"]
    assert log.batches == [1, 2]
