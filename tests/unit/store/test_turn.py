"""Whose turn it is to write."""

import threading

import pytest

from aegis_core.adapters.store.turn import Turn
from aegis_core.errors import StoreUnavailable


def queue_up(turn: Turn, order: list[str], name: str, urgent: bool) -> threading.Thread:
    def work() -> None:
        with turn.taken(urgent, 10):
            order.append(name)

    waiting = len(turn._urgent) + len(turn._others)
    thread = threading.Thread(target=work)
    thread.start()
    while len(turn._urgent) + len(turn._others) == waiting:
        assert thread.is_alive()
    return thread


def test_the_urgent_come_first_and_everybody_else_in_the_order_of_coming() -> None:
    turn, order = Turn(), []
    with turn.taken(urgent=False, seconds=1):
        threads = [queue_up(turn, order, name, urgent) for name, urgent in
                   (("a", False), ("b", False), ("c", True), ("d", True))]  # fmt: skip
    for thread in threads:
        thread.join()
    assert order == ["c", "d", "a", "b"]


def test_who_waits_too_long_is_told_so_and_holds_up_nobody() -> None:
    turn = Turn()
    with turn.taken(urgent=True, seconds=1), pytest.raises(StoreUnavailable), turn.taken(urgent=False, seconds=0.01):
        raise AssertionError("two held the turn")
    with turn.taken(urgent=False, seconds=0.01):
        pass


def test_the_turn_is_given_back_by_who_fails() -> None:
    turn = Turn()
    with pytest.raises(ValueError, match="mine"), turn.taken(urgent=False, seconds=1):
        raise ValueError("mine")
    with turn.taken(urgent=False, seconds=0.01):
        pass


def test_never_two_at_once_whatever_the_crowd() -> None:
    turn, inside, most = Turn(), [], []

    def work(urgent: bool) -> None:
        for _ in range(200):
            with turn.taken(urgent, 30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 1600
