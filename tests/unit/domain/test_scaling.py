"""How much more a target is given, and where that ends."""

import pytest

from aegis_core.domain.diagnosis import Category
from aegis_core.domain.scaling import Resource, Room, ceiling, resource_of, scaled, size
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Limits, TargetState
from aegis_core.errors import ActionUnsupported
from tests import examples as make

MIB = 2**20
ROOM = Room(cpus=4, memory_bytes=16 * 1024 * MIB, free_bytes=8 * 1024 * MIB)
NO_FIRST = Limits()


def target(memory: int | None = 100, cpus: float | None = 1.0, **labels: str) -> TargetState:
    limits = Limits(memory_bytes=memory * MIB if memory else None, cpus=cpus)
    return make.state(limits=limits, labels={f"aegis.{key}": value for key, value in labels.items()})


def memory(state: TargetState, first: int | None = None, room: Room = ROOM) -> float:
    known = Limits(memory_bytes=first * MIB if first else None)
    return (scaled(state, Resource.MEMORY, known, room).memory_bytes or 0) / MIB


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("512m", 512 * MIB),
        ("1g", 1024 * MIB),
        ("1.5G", 1536 * MIB),
        ("64MiB", 64 * MIB),
        ("64 mb", 64 * MIB),
        ("1048576", MIB),
        ("10b", 10),
        (" 2k ", 2048),
        ("", None),
        ("0", None),
        ("-1", None),
        ("lots", None),
        ("1gg", None),
        ("1e9", None),
    ],
)
def test_an_amount_of_memory_is_read_as_docker_reads_it(text: str, bytes_: int | None) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("cpus", ["", "many", "-1", "0", "nan", "inf"])
def test_a_label_that_says_no_amount_sets_no_ceiling(cpus: str) -> None:
    assert ceiling({"aegis.max_cpus": cpus, "aegis.max_memory": "much"}) == Limits()


def test_labels_set_the_ceilings() -> None:
    assert ceiling({"aegis.max_cpus": "1.5", "aegis.max_memory": "1g"}) == Limits(memory_bytes=1024 * MIB, cpus=1.5)


def test_half_as_much_again_is_given() -> None:
    assert memory(target(memory=100, max_memory="1g")) == 150
    assert scaled(target(max_cpus="4"), Resource.CPUS, NO_FIRST, ROOM).cpus == 1.5


def test_what_did_not_run_out_stays_as_it_is() -> None:
    state = target(max_memory="1g", max_cpus="4")
    assert scaled(state, Resource.MEMORY, NO_FIRST, ROOM).cpus == state.limits.cpus
    assert scaled(state, Resource.CPUS, NO_FIRST, ROOM).memory_bytes == state.limits.memory_bytes


def test_the_ceiling_of_the_label_is_not_passed() -> None:
    assert memory(target(memory=100, max_memory="120m")) == 120
    assert scaled(target(max_cpus="1.2"), Resource.CPUS, NO_FIRST, ROOM).cpus == 1.2


@pytest.mark.parametrize("ceiling_of", ["100m", "50m", "103m"])
def test_at_its_ceiling_nothing_more_is_given(ceiling_of: str) -> None:
    with pytest.raises(ActionUnsupported, match="ceiling"):
        memory(target(memory=100, max_memory=ceiling_of))


def test_the_owners_ceiling_counts_and_not_what_the_host_has_free() -> None:
    room = Room(cpus=4, memory_bytes=16 * 1024 * MIB, free_bytes=10 * MIB)
    assert memory(target(memory=100, max_memory="1g"), room=room) == 150


def test_without_a_ceiling_it_ends_at_twice_what_it_had_at_first() -> None:
    assert memory(target(memory=100), first=100) == 150
    assert memory(target(memory=150), first=100) == 200
    with pytest.raises(ActionUnsupported, match="200 MiB"):
        memory(target(memory=200), first=100)


def test_without_a_ceiling_at_most_half_of_the_free_memory_is_taken() -> None:
    room = Room(cpus=4, memory_bytes=16 * 1024 * MIB, free_bytes=40 * MIB)
    assert memory(target(memory=100), room=room) == 120
    with pytest.raises(ActionUnsupported, match="ceiling"):
        memory(target(memory=100), room=Room(cpus=4, memory_bytes=2**34, free_bytes=MIB))


def test_where_the_free_memory_is_not_known_the_owner_has_to_say_how_far_it_may_go() -> None:
    elsewhere = Room(cpus=4, memory_bytes=16 * 1024 * MIB)
    with pytest.raises(ActionUnsupported, match=r"aegis\.max_memory"):
        memory(target(memory=100), room=elsewhere)
    assert memory(target(memory=100, max_memory="1g"), room=elsewhere) == 150


def test_nothing_is_given_that_the_host_does_not_have() -> None:
    assert memory(target(memory=100, max_memory="1g"), room=Room(cpus=4, memory_bytes=130 * MIB)) == 130
    assert scaled(target(cpus=3.0, max_cpus="64"), Resource.CPUS, NO_FIRST, ROOM).cpus == 4


@pytest.mark.parametrize("resource", list(Resource))
def test_where_there_is_no_limit_there_is_none_to_raise(resource: Resource) -> None:
    with pytest.raises(ActionUnsupported, match=r"no .*limit"):
        scaled(target(memory=None, cpus=None), resource, NO_FIRST, ROOM)


@pytest.mark.parametrize(
    ("fault", "category", "killed", "resource"),
    [
        (Fault.MEMORY_PRESSURE, Category.CPU_SATURATION, False, Resource.MEMORY),
        (Fault.OOM_KILLED, None, False, Resource.MEMORY),
        (Fault.CPU_SATURATION, Category.OOM, True, Resource.CPUS),
        (Fault.CRASH_LOOP, Category.OOM, False, Resource.MEMORY),
        (Fault.LATENCY, Category.CPU_SATURATION, False, Resource.CPUS),
        (Fault.CRASHED, Category.UNKNOWN, True, Resource.MEMORY),
        (Fault.CRASHED, Category.UNKNOWN, False, None),
        (Fault.DISK_PRESSURE, None, False, None),
    ],
)
def test_what_was_measured_says_first_what_ran_out_and_then_the_diagnosis(
    fault: Fault, category: Category | None, killed: bool, resource: Resource | None
) -> None:
    assert resource_of(fault, category, make.state(oom_killed=killed)) is resource
