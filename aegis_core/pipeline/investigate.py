"""Investigate: gather the evidence before anyone judges. What cannot be had is named, never made up."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from aegis_core.domain.change import Neighbour
from aegis_core.domain.correlation import CONSEQUENCES, cause_of, told, unwell
from aegis_core.domain.course import course_of
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.gathering import LOG_LINES, SILENT, with_log
from aegis_core.domain.incident import Incident
from aegis_core.domain.lesson import precedents
from aegis_core.domain.masking import mask, mask_lines
from aegis_core.domain.policy import forbidden
from aegis_core.domain.recurrence import recurrence
from aegis_core.domain.target import Health, TargetState, without_secrets
from aegis_core.errors import RunbookError, RuntimeProblem
from aegis_core.ports import Filter

from .tools import Tools, being_stopped

MOST_FORMER: Final = 20
LATELY: Final = timedelta(days=7)
MOST_WAITS: Final = 12
WAIT_FOR_CAUSE: Final = timedelta(seconds=5)  # 12 times: a minute for the cause to be healed, and this one after it
_NOT_YET: Final = frozenset({Health.UNHEALTHY, Health.STARTING})
STOP_PATIENCE: Final = 45.0  # seconds beyond its stop timeout: people may give it more time than it asks for
HAPPENINGS_BEFORE: Final = timedelta(minutes=10)  # how far back the runtime is asked what it did


def investigate(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Observe the target, read its log and history, look up similar lessons; all of it masked.

    Raises RuntimeUnavailable when the runtime does not answer at all: then it is tried again later.
    """
    if incident.evidence is not None:
        return ()
    found = _at_rest(incident, tools)
    target = tools.measured(found, incident.fault) if found else None
    bare = Evidence(
        fault=incident.fault,
        severity=incident.severity,
        at=tools.clock(),
        name=incident.target,
        target=without_secrets(target) if target else None,
        metrics=incident.signal.metrics,
        tried=incident.tried,
        changes=tuple(mask(text) for text in tools.sightings.changed_lately(incident.target, tools.clock())),
        course=tuple(course_of(tools.sightings.series(incident.target))),
    )
    evidence = _with_log(bare, incident, target, tools)
    neighbours = _neighbours(target, tools)
    wait = _wait(incident, evidence, neighbours, tools)
    if wait:
        return (wait,)
    more = {"neighbours": told(neighbours), "recurrence": _recurrence(incident, tools)}
    evidence = _with_precedents(evidence.model_copy(update=more), tools)
    data = {"evidence": evidence.model_dump(mode="json")}
    return (Draft(type=EventType.EVIDENCE_GATHERED, agent=Agent.DETECTION, data=data),)


def _wait(incident: Incident, evidence: Evidence, neighbours: Sequence[Neighbour], tools: Tools) -> Draft | None:
    """What is wrong is wrong elsewhere: that one is healed first, and then this one is looked at anew.

    Not for long, and not for one that Aegis must not heal. When the cause is well, what runs gets time to follow it.
    """
    if incident.fault not in CONSEQUENCES or incident.waits >= MOST_WAITS or incident.tried or incident.cleared_at:
        return None
    cause = cause_of(neighbours, [one.example for one in evidence.templates if one.error])
    if cause and not forbidden(cause.state, tools.policy):
        name = cause.state.ref.name
        reason = f"It fails because of {name} ({cause.relation}), which {unwell(cause.state)}: that one comes first."
        return _rests(name, reason, tools)
    if incident.waits and evidence.target and evidence.target.running and evidence.target.health in _NOT_YET:
        return _rests("", "What it failed because of is well again; it gets time to follow.", tools)
    return None


def _rests(waits_for: str, reason: str, tools: Tools) -> Draft:
    data = {"until": (tools.clock() + WAIT_FOR_CAUSE).isoformat(), "reason": reason, "waits_for": waits_for}
    return Draft(type=EventType.RESTED, agent=Agent.PREDICTION, data=data)


def _recurrence(incident: Incident, tools: Tools) -> str:
    same = Filter(target=incident.target, fault=incident.fault)
    former, _ = tools.incidents.list(same, MOST_FORMER, 0)
    lately = [one.opened_at for one in former if incident.opened_at - one.opened_at < LATELY]
    found = recurrence([*lately, incident.opened_at], incident.opened_at)
    return found.words if found else ""


def _neighbours(target: TargetState | None, tools: Tools) -> Sequence[Neighbour]:
    if target is None:
        return ()
    try:
        return tools.source.neighbours(target.ref)
    except RuntimeProblem:
        return ()


def _at_rest(incident: Incident, tools: Tools) -> TargetState | None:
    """Find the target. A stop that somebody has begun is waited for: what it leaves is what there is to judge."""
    found = tools.effector.find(incident.target)
    if found is None or not being_stopped(found):
        return found
    return tools.watch(
        lambda: tools.effector.find(incident.target),
        enough=lambda state: state is None or not being_stopped(state),
        seconds=found.stop_timeout + STOP_PATIENCE,
    )


def _with_log(evidence: Evidence, incident: Incident, target: TargetState | None, tools: Tools) -> Evidence:
    reported = incident.signal.logs
    if target is None:
        return with_log(evidence, reported, (), "target: the runtime knows none of this name")
    secrets: frozenset[str] = frozenset()
    try:
        secrets = tools.source.secrets(target.ref)  # first: what cannot be masked is not read at all
        evidence = _with_health_log(evidence, target, secrets)
        seen = tools.source.logs(target.ref, tail=LOG_LINES)
        since = incident.opened_at - HAPPENINGS_BEFORE
        happenings = tools.source.happenings(target.ref, since)
    except RuntimeProblem as error:
        return with_log(evidence, mask_lines(reported, secrets), (), f"logs: {mask(str(error), secrets)}")
    known = set(seen)
    lines = mask_lines([*(line for line in reported if line not in known), *seen], secrets)
    happened = tuple(mask(text, secrets) for text in happenings)
    return with_log(evidence, lines, happened, "" if lines else SILENT)


def _with_health_log(evidence: Evidence, target: TargetState, secrets: frozenset[str]) -> Evidence:
    if evidence.target is None:
        return evidence
    health_log = mask_lines(target.health_log, secrets)
    return evidence.model_copy(update={"target": evidence.target.model_copy(update={"health_log": health_log})})


def _with_precedents(evidence: Evidence, tools: Tools) -> Evidence:
    try:
        lessons = tools.recall.similar(evidence)
    except RunbookError as error:
        return evidence.model_copy(update={"missing": (*evidence.missing, f"lessons: {mask(str(error))}")})
    return evidence.model_copy(update={"precedents": precedents(lessons)})
