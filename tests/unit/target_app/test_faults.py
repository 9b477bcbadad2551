"""The faults as a list, and their parts one by one."""

import pytest

from aegis_infra.target_app.faults import FAULTS, FaultBoard, FaultError
from aegis_infra.target_app.meter import Memory
from aegis_infra.target_app.payments import PaymentGateway
from aegis_infra.target_app.reports import next_batch_bytes

MIB = 1024 * 1024


class FakePart:
    def __init__(self) -> None:
        self.level: float | None = None

    @property
    def active(self) -> bool:
        return self.level is not None

    def start(self, level: float) -> bool:
        if self.active:
            return False
        self.level = level
        return True

    def stop(self) -> None:
        self.level = None


@pytest.fixture
def parts() -> dict[str, FakePart]:
    return {fault.name: FakePart() for fault in FAULTS}


@pytest.fixture
def board(parts: dict[str, FakePart]) -> FaultBoard:
    return FaultBoard(parts)


def test_the_seven_faults_are_described_and_off(board: FaultBoard) -> None:
    listing = board.listing()

    assert [fault["name"] for fault in listing] == [
        "memory", "cpu", "db_latency", "crash", "unhealthy", "errors", "disk",
    ]  # fmt: skip
    assert all(fault["description"] and fault["expect"] and "{" not in fault["expect"] for fault in listing)
    assert not any(fault["active"] for fault in listing)


def test_a_fault_starts_with_its_default_grade_or_the_one_asked_for(
    board: FaultBoard, parts: dict[str, FakePart]
) -> None:
    assert board.start("memory", {})["status"] == "started"
    answer = board.start("cpu", {"percent": "50"})

    assert (parts["memory"].level, parts["cpu"].level) == (16, 50)
    assert "50 %" in answer["expect"]
    assert board.active() == ["memory", "cpu"]


def test_a_fault_that_is_on_stays_as_it_is(board: FaultBoard, parts: dict[str, FakePart]) -> None:
    board.start("memory", {})
    answer = board.start("memory", {"rate": "99"})

    assert answer["status"] == "already active"
    assert parts["memory"].level == 16


@pytest.mark.parametrize("grade", ["fast", "nan", "-1", "0", "1001", "inf"])
def test_a_grade_out_of_bounds_is_refused_and_starts_nothing(board: FaultBoard, grade: str) -> None:
    with pytest.raises(FaultError, match=r"rate must be a number from 0\.1 to 1000 MiB/s"):
        board.start("memory", {"rate": grade})
    assert board.active() == []


def test_reset_ends_exactly_the_faults_that_are_on(board: FaultBoard, parts: dict[str, FakePart]) -> None:
    board.start("memory", {})
    board.start("disk", {})

    assert board.reset() == ["memory", "disk"]
    assert board.reset() == []
    assert not any(part.active for part in parts.values())


@pytest.mark.parametrize(
    ("used_mib", "enforced", "expected_mib"),
    [
        (20, True, 8),  # fast: 16 MiB/s in steps of half a second
        (83, True, 5),  # the last fast step ends at 88 %
        (88, True, 0.5),  # slowly: the last 12 MiB in 12 s
        (99.9, False, 0.5),
        (100, False, 0),  # no kernel limit here: it holds what it has
        (100, True, 0.5),  # the kernel decides
    ],
)
def test_the_report_cache_grows_fast_to_88_percent_and_then_slowly_to_the_limit(
    used_mib: float, enforced: bool, expected_mib: float
) -> None:
    memory = Memory(int(used_mib * MIB), 100 * MIB, "cgroup v2" if enforced else "configured", enforced)

    size = next_batch_bytes(memory, cached_bytes=0, rate=16, hold_seconds=12)

    assert size == pytest.approx(expected_mib * MIB, abs=4096)


def test_a_cache_that_was_swapped_out_does_not_fill_the_swap_as_well() -> None:
    memory = Memory(99 * MIB, 100 * MIB, "cgroup v2", enforced=True)

    assert next_batch_bytes(memory, cached_bytes=111 * MIB, rate=16, hold_seconds=12) == 0


def test_half_of_the_payments_fail_when_half_of_them_shall() -> None:
    gateway = PaymentGateway()
    gateway.check()
    gateway.start(50)
    failures = 0
    for _ in range(20):
        try:
            gateway.check()
        except ConnectionRefusedError:
            failures += 1
    gateway.stop()
    gateway.check()

    assert failures == 10
