"""Ctrl-C and SIGTERM, in this very process."""

import signal

import pytest

from aegis_core.cli.ending import Ended, Ending


def test_the_first_signal_ends_and_a_second_one_does_not_cut_the_cleaning_up_short() -> None:
    done: list[str] = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            done.append("cleaned up")

    with Ending(), pytest.raises(Ended) as ended:
        work()
    assert ended.value.number == signal.SIGTERM
    assert done == ["cleaned up"]


def test_a_signal_waits_for_what_must_not_be_cut_short() -> None:
    done: list[str] = []

    def work(ending: Ending) -> None:
        with ending.held():
            with ending.held():
                signal.raise_signal(signal.SIGINT)
            done.append("the outer block")
        done.append("what follows")

    with Ending() as ending, pytest.raises(Ended):
        work(ending)
    assert done == ["the outer block"]


def test_a_signal_that_was_ignored_before_stays_ignored() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Ending():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, former)


def test_afterwards_signals_mean_what_they_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Ending():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
