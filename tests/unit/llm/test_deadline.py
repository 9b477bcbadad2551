"""A call that hangs is given up on, and what it raises comes through."""

import threading
import time

import pytest

from aegis_core.adapters.llm.deadline import within
from aegis_core.errors import AnswerInvalid, BrainUnavailable


def test_an_answer_in_time_is_returned() -> None:
    assert within(5, lambda: 42) == 42


def test_a_call_that_hangs_is_given_up_on() -> None:
    let_go = threading.Event()
    begun = time.monotonic()
    with pytest.raises(BrainUnavailable, match=r"within 0\.1 s"):
        within(0.1, let_go.wait)
    assert time.monotonic() - begun < 2
    let_go.set()


def test_what_the_call_raises_of_ours_comes_through() -> None:
    def call() -> None:
        raise AnswerInvalid("no.")

    with pytest.raises(AnswerInvalid, match="no"):
        within(5, call)


def test_a_call_that_breaks_counts_as_unavailable_at_once_and_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: told.set())

    def call() -> None:
        raise ZeroDivisionError

    begun = time.monotonic()
    with pytest.raises(BrainUnavailable, match="broke"):
        within(30, call)
    assert time.monotonic() - begun < 5
    assert told.wait(5)
