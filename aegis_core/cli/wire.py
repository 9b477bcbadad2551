"""What the HTTP API answers, as far as the commands show it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aegis_core.domain.approval import Approval, Comment
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.evidence import Line
from aegis_core.domain.impact import Impact
from aegis_core.domain.incident import CLOSED, Status
from aegis_core.domain.intent import Intent
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.model import Stored
from aegis_core.domain.opinion import Opinion
from aegis_core.domain.policy import Decision
from aegis_core.domain.target import Health, Limits, RunState, Usage
from aegis_core.domain.verification import Judgement


class Brief(Stored):
    """One row of `GET /incidents`."""

    incident_id: str
    container_name: str
    fault: str
    severity: str
    status: Status
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    seconds: float | None = None
    signals: int = 1
    attempts: int = 0
    root_cause: str | None = None
    action: str | None = None
    source: str | None = None
    confidence: float | None = None
    error: str | None = None
    cost_savings: float | None = None

    @property
    def closed(self) -> bool:
        return self.status in CLOSED


class Detail(Brief):
    """`GET /incidents/{id}`."""

    analysis: Diagnosis | None = None
    evidence_lines: tuple[Line, ...] = ()
    missing: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    decision: Decision | None = None
    approval: Approval | None = None
    intent: Intent | None = None
    verification: Judgement | None = None
    lesson: Lesson | None = None
    impact: Impact | None = None
    tried: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    version: int = 0


class Happening(Stored):
    """One event of `GET /incidents/{id}/events`."""

    version: int
    type: str
    at: datetime
    agent: str
    data: Mapping[str, Any] = {}


class Seen(Stored):
    """One target of `GET /targets`."""

    name: str
    run: RunState
    health: Health = Health.NONE
    limits: Limits = Limits()
    usage: Usage | None = None


class Standing(Stored):
    """One target of `GET /standings`; `by` is empty where policy itself has put it into quarantine."""

    target: str
    maintenance_until: datetime | None = None
    quarantined_until: datetime | None = None
    reason: str = ""
    by: str = ""


class Readiness(Stored):
    """`GET /ready`."""

    status: str
    runtime: str = ""
    brain: tuple[str, ...] = ()
    checks: Mapping[str, Mapping[str, Any]] = {}

    @property
    def ready(self) -> bool:
        return self.status == "ready"

    @property
    def troubles(self) -> tuple[str, ...]:
        """The parts that do not answer, each with its reason."""
        bad = ((name, check) for name, check in self.checks.items() if not check.get("ok"))
        return tuple(f"{name}: {check.get('detail') or 'no answer'}" for name, check in bad)
