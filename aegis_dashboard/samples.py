"""The samples that stand in while the core is away, so that a newcomer sees what the pages are for.

They come from one file, never from the core, and every page that shows them says so.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from aegis_dashboard.brain_wire import Evaluation
from aegis_dashboard.core_client import IncidentQuery, UnknownIncident
from aegis_dashboard.learning_wire import ReliabilityReport, TrustReport
from aegis_dashboard.people_wire import Standing
from aegis_dashboard.wire import Brief, Detail, Event, ImpactReport, ImpactRow, IncidentPage, Readiness, Runbook, Target


class SampleIncident(Detail):
    """An incident with its events, as the file holds it."""

    events: tuple[Event, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    note: str = ""
    targets: tuple[Target, ...] = ()
    incidents: tuple[SampleIncident, ...] = ()


class SampleFeed:
    """Feed over the sample file. An unreadable file gives a feed without anything in it."""

    def __init__(self, file: Path) -> None:
        found = _read(file)
        self._targets = found.targets
        self._incidents = tuple(sorted(found.incidents, key=lambda one: one.opened_at, reverse=True))

    def readiness(self) -> Readiness:
        return Readiness()

    def targets(self) -> tuple[Target, ...]:
        return self._targets

    def incidents(self, query: IncidentQuery) -> IncidentPage:
        found = [one for one in self._incidents if _matches(one, query)]
        shown = tuple(found[query.offset : query.offset + query.limit])
        return IncidentPage(items=shown, total=len(found), limit=query.limit, offset=query.offset)

    def incident(self, incident_id: str) -> Detail:
        return self._of(incident_id)

    def events(self, incident: Brief) -> tuple[Event, ...]:
        return self._of(incident.incident_id).events

    def standings(self) -> tuple[Standing, ...]:
        return ()

    def runbook(self, search: str) -> Runbook:
        lessons = [one.lesson for one in self._incidents if one.lesson]
        entries = tuple(lesson for lesson in lessons if _contains(lesson.model_dump().values(), search))
        raw = {"sample": True, "entries": [lesson.model_dump(mode="json") for lesson in entries]}
        return Runbook(entries=entries, total=len(entries), raw=raw)

    def impact(self) -> ImpactReport:
        rows = tuple(_row(one) for one in self._incidents if one.closed)
        healed = [row for row in rows if row.outcome == "healed"]
        acted = [row for row in rows if row.attempts]
        times = [row.seconds for row in healed if row.seconds is not None]
        return ImpactReport(
            incidents_resolved=sum(row.status == "RESOLVED" for row in rows),
            incidents_failed=sum(row.status == "FAILED" for row in rows),
            success_rate=len(healed) / len(acted) if acted else None,
            avg_mttr_seconds=sum(times) / len(times) if times else None,
            total_cost_savings=sum(row.saved_dollars or 0.0 for row in rows),
            formula="saved = (manual MTTR − measured MTTR) × rate of the target's tier",
            incidents=rows,
        )

    def evaluations(self) -> tuple[Evaluation, ...]:
        """None: how good a brain is cannot be invented."""
        return ()

    def trust(self) -> TrustReport:
        """None: what an action is trusted with has to be earned."""
        return TrustReport()

    def reliability(self) -> ReliabilityReport:
        """None: how good a brain is cannot be invented."""
        return ReliabilityReport()

    def _of(self, incident_id: str) -> SampleIncident:
        found = next((one for one in self._incidents if one.incident_id == incident_id), None)
        if found is None:
            raise UnknownIncident(incident_id)
        return found


def _read(file: Path) -> _File:
    try:
        content: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        incidents = [{**one, "raw": one} for one in content.get("incidents", ())]
        return _File.model_validate({**content, "incidents": incidents})
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, ValidationError, AttributeError, TypeError):
        return _File()


def _matches(one: Brief, query: IncidentQuery) -> bool:
    return (
        (not query.status or one.status == query.status)
        and (not query.target or one.container_name == query.target)
        and (not query.fault or one.fault == query.fault)
        and (query.open is None or one.closed is not query.open)
        and _contains((one.incident_id, one.container_name, one.fault, one.root_cause), query.search or "")
    )


def _contains(values: Iterable[object], search: str) -> bool:
    return search.lower() in " ".join(str(value) for value in values).lower()


def _row(one: SampleIncident) -> ImpactRow:
    return ImpactRow(
        incident_id=one.incident_id,
        container_name=one.container_name,
        fault=one.fault,
        status=one.status,
        opened_at=one.opened_at,
        closed_at=one.closed_at,
        seconds=one.seconds,
        attempts=one.attempts,
        saved_dollars=one.impact.saved_dollars if one.impact else None,
        formula=one.impact.formula if one.impact else "",
    )
