"""The HTTP interface: signals in, incidents out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from aegis_core import __version__
from aegis_core.adapters.intake.gate import Gate
from aegis_core.domain.approval import Reply
from aegis_core.domain.evaluation import Evaluation
from aegis_core.domain.forecast import Forecast
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.lesson import Outcome
from aegis_core.domain.policy import Policy
from aegis_core.domain.reflex import earned
from aegis_core.domain.reliability import reliability
from aegis_core.domain.signal import Fault, Report, Signal
from aegis_core.domain.target import TargetState, Usage, is_own, opted_in
from aegis_core.pipeline.live import Live
from aegis_core.pipeline.retell import Retold
from aegis_core.ports import Clock, Filter, Incidents, Runbook, StandingBook

from . import views
from .intake import Entrance
from .live import Stream
from .people import People
from .problems import install
from .standings import Switches

MOST_OFFSET = 2**31  # beyond it no store counts
Form = Literal["markdown", "json"]


@dataclass(frozen=True)
class Check:
    """One part that Aegis depends on, and whether it answers."""

    name: str
    ok: bool
    detail: str = ""
    needed: bool = True


@dataclass(frozen=True)
class Services:
    """What the API offers access to; put together in `bootstrap`."""

    submit: Callable[[Signal], tuple[Incident, bool]]
    report: Callable[[Sequence[Report]], Sequence[Incident]]
    gate: Gate
    reply: Callable[[Reply], Incident]
    comment: Callable[[str, str, str], Incident]  # an incident's id, who says it, what
    postmortem: Callable[[str], Retold]
    live: Live
    incidents: Incidents
    standings: StandingBook
    runbook: Runbook
    targets: Callable[[], Sequence[tuple[TargetState, Sequence[Usage]]]]
    forecast: Callable[[str], Forecast | None]
    checks: Callable[[], Sequence[Check]]
    registry: CollectorRegistry
    policy: Policy
    clock: Clock
    runtime: str
    brain: Sequence[str]
    evaluations: Callable[[], Sequence[Evaluation]]
    outcomes: Callable[[], Sequence[Outcome]]
    manual_mttr_minutes: float
    dashboard_url: str


class Asked(BaseModel):
    """The query of `GET /incidents`."""

    status: Status | None = None
    target: str | None = Field(None, max_length=256)
    fault: Fault | None = None
    search: str | None = Field(None, max_length=200)
    open: bool | None = None
    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0, le=MOST_OFFSET)


def create_app(services: Services) -> FastAPI:
    """Build the app. It holds no state of its own."""
    app = FastAPI(title="Aegis", version=__version__, docs_url="/docs", redoc_url=None)
    install(app)
    Entrance(services.submit, services.report, services.gate, services.clock).open(app)
    People(services.reply, services.comment, services.gate).open(app)
    Stream(services.live, services.clock, services.dashboard_url).open(app)
    Switches(services.standings, services.incidents, services.policy, services.gate, services.clock).open(app)
    _incidents(app, services)
    _lookups(app, services)
    _condition(app, services)
    return app


def _incidents(app: FastAPI, services: Services) -> None:
    @app.get("/incidents")
    def incidents(asked: Annotated[Asked, Query()]) -> dict[str, Any]:
        """List incidents, newest first."""
        wanted = Filter.model_validate(asked.model_dump(exclude={"limit", "offset"}))
        found, total = services.incidents.list(wanted, asked.limit, asked.offset)
        page = {"total": total, "limit": asked.limit, "offset": asked.offset}
        return {"items": [views.brief(one) for one in found], **page}

    @app.get("/incidents/{incident_id}")
    def incident(incident_id: str) -> dict[str, Any]:
        """Show one incident with its evidence, diagnosis, decision and verification."""
        return views.detail(services.incidents.get(incident_id))

    @app.get("/incidents/{incident_id}/events")
    def events(incident_id: str) -> dict[str, Any]:
        """Show the timeline of one incident."""
        return {"items": [views.event(one) for one in services.incidents.events(incident_id)]}

    @app.get("/incidents/{incident_id}/postmortem", response_model=None)
    def postmortem(incident_id: str, form: Annotated[Form, Query(alias="format")] = "markdown") -> Response:
        """Tell an incident from its first signal to its lesson, in Markdown, or as JSON with that in it."""
        told = services.postmortem(incident_id)
        if form == "json":
            summary = {"summary": told.summary.text, "written_by": told.summary.by}
            return JSONResponse({"incident_id": incident_id, **summary, "markdown": told.markdown})
        return Response(told.markdown, media_type="text/markdown", headers={"X-Content-Type-Options": "nosniff"})


def _lookups(app: FastAPI, services: Services) -> None:
    @app.get("/runbook")
    def runbook(search: Annotated[str, Query(max_length=200)] = "") -> dict[str, Any]:
        """Show the lessons, newest first; `search` has to stand somewhere in them."""
        words = search.lower().split()
        entries = [one.model_dump(mode="json") for one in reversed(services.runbook.lessons())]
        found = [one for one in entries if all(word in " ".join(map(str, one.values())).lower() for word in words)]
        return {"entries": found, "total": len(entries)}

    @app.get("/trust")
    def trust() -> dict[str, Any]:
        """Show how far each action is trusted for each fault of each image, and what is answered by reflex."""
        rows = earned(services.runbook.lessons(), services.clock())
        return {"items": [views.trust(one) for one in rows], "rule": views.REFLEX_RULE}

    @app.get("/reliability")
    def reliabilities() -> dict[str, Any]:
        """Show how sure each source of diagnoses was, against what was verified."""
        return {"sources": [one.model_dump() for one in reliability(services.outcomes())]}

    @app.get("/targets")
    def targets() -> dict[str, Any]:
        """Show every target with its state, its samples and its open incident."""
        active, _ = services.incidents.list(Filter(open=True), 500, 0)
        busy = {one.target: one.id for one in reversed(active)}
        policy = services.policy
        shown = [
            views.target(
                state,
                series,
                opted_in=opted_in(state.labels, policy.watch),
                own=is_own(state, policy.own_names),
                open_incident=busy.get(state.ref.name),
                foreseen=services.forecast(state.ref.name),
            )
            for state, series in services.targets()
        ]
        return {"items": sorted(shown, key=lambda one: (not one["opted_in"], one["name"]))}

    @app.get("/evaluations")
    def evaluations() -> dict[str, Any]:
        """Show how good the brain was when it was asked questions whose answers are known, newest first."""
        return {"items": [views.evaluation(one) for one in services.evaluations()]}

    @app.get("/impact")
    def impact() -> dict[str, Any]:
        """Show what was healed, how fast, and what that saved."""
        closed, _ = services.incidents.list(Filter(open=False), views.MOST_FOR_IMPACT, 0)
        return views.impact(closed, services.manual_mttr_minutes)


def _condition(app: FastAPI, services: Services) -> None:
    @app.get("/health")
    def health() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok", "version": __version__}

    @app.get("/ready")
    def ready() -> JSONResponse:
        """Say whether everything that Aegis depends on answers; 503 while something needed does not."""
        checks = services.checks()
        well = all(check.ok for check in checks if check.needed)
        body = {
            "status": "ready" if well else "degraded",
            "runtime": services.runtime,
            "brain": list(services.brain),
            "checks": {check.name: {"ok": check.ok, "detail": check.detail} for check in checks},
        }
        return JSONResponse(body, status_code=200 if well else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(services.registry), media_type=CONTENT_TYPE_LATEST)
