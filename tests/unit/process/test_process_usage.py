"""CPU and memory against a target's own limits, computed from two samples."""

from datetime import UTC, datetime

import psutil
import pytest

from aegis_core.adapters.process.family import Family
from aegis_core.adapters.process.usage import Meter
from aegis_core.domain.target import Limits

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Ledger(Family):
    """A family whose use of the machine is set by the test."""

    def __init__(self) -> None:
        super().__init__(psutil.Process())
        self.memory, self.cpu = 0, 0.0

    def memory_bytes(self) -> int:
        return self.memory

    def cpu_seconds(self) -> float:
        return self.cpu


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock: the test sets the only element."""
    moments = [100.0]
    monkeypatch.setattr("aegis_core.adapters.process.usage.time.monotonic", lambda: moments[0])
    return moments


def cpu_after(meter: Meter, ledger: Ledger, moments: list[float], seconds: float, used: float) -> float | None:
    moments[0] += seconds
    ledger.cpu += used
    return meter.sample(NOON).cpu_percent


def test_memory_is_told_in_percent_of_the_limit(ledger: Ledger) -> None:
    ledger.memory = 64 * 2**20
    assert Meter(ledger, Limits(memory_bytes=256 * 2**20)).sample(NOON).memory_percent == 25.0
    assert Meter(ledger, Limits()).sample(NOON).memory_percent is None


def test_the_first_sample_cannot_tell_the_cpu(ledger: Ledger, moments: list[float]) -> None:
    meter = Meter(ledger, Limits(cpus=1))
    assert meter.sample(NOON).cpu_percent is None
    meter.note()
    assert cpu_after(meter, ledger, moments, 0.05, 0.05) is None


def test_cpu_is_told_in_percent_of_the_cores_that_are_allowed(ledger: Ledger, moments: list[float]) -> None:
    meter = Meter(ledger, Limits(cpus=0.5))
    meter.note()
    assert cpu_after(meter, ledger, moments, 2.0, 0.5) == 50.0


def test_without_a_cpu_limit_all_cores_are_allowed(
    ledger: Ledger, moments: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aegis_core.adapters.process.usage.os.cpu_count", lambda: 4)
    meter = Meter(ledger, Limits())
    meter.note()
    assert cpu_after(meter, ledger, moments, 1.0, 1.0) == 25.0


def test_many_who_ask_at_once_do_not_shorten_the_window(ledger: Ledger, moments: list[float]) -> None:
    meter = Meter(ledger, Limits(cpus=1))
    meter.note()
    moments[0] += 0.6
    meter.note()
    assert cpu_after(meter, ledger, moments, 0.01, 0.0) == 0.0
    assert cpu_after(meter, ledger, moments, 0.01, 0.31) == pytest.approx(50.0, abs=0.1)


def test_time_that_went_with_a_descendant_does_not_count_backwards(ledger: Ledger, moments: list[float]) -> None:
    meter = Meter(ledger, Limits(cpus=1))
    ledger.cpu = 10.0
    meter.note()
    assert cpu_after(meter, ledger, moments, 1.0, -5.0) == 0.0
