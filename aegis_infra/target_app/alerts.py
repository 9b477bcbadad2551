"""When a measured value is worth telling: pure rules, with time as an argument."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from aegis_infra.target_app.meter import Measurement
from aegis_infra.target_app.settings import MIB, Settings


class Verdict(Enum):
    """What a rule makes of the newest value."""

    QUIET = "below the threshold, or unknown"
    RISING = "above the threshold, not for long enough yet"
    COOLING = "above the threshold, but told a short while ago"
    DUE = "to be told now"


@dataclass(frozen=True)
class Rule:
    """A symptom is told when `metric` is above `threshold` for `sustained_seconds` without a break."""

    alert_type: str
    metric: str
    threshold: float
    sustained_seconds: float
    severity: str
    describe: Callable[[Measurement], str]


class Watch:
    """Follows one rule over time."""

    def __init__(self, rule: Rule, cooldown_seconds: float) -> None:
        self.rule = rule
        self._cooldown_seconds = cooldown_seconds
        self._above_since: float | None = None

    def judge(self, value: float | None, now: float, told_at: float | None) -> Verdict:
        """`now` and `told_at` (when this was last told, if ever) are seconds of the same clock."""
        if value is None or value <= self.rule.threshold:
            self._above_since = None
            return Verdict.QUIET
        if self._above_since is None:
            self._above_since = now
        if now - self._above_since < self.rule.sustained_seconds:
            return Verdict.RISING
        if told_at is not None and now - told_at < self._cooldown_seconds:
            return Verdict.COOLING
        return Verdict.DUE


def rules(settings: Settings) -> list[Rule]:
    """The five symptoms that the app tells by itself."""
    for_long = settings.sustained_seconds
    return [
        Rule(
            "memory_pressure",
            "memory_percent",
            settings.memory_threshold_percent,
            settings.memory_sustained_seconds,
            "critical",
            lambda seen: f"memory at {seen.memory.percent:.0f} % of the {seen.memory.limit_bytes / MIB:.0f} MiB limit",
        ),
        Rule(
            "cpu_saturation",
            "cpu_percent",
            settings.cpu_threshold_percent,
            for_long,
            "critical",
            lambda seen: f"CPU at {seen.cpu_percent:.0f} % of the allowance of {seen.cpu_cores:g} core(s)",
        ),
        Rule(
            "latency",
            "latency_p95_ms",
            settings.latency_threshold_ms,
            for_long,
            "warning",
            lambda seen: f"orders are slow, 95th percentile {seen.latency_p95_ms:.0f} ms",
        ),
        Rule(
            "error_logs",
            "error_rate_percent",
            settings.error_rate_threshold_percent,
            for_long,
            "warning",
            lambda seen: f"{seen.error_rate_percent:.0f} % of the requests to /orders fail",
        ),
        Rule(
            "disk_pressure",
            "disk_percent",
            settings.disk_threshold_percent,
            0.0,
            "warning",
            lambda seen: f"data directory holds {seen.disk_bytes / MIB:.1f} of {seen.disk_limit_bytes / MIB:.1f} MiB",
        ),
    ]
