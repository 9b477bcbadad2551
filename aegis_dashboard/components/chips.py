"""Small labels: statuses, health, faults, agents, moments."""

from datetime import datetime
from typing import Final
from urllib.parse import quote

from aegis_dashboard import format as fmt
from aegis_dashboard.components.markup import Child, Html, span, tag
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Brief, Target

_STATUS: Final = {
    "RECEIVED": ("Received", Tone.WORK),
    "ANALYZING": ("Analyzing", Tone.WORK),
    "AWAITING_APPROVAL": ("Needs approval", Tone.WARN),
    "DECIDED": ("Decided", Tone.WORK),
    "EXECUTING": ("Executing", Tone.WORK),
    "VERIFYING": ("Verifying", Tone.WORK),
    "RESOLVED": ("Resolved", Tone.GOOD),
    "FAILED": ("Failed", Tone.BAD),
}
_HEALTH: Final = {"healthy": Tone.GOOD, "starting": Tone.WORK, "unhealthy": Tone.BAD}
_RUN: Final = {"running": Tone.GOOD, "restarting": Tone.WARN, "created": Tone.PLAIN, "paused": Tone.WARN}
_SEVERITY: Final = {"critical": Tone.BAD, "warning": Tone.WARN}


def chip(text: Child, tone: Tone = Tone.PLAIN, hint: str | None = None, dot: bool = False) -> Html:
    return span(span(cls="ag-dot") if dot else None, text, cls=f"ag-chip ag-{tone}", title=hint)


def status_word(status: str) -> tuple[str, Tone]:
    """`Resolved` and its tone; a status that is not known is told as it is, as work under way."""
    return _STATUS.get(status, (fmt.title(status.lower()) or "Unknown", Tone.WORK))


def status_chip(status: str) -> Html:
    word, tone = status_word(status)
    return chip(word, tone, dot=True)


def severity_chip(severity: str) -> Html | None:
    return chip(severity, _SEVERITY.get(severity, Tone.PLAIN)) if severity else None


def target_word(target: Target) -> tuple[str, Tone]:
    """What one word says about a target: its health where there is a check, else whether it runs."""
    if target.run == "running" and target.health not in {"", "none"}:
        return target.health, _HEALTH.get(target.health, Tone.PLAIN)
    if target.run == "running":
        return "running", Tone.GOOD
    if target.stopped_by_person:
        return f"{target.run} by a person", Tone.PLAIN
    if target.run == "exited" and not target.exit_code and not target.oom_killed:
        return "exited", Tone.PLAIN  # it ended by itself or was stopped; nothing failed
    word = (target.run or "unknown") + (", out of memory" if target.oom_killed else "")
    return word, _RUN.get(target.run, Tone.BAD)


def target_chip(target: Target) -> Html:
    word, tone = target_word(target)
    return chip(word, tone, dot=True)


def source_chip(brief_source: str, confidence: float | None) -> Html | None:
    """Which rung of the brain answered, and how sure it is."""
    if not brief_source:
        return None
    sure = f" · {fmt.confidence(confidence)} sure" if confidence is not None else ""
    return chip(f"{brief_source}{sure}", Tone.WORK, hint="the rung of the brain that answered, and its confidence")


def agent_mark(agent: str) -> Html:
    """The agent's name with a colour of its own."""
    known = agent if agent in {"detection", "diagnosis", "prediction", "resolution", "communication"} else "other"
    return span(agent or "aegis", cls=f"ag-agent ag-agent-{known}")


def incident_link(incident_id: str) -> Html:
    """An incident's id as the way to its page."""
    address = f"incidents?incident={quote(incident_id, safe='')}"
    return tag("a", incident_id, href=address, target="_self", cls="ag-code")


def moment(clock: fmt.Clock, at: datetime | None, long: bool = False) -> Html:
    """A time in the viewer's zone, with the moment in UTC as its hint."""
    return tag("time", clock.day(at) if long else clock.time(at), title=fmt.utc(at) or None, cls="ag-num")


def healed_in(incident: Brief, clock: fmt.Clock) -> str:
    """`healed in 21 s`, `given up after 5.7 s`, `open for 12 s`."""
    if not incident.closed:
        return f"open for {fmt.duration(clock.since(incident.opened_at))}"
    word = "healed in" if incident.status == "RESOLVED" else "ended after"
    return f"{word} {fmt.duration(incident.seconds)}"
