"""The answers of the core, as the dashboard reads them.

Every field that may be missing has a default: an older or newer core is shown as far as it is understood.
Times are aware datetimes, percentages are 0 to 100, confidences 0 to 1.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from aegis_dashboard.fields import Moment, Text, Texts, Wire, items_of
from aegis_dashboard.people_wire import Approval, Comment, Consensus, Opinion


class Check(Wire):
    """One part of the core that may be out of order."""

    ok: bool = False
    detail: Text = ""


class Readiness(Wire):
    """GET /ready; `brain` names the rungs that may be asked, in order."""

    status: Text = ""
    runtime: Text = ""
    brain: Texts = ()
    checks: Mapping[str, Check] = {}


class Limits(Wire):
    memory_bytes: int | None = None
    cpus: float | None = None


class Usage(Wire):
    """One sample; the percentages are of the target's own limits, None where there is none."""

    at: Moment
    memory_bytes: int = 0
    memory_percent: float | None = None
    cpu_percent: float | None = None


class Forecast(Wire):
    """When a leak will have filled the memory: seconds from the newest sample on, with the interval around them."""

    seconds_to_limit: float
    earliest: float
    latest: float
    bytes_per_second: float = 0.0
    words: Text = ""


class Target(Wire):
    """An item of GET /targets; `series` holds the last samples, oldest first."""

    name: str
    id: Text = ""
    run: Text = ""
    health: Text = "none"
    image: Text = ""
    started_at: Moment | None = None
    exit_code: int | None = None
    oom_killed: bool = False
    stopped_by_person: bool = False
    restart_count: int = 0
    opted_in: bool = False
    own: bool = False
    limits: Limits = Limits()
    usage: Usage | None = None
    series: tuple[Usage, ...] = ()
    open_incident_id: str | None = None
    forecast: Forecast | None = None


class Brief(Wire):
    """An item of GET /incidents: an incident in short."""

    incident_id: str
    container_name: str
    fault: Text = "custom"
    alert_type: Text = ""
    severity: Text = ""
    status: Text = ""
    opened_at: Moment
    updated_at: Moment
    closed_at: Moment | None = None
    seconds: float | None = None
    signals: int = 1
    attempts: int = 0
    root_cause: Text = ""
    category: Text = ""
    action: Text = ""
    source: Text = ""
    confidence: float | None = None
    error: str | None = None
    cost_savings: float | None = None
    waits_until: Moment | None = None  # nothing is done before this moment

    @property
    def closed(self) -> bool:
        return self.closed_at is not None or self.status in {"RESOLVED", "FAILED"}

    @property
    def waits(self) -> bool:
        """Something else comes first: time, or the target that it fails because of."""
        return not self.closed and not self.needs_approval and self.waits_until is not None

    @property
    def needs_approval(self) -> bool:
        """A person comes first."""
        return self.status == "AWAITING_APPROVAL"


class Diagnosis(Wire):
    root_cause: Text = ""
    category: Text = ""
    action: Text = ""
    confidence: float | None = None
    justification: Text = ""
    evidence: Texts = ()
    source: Text = ""
    model: Text = ""
    seconds: float = 0.0
    passed_over: Texts = ()
    dissent: Texts = ()


class EvidenceLine(Wire):
    number: Text
    text: Text


class Decision(Wire):
    verdict: Text = ""
    action: Text = ""
    confidence: float | None = None
    reasons: Texts = ()
    until: Moment | None = None
    consensus: Consensus | None = None


class Condition(Wire):
    """One condition of health; `pending`: it does not hold yet, and only time can tell."""

    name: Text
    holds: bool
    seen: Text = ""
    pending: bool = False


class Verification(Wire):
    healthy: bool = False
    conditions: tuple[Condition, ...] = ()


class Lesson(Wire):
    """An entry of the runbook."""

    timestamp: Moment
    incident_id: Text = ""
    container: Text = ""
    fault: Text = ""
    issue: Text = ""
    fix: Text = ""
    root_cause: Text = ""
    source: Text = ""
    verified_healthy: bool = False
    seconds: float | None = None
    signature: Text = ""
    category: Text = ""
    image: Text = ""
    attempts: int = 1
    confidence: float | None = None

    @property
    def starter(self) -> bool:
        """General advice that every runbook begins with; it comes from no incident."""
        return self.source == "starter"


class Impact(Wire):
    """Money saved by one incident in dollars, with the inputs of the formula."""

    saved_dollars: float = 0.0
    rate_per_minute: float = 0.0
    measured_minutes: float = 0.0
    manual_minutes: float = 0.0
    tier: Text = ""
    business_hours: bool = False
    affected_users: int = 0
    formula: Text = ""


class Detail(Brief):
    """GET /incidents/{id}; `raw` is the answer as it came."""

    analysis: Diagnosis | None = None
    evidence_lines: Annotated[tuple[EvidenceLine, ...], BeforeValidator(items_of)] = ()
    missing: Texts = ()  # what could not be gathered, and why
    log_tail: Texts = ()
    opinions: Annotated[tuple[Opinion, ...], BeforeValidator(items_of)] = ()
    decision: Decision | None = None
    approval: Approval | None = None
    verification: Verification | None = None
    lesson: Lesson | None = None
    impact: Impact | None = None
    undone: Text = ""
    tried: Texts = ()
    comments: Annotated[tuple[Comment, ...], BeforeValidator(items_of)] = ()
    version: int = 0
    metrics: Annotated[Mapping[str, Any], BeforeValidator(lambda value: value or {})] = {}
    raw: Mapping[str, Any] = Field(default={}, repr=False)

    @property
    def asks(self) -> bool:
        """A person has to say yes or no."""
        return self.needs_approval and self.approval is not None and self.approval.approved is None


class Event(Wire):
    """An item of GET /incidents/{id}/events."""

    version: int
    type: str
    at: Moment
    agent: Text = ""
    data: Mapping[str, Any] = {}
    hash: Text = ""


class IncidentPage(Wire):
    items: tuple[Brief, ...] = ()
    total: int = 0
    limit: int = 0
    offset: int = 0


class Runbook(Wire):
    """GET /runbook; `raw` is the answer as it came, for the download."""

    entries: tuple[Lesson, ...] = ()
    total: int = 0
    raw: Mapping[str, Any] = Field(default={}, repr=False)


class ImpactRow(Wire):
    incident_id: str
    container_name: Text = ""
    fault: Text = ""
    status: Text = ""
    opened_at: Moment
    closed_at: Moment | None = None
    seconds: float | None = None
    attempts: int = 0
    saved_dollars: float | None = None
    formula: Text = ""

    @property
    def outcome(self) -> str:
        """`healed` after an action, `recovered` where none was needed, else `failed`."""
        if self.status != "RESOLVED":
            return "failed"
        return "healed" if self.attempts else "recovered"


class ImpactReport(Wire):
    """GET /impact: the sums, and the incidents that they are sums of. `success_rate` is a share, 0 to 1."""

    incidents_resolved: int = 0
    incidents_failed: int = 0
    success_rate: float | None = None
    avg_mttr_seconds: float | None = None
    total_cost_savings: float = 0.0
    manual_mttr_minutes: float = 30.0
    formula: Text = ""
    incidents: tuple[ImpactRow, ...] = ()
