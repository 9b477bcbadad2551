"""Signals: one observed symptom about one target."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from .model import Stored

FORESEEN: Final = "oom_in_seconds"
"""The metric of a signal about a leak that has not reached the limit yet: when it will."""


class Fault(StrEnum):
    """The kind of symptom."""

    MEMORY_PRESSURE = "memory_pressure"
    CPU_SATURATION = "cpu_saturation"
    LATENCY = "latency"
    OOM_KILLED = "oom_killed"
    CRASHED = "crashed"
    CRASH_LOOP = "crash_loop"
    UNHEALTHY = "unhealthy"
    ERROR_LOGS = "error_logs"
    DISK_PRESSURE = "disk_pressure"
    CUSTOM = "custom"


class Severity(StrEnum):
    """How urgent the sender holds it to be."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


PRIORITY: Final[Mapping[Severity, int]] = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
"""Lower is worked on first."""

# What senders call the same symptom; everything unknown is `custom`.
_FAULT_WORDS: Final[Mapping[str, Fault]] = {
    "memory": Fault.MEMORY_PRESSURE,
    "memory_leak": Fault.MEMORY_PRESSURE,
    "high_memory": Fault.MEMORY_PRESSURE,
    "memory_high": Fault.MEMORY_PRESSURE,
    "high_memory_usage": Fault.MEMORY_PRESSURE,
    "cpu": Fault.CPU_SATURATION,
    "high_cpu": Fault.CPU_SATURATION,
    "cpu_high": Fault.CPU_SATURATION,
    "cpu_spike": Fault.CPU_SATURATION,
    "high_cpu_usage": Fault.CPU_SATURATION,
    "db_latency": Fault.LATENCY,
    "high_latency": Fault.LATENCY,
    "slow": Fault.LATENCY,
    "oom": Fault.OOM_KILLED,
    "oomkilled": Fault.OOM_KILLED,
    "out_of_memory": Fault.OOM_KILLED,
    "crash": Fault.CRASHED,
    "down": Fault.CRASHED,
    "exited": Fault.CRASHED,
    "crashloop": Fault.CRASH_LOOP,
    "crashloopbackoff": Fault.CRASH_LOOP,
    "health_check": Fault.UNHEALTHY,
    "healthcheck": Fault.UNHEALTHY,
    "errors": Fault.ERROR_LOGS,
    "error_rate": Fault.ERROR_LOGS,
    "disk": Fault.DISK_PRESSURE,
    "disk_full": Fault.DISK_PRESSURE,
}


def fault_of(alert_type: str) -> Fault:
    """Translate a sender's word for a symptom; what is unknown becomes `custom`."""
    word = alert_type.strip().lower().replace("-", "_").replace(" ", "_")
    try:
        return Fault(word)
    except ValueError:
        return _FAULT_WORDS.get(word, Fault.CUSTOM)


def severity_of(word: str) -> Severity:
    """Translate a sender's word for urgency; what is unknown becomes `warning`."""
    lowered = word.strip().lower()
    if lowered in {"critical", "high", "error", "fatal", "emergency", "page"}:
        return Severity.CRITICAL
    return Severity.INFO if lowered in {"info", "low", "notice"} else Severity.WARNING


class Signal(Stored):
    """One symptom of one target, as somebody reported it. `metrics` keeps the sender's own names and units."""

    target: str
    fault: Fault
    severity: Severity
    at: datetime
    source: str  # who saw it: native (webhook), sensor, cli
    alert_type: str = ""  # the sender's own word, kept for people
    logs: tuple[str, ...] = ()
    metrics: Mapping[str, float] = {}
    incident_id: str | None = None
    key: str | None = None  # the sender's own name for the trouble: what has the same one joins


class Report(Stored):
    """What somebody else's alerting says, before it is known which target is meant.

    `key` is the sender's own name for the same trouble, so that its repeats join and its end closes.
    """

    source: str  # the family: alertmanager, grafana, …
    key: str
    firing: bool  # False: the sender says that it is over
    fault: Fault
    severity: Severity
    title: str
    at: datetime | None = None  # None: the sender does not say
    labels: Mapping[str, str] = {}
    logs: tuple[str, ...] = ()
    metrics: Mapping[str, float] = {}
