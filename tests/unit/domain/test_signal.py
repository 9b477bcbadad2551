"""Senders' words become faults and severities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.signal import PRIORITY, Fault, Severity, Signal, fault_of, severity_of
from tests.examples import signal


@pytest.mark.parametrize("fault", Fault)
def test_our_own_word_for_a_fault_is_understood(fault: Fault) -> None:
    assert fault_of(fault) is fault


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("memory_leak", Fault.MEMORY_PRESSURE),
        ("High Memory", Fault.MEMORY_PRESSURE),
        ("high-cpu", Fault.CPU_SATURATION),
        (" DB_LATENCY ", Fault.LATENCY),
        ("OOMKilled", Fault.OOM_KILLED),
        ("CrashLoopBackOff", Fault.CRASH_LOOP),
        ("disk full", Fault.DISK_PRESSURE),
        ("something else", Fault.CUSTOM),
        ("", Fault.CUSTOM),
    ],
)
def test_senders_words_are_translated(word: str, fault: Fault) -> None:
    assert fault_of(word) is fault


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("PAGE", Severity.CRITICAL),
        ("error", Severity.CRITICAL),
        ("warning", Severity.WARNING),
        ("whatever", Severity.WARNING),
        ("", Severity.WARNING),
        ("info", Severity.INFO),
        ("Low", Severity.INFO),
    ],
)
def test_urgency_is_translated(word: str, severity: Severity) -> None:
    assert severity_of(word) is severity


def test_every_severity_has_a_priority_and_critical_comes_first() -> None:
    assert sorted(Severity, key=PRIORITY.__getitem__) == [Severity.CRITICAL, Severity.WARNING, Severity.INFO]


@given(st.text())
def test_any_word_at_all_means_something(word: str) -> None:
    assert fault_of(word) in Fault
    assert severity_of(word) in Severity


def test_a_signal_survives_storing_and_fields_of_a_later_version_are_passed_over() -> None:
    one = signal(metrics={"memory_percent": 93.25}, logs=("a", "b"), incident_id="x")
    assert Signal.model_validate_json(one.model_dump_json()) == one
    assert Signal.model_validate({**one.model_dump(mode="json"), "of_a_later_version": 1}) == one
