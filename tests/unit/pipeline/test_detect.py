"""A symptom becomes a stored signal, cleaned and masked."""

from datetime import datetime

import pytest

from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import Signal
from aegis_core.errors import StoreUnavailable
from aegis_core.pipeline.detect import detect
from tests import examples as make

from .scene import Scene

SECRET = "s3cr3t-of-the-shop"


class Log:
    """An event log that keeps what it is given, or is away."""

    def __init__(self, away: bool = False) -> None:
        self.stored: list[Signal] = []
        self.away = away

    def open(self, signal: Signal, at: datetime) -> tuple[Incident, bool]:
        if self.away:
            raise StoreUnavailable
        self.stored.append(signal)
        return make.incident(), True


def stored(signal: Signal, secrets: frozenset[str] = frozenset()) -> Signal:
    log = Log()
    asked: list[str] = []

    def secrets_of(name: str) -> frozenset[str]:
        asked.append(name)
        return secrets

    detect(signal, log, secrets_of, Scene().clock)
    assert asked == [signal.target], "it is the target's own environment that is masked"
    (one,) = log.stored
    return one


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
        detect(make.signal(), Log(away=True), lambda _: frozenset(), Scene().clock)
