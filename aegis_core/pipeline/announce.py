"""Announce: which changes of an incident people hear of, and in which words. Pure; the outbox delivers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aegis_core.domain.diagnosis import Category
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.ports import Routes

LOG_LINES: Final = 8

_ADVICE: Final[Mapping[Category, str]] = {
    Category.OOM: "Raise its memory limit, or find out what holds on to the memory.",
    Category.CPU_SATURATION: "Raise its CPU limit, or find the loop that burns.",
    Category.DISK_FULL: "Free space on the volume, or enlarge it; a restart does not.",
    Category.DEPENDENCY_UNREACHABLE: "Look at the service it cannot reach, and at the network between them.",
    Category.SLOW_DEPENDENCY: "Look at the database or service it waits for; restarting the waiting side is no help.",
    Category.CONFIG_ERROR: "Correct its configuration and deploy it again.",
    Category.PORT_CONFLICT: "Find out who else holds the port (`ss -ltnp`), and move one of the two.",
    Category.PERMISSION_DENIED: "Correct the permission or the credentials that it was refused with.",
    Category.TLS_EXPIRED: "Renew the certificate.",
    Category.BAD_IMAGE: "Go back to the image that worked.",
    Category.HEALTHCHECK_MISCONFIG: "Correct the health check; the service itself seems to run.",
    Category.DB_SCHEMA_MISSING: "Run the database migrations.",
    Category.DNS_FAILURE: "Check the name and the network's DNS.",
    Category.HOST_RUNTIME_DOWN: "Look at the host: its container engine is in trouble.",
}


def routes_to(people: Sequence[str], runbook: str) -> Routes:
    """Send notices for people to these channels, and lessons to the runbook's own."""

    def routes(before: Incident | None, after: Incident) -> Iterable[tuple[str, Notice]]:
        for notice in notices(before, after):
            channels = [runbook] if notice.kind is NoticeKind.LESSON else people
            yield from ((channel, notice) for channel in channels)

    return routes


def notices(before: Incident | None, after: Incident) -> Iterable[Notice]:
    """Compare an incident before and after a change, and tell what is worth telling."""
    if before is None:
        yield _notice(NoticeKind.RECEIVED, after, f"{after.target}: {after.fault} reported by {after.signal.source}.")
        return
    if after.lesson and not before.lesson:
        yield _notice(NoticeKind.LESSON, after, "A lesson was learned.")
    if after.status is before.status:
        return
    if after.status is Status.AWAITING_APPROVAL:
        yield _question(after)
    elif after.status is Status.EXECUTING:
        what = after.intent.action if after.intent else ""
        yield _notice(NoticeKind.ACTING, after, f"{after.target}: {what} because of {after.fault}.")
    elif after.status is Status.RESOLVED:
        yield _notice(NoticeKind.RESOLVED, after, _resolved(after))
    elif after.status is Status.FAILED and not _told_before(after):
        yield _notice(NoticeKind.FAILED, after, f"{after.target}: {after.fault} needs a person.")


def _question(incident: Incident) -> Notice:
    """Ask people for what the approval names, and for nothing else."""
    asked = incident.approval
    if asked is None:
        return _notice(NoticeKind.APPROVAL, incident, f"{incident.target} waits for a person.")
    notice = _notice(NoticeKind.APPROVAL, incident, f"{incident.target}: {asked.action} waits for a person to say yes.")
    seen = asked.shown
    shown = ", ".join(part for part in (seen.run, seen.image, seen.started) if part) if seen else ""
    votes = tuple(one.words for one in incident.opinions)
    return notice.model_copy(update={"action": asked.action, "shown": shown, "votes": votes, "until": asked.expires_at})


def _told_before(failed: Incident) -> bool:
    """People were told of the quarantine when it began: what it refuses is no news."""
    return failed.decision is not None and failed.decision.quarantined


def _resolved(after: Incident) -> str:
    if not after.proven:
        return f"{after.target} is left as a person stopped it."
    if not after.healed:
        return f"{after.target}: {after.fault} ended without an action."
    return (
        f"{after.target} is healthy again after {after.last_action}, {after.seconds or 0:.0f} s after the first signal."
    )


def _notice(kind: NoticeKind, incident: Incident, summary: str) -> Notice:
    diagnosis, decision = incident.diagnosis, incident.decision
    done = None if kind is NoticeKind.RESOLVED and not incident.healed else incident.last_action
    action = done or (decision.action if decision else "")
    return Notice(
        kind=kind,
        incident_id=incident.id,
        version=incident.version,
        at=incident.updated_at,
        target=incident.target,
        fault=incident.fault,
        severity=incident.severity,
        summary=summary,
        known=_known(incident),
        action=action,
        root_cause=diagnosis.root_cause if diagnosis else "",
        source=diagnosis.source if diagnosis else "",
        confidence=diagnosis.confidence if diagnosis else None,
        reason=_reason(kind, incident),
        advice=_advice(kind, incident),
        seconds=incident.seconds,
        attempts=incident.attempts,
        log_lines=_log_lines(incident) if kind is NoticeKind.FAILED else (),
        impact=incident.impact,
        lesson=incident.lesson,
    )


def _known(incident: Incident) -> bool:
    """A target that was found, or acted on before: what was found is forgotten while an incident rests."""
    found = incident.evidence is not None and incident.evidence.target is not None
    return found or incident.last_action is not None


def _reason(kind: NoticeKind, incident: Incident) -> str:
    if kind is NoticeKind.FAILED:
        return incident.error or ""
    return " ".join(incident.decision.reasons) if incident.decision else ""


def _advice(kind: NoticeKind, incident: Incident) -> str:
    """Say what a person can do: where Aegis could not, and where what it does every time hides a cause that stays."""
    category = incident.diagnosis.category if incident.diagnosis else Category.UNKNOWN
    if kind is NoticeKind.RESOLVED and incident.healed and incident.evidence and incident.evidence.recurrence:
        often = f"It is the {incident.evidence.recurrence}: {incident.last_action} helps, and the cause stays."
        return f"{often} {_ADVICE.get(category, '')}".strip()
    if kind is not NoticeKind.FAILED:
        return ""
    seen = incident.evidence.target if incident.evidence else None
    logs = "docker service logs" if seen and seen.definition else "docker logs"
    return _ADVICE.get(category, f"Look at `{logs} {incident.target}` and at the incident on the dashboard.")


def _log_lines(incident: Incident) -> tuple[str, ...]:
    return incident.evidence.tail[-LOG_LINES:] if incident.evidence else ()
