"""What alerts are called in the world, and which fault that means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.intake.faults import fault_in, severity_in
from aegis_core.domain.signal import Fault, Severity


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("ContainerHighMemory", Fault.MEMORY_PRESSURE),
        ("ContainerMemoryUsage", Fault.MEMORY_PRESSURE),
        ("container_memory_working_set_bytes", Fault.MEMORY_PRESSURE),
        ("JvmHeapFillingUp", Fault.MEMORY_PRESSURE),
        ("ContainerOOMKilled", Fault.OOM_KILLED),
        ("HostOomKillDetected", Fault.OOM_KILLED),
        ("Java: out of memory", Fault.OOM_KILLED),
        ("ContainerHighCpuUtilization", Fault.CPU_SATURATION),
        ("CPUThrottlingHigh", Fault.CPU_SATURATION),
        ("HostHighLoad", Fault.CPU_SATURATION),
        ("KubePodCrashLooping", Fault.CRASH_LOOP),
        ("CrashLoopBackOff", Fault.CRASH_LOOP),
        ("ContainerRestartsTooOften", Fault.CRASH_LOOP),
        ("InstanceDown", Fault.UNHEALTHY),
        ("container unhealthy", Fault.UNHEALTHY),
        ("TargetAbsent", Fault.UNHEALTHY),
        ("ContainerExited", Fault.CRASHED),
        ("worker crashed", Fault.CRASHED),
        ("HighRequestLatency", Fault.LATENCY),
        ("p99 of checkout over 500 ms", Fault.LATENCY),
        ("Slow queries", Fault.LATENCY),
        ("High5xxRate", Fault.ERROR_LOGS),
        ("Http500Spike", Fault.ERROR_LOGS),
        ("HTTPCode_Target_5XX_Count", Fault.ERROR_LOGS),
        ("HighErrorRate", Fault.ERROR_LOGS),
        ("DiskWillFillIn4Hours", Fault.DISK_PRESSURE),
        ("NodeFilesystemAlmostOutOfSpace", Fault.DISK_PRESSURE),
        ("Low disk space on /data", Fault.DISK_PRESSURE),
        ("CertificateExpiresSoon", Fault.CUSTOM),
        ("QueueTooLong", Fault.CUSTOM),
        ("", Fault.CUSTOM),
    ],
)
def test_the_name_of_an_alert_tells_its_fault(name: str, fault: Fault) -> None:
    assert fault_in({}, name) is fault


def test_a_label_wins_over_every_name() -> None:
    assert fault_in({"fault": "latency"}, "ContainerHighMemory") is Fault.LATENCY
    assert fault_in({"aegis_fault": "crash_loop", "fault": "latency"}, "x") is Fault.CRASH_LOOP
    assert fault_in({"fault": "custom"}, "ContainerHighMemory") is Fault.CUSTOM


def test_a_label_that_says_nothing_known_does_not_hide_the_name() -> None:
    assert fault_in({"fault": "E-1042"}, "ContainerHighMemory") is Fault.MEMORY_PRESSURE


def test_the_first_text_that_tells_is_believed() -> None:
    assert fault_in({}, "SomethingOdd", "CPU of checkout is high", "memory is fine") is Fault.CPU_SATURATION


@pytest.mark.parametrize(
    ("labels", "words", "severity"),
    [
        ({"severity": "critical"}, (), Severity.CRITICAL),
        ({"severity": "page"}, (), Severity.CRITICAL),
        ({"severity": "warning"}, ("P1",), Severity.WARNING),
        ({"priority": "P1"}, (), Severity.CRITICAL),
        ({"severity": "none"}, (), Severity.INFO),
        ({}, ("", "P1"), Severity.CRITICAL),
        ({}, ("success",), Severity.INFO),
        ({}, (), Severity.WARNING),
    ],
)
def test_severity_comes_from_labels_first(labels: dict[str, str], words: tuple[str, ...], severity: Severity) -> None:
    assert severity_in(labels, *words) is severity


@given(st.text(max_size=300))
def test_any_text_has_some_fault_and_some_severity(text: str) -> None:
    assert fault_in({"fault": text}, text) in Fault
    assert severity_in({}, text) in Severity
