"""What Aegis tells about itself: structured logs and Prometheus metrics."""

import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.lesson import Outcome
from aegis_core.domain.reliability import reliability
from aegis_core.errors import StoreError

INCIDENT_SECONDS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600, 1800)
ANALYSIS_SECONDS = (0.001, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60)

_SHARES: Final = {
    "confidence": "How sure a source was of its actions on average",
    "verified_share": "Share of its actions after which the target was verified healthy",
    "brier_score": "Mean squared difference of confidence and outcome: 0 is best, 0.25 is guessing",
    "calibration_error": "Expected calibration error over ten bins",
}


def configure_logs(level: str) -> None:
    """Write one line per event to standard error: readable on a terminal, JSON where nobody watches."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    foreign = max(number, logging.WARNING)
    logging.basicConfig(level=foreign, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def silence_logs() -> None:
    """Write no log: for a command that tells by itself what came of it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class _Reliabilities(Collector):
    """The reliability of each source of diagnoses, as gauges: outcomes of long ago go out of them again."""

    def __init__(self, outcomes: Callable[[], Iterable[Outcome]]) -> None:
        self._outcomes = outcomes

    def collect(self) -> Iterable[Metric]:
        """Work them out anew. While the store is away there are none."""
        counts = GaugeMetricFamily(
            "diagnosis_outcomes",
            "Verified actions by how sure their diagnosis was (upper end of ten bins) and whether they helped",
            labels=["source", "confidence_le", "healthy"],
        )
        shares = {
            name: GaugeMetricFamily(f"diagnosis_{name}", text, labels=["source"]) for name, text in _SHARES.items()
        }
        with suppress(StoreError):
            for one in reliability(self._outcomes()):
                for bin in one.calibration.bins:
                    healthy = round(bin.right * bin.count)
                    counts.add_metric([one.source, f"{bin.high:g}", "true"], healthy)
                    counts.add_metric([one.source, f"{bin.high:g}", "false"], bin.count - healthy)
                figures = (one.confidence, one.verified.share, one.brier, one.calibration.ece)
                for family, figure in zip(shares.values(), figures, strict=True):
                    family.add_metric([one.source], figure or 0.0)
        return [counts, *shares.values()]


class Metrics:
    """The Prometheus metrics of one agent, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._created = Counter("incidents_created_total", "Incidents opened", ["fault", "severity"], registry=registry)
        self._resolved = Counter(
            "incidents_resolved_total", "Incidents verified healthy", ["fault", "action", "source"], registry=registry
        )
        self._failed = Counter("incidents_failed_total", "Incidents left to a person", ["fault"], registry=registry)
        self._seconds = Histogram(
            "incident_duration_seconds",
            "From the first signal to the end",
            ["fault", "status"],
            buckets=INCIDENT_SECONDS,
            registry=registry,
        )
        self.active = Gauge("active_incidents", "Incidents that are open", registry=registry)
        self._analysis = Histogram(
            "ai_analysis_duration_seconds",
            "How long a rung of the brain took",
            ["source", "outcome"],
            buckets=ANALYSIS_SECONDS,
            registry=registry,
        )

    def judge(self, outcomes: Callable[[], Iterable[Outcome]]) -> None:
        """Tell the reliability of each source, worked out of these outcomes whenever somebody asks."""
        self.registry.register(_Reliabilities(outcomes))

    def opened(self, incident: Incident) -> None:
        """Count an incident that has just been opened."""
        self._created.labels(incident.fault, incident.severity).inc()

    def changed(self, before: Incident, after: Incident) -> None:
        """Count an incident that has just ended."""
        if before.closed or not after.closed:
            return
        self._seconds.labels(after.fault, after.status).observe(after.seconds or 0.0)
        if after.status is Status.RESOLVED:
            source = after.diagnosis.source if after.diagnosis else "none"
            self._resolved.labels(after.fault, after.last_action or "NOOP", source).inc()
        else:
            self._failed.labels(after.fault).inc()

    def analysed(self, source: str, seconds: float, outcome: str) -> None:
        """Record the answer (or the failure) of one rung."""
        self._analysis.labels(source, outcome).observe(seconds)
