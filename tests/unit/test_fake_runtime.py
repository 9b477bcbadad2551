"""What the fake can do beyond the contract that it shares with the real runtimes."""

import threading

import pytest

from aegis_core.domain.change import ChangeKind, Relation
from aegis_core.errors import RuntimeUnavailable
from aegis_core.testing import FakeClock, FakeRuntime


@pytest.fixture
def runtime() -> FakeRuntime:
    runtime = FakeRuntime(FakeClock())
    runtime.add("shop")
    return runtime


def test_what_happens_while_the_stream_is_cut_is_told_by_a_gap_only(runtime: FakeRuntime) -> None:
    stopping = threading.Event()
    changes = runtime.changes(stopping)
    next(changes)
    runtime.cut()
    runtime.end("shop", 3)
    runtime.mend()
    runtime.start("shop")

    assert [next(changes).kind, next(changes).kind] == [ChangeKind.GAP, ChangeKind.STARTED]
    stopping.set()
    assert list(changes) == []


def test_a_runtime_that_is_away_cannot_be_listened_to(runtime: FakeRuntime) -> None:
    runtime.unheard.append(RuntimeUnavailable())

    with pytest.raises(RuntimeUnavailable):
        next(runtime.changes(threading.Event()))
    assert next(runtime.changes(threading.Event())).kind is ChangeKind.GAP


def test_the_closest_of_several_relations_counts_and_the_closest_neighbours_come_first(runtime: FakeRuntime) -> None:
    for name in ("mail", "vpn", "db", "gone"):
        runtime.add(name)
    runtime.relate("shop", Relation.SAME_NETWORK, "mail")
    runtime.relate("shop", Relation.SAME_NETWORK, "db")
    runtime.relate("shop", Relation.DEPENDENCY, "db")
    runtime.relate("vpn", Relation.NETWORK_CHILD, "shop")
    runtime.relate("shop", Relation.DEPENDENCY, "gone")
    runtime.remove("gone")
    shop = runtime.find("shop")
    assert shop

    told = [(one.relation, one.state.ref.name) for one in runtime.neighbours(shop.ref)]

    assert told == [
        (Relation.NETWORK_PARENT, "vpn"),
        (Relation.DEPENDENCY, "db"),
        (Relation.SAME_NETWORK, "mail"),
    ]
