"""What Aegis tells about itself: structured logs and Prometheus metrics."""

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from aegis_core.domain.incident import Incident, Status

INCIDENT_SECONDS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600, 1800)
ANALYSIS_SECONDS = (0.001, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60)


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
