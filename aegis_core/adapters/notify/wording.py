"""What a notice says, in the same words for every channel. Plain text: no markup, no secrets."""

import shlex
from collections.abc import Mapping
from datetime import UTC
from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.masking import mask, mask_lines
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.signal import Fault

FAULTS: Final[Mapping[Fault, str]] = {
    Fault.MEMORY_PRESSURE: "memory pressure",
    Fault.CPU_SATURATION: "CPU saturation",
    Fault.LATENCY: "high latency",
    Fault.OOM_KILLED: "OOM-killed",
    Fault.CRASHED: "crashed",
    Fault.CRASH_LOOP: "crash loop",
    Fault.UNHEALTHY: "unhealthy",
    Fault.ERROR_LOGS: "errors in its log",
    Fault.DISK_PRESSURE: "disk pressure",
    Fault.CUSTOM: "custom alert",
}
LOOK_YOURSELF: Final = "Look at its log and at the incident on the dashboard."
_TEXTS: Final = ("target", "incident_id", "summary", "action", "root_cause", "source", "reason", "advice", "shown")
_MINUTE: Final = 60
_HOUR: Final = 3600


def masked(notice: Notice) -> Notice:
    """Return the notice with everything that came from outside cleaned and masked once more."""
    changes: dict[str, object] = {name: mask(getattr(notice, name)) for name in _TEXTS}
    changes["log_lines"] = mask_lines(notice.log_lines)
    changes["votes"] = mask_lines(notice.votes)
    if notice.lesson:
        told = {name: mask(getattr(notice.lesson, name)) for name in ("issue", "fix", "root_cause")}
        changes["lesson"] = notice.lesson.model_copy(update=told)
    return notice.model_copy(update=changes)


def headline(notice: Notice) -> str:
    """Say in a few words what happened to which target."""
    target, fault = notice.target, FAULTS[notice.fault]
    match notice.kind:
        case NoticeKind.APPROVAL:
            return f"{target}: {notice.action or 'an action'} needs your yes"
        case NoticeKind.ACTING:
            return f"{target}: {notice.action or 'action'} under way"
        case NoticeKind.RESOLVED:
            return f"{target} is healthy again" if acted(notice) else f"{target}: closed, nothing had to be done"
        case NoticeKind.FAILED:
            return f"{target} needs you: {fault}"
        case _:
            return f"{target}: {fault}"


def sentence(notice: Notice) -> str:
    """Tell the whole notice in one line: for a log, and for the preview on a phone."""
    parts = [f"{headline(notice)}."]
    match notice.kind:
        case NoticeKind.RECEIVED:
            parts.append(f"Severity {notice.severity}. Aegis is looking into it.")
        case NoticeKind.APPROVAL:
            parts += [_stop(notice.reason), f"Cause: {_stop(notice.root_cause)}" if notice.root_cause else ""]
            parts += [f"Answer{_before(notice)}: {commands(notice)}."]
        case NoticeKind.ACTING:
            parts += [f"Suspected cause: {_stop(notice.root_cause)}" if notice.root_cause else ""]
        case NoticeKind.RESOLVED:
            cause = f"Cause: {_stop(notice.root_cause)}" if notice.root_cause else ""
            parts += [_healed(notice), cause, _stop(notice.advice)]
        case NoticeKind.FAILED:
            parts += [_stop(notice.reason), f"What to do: {_stop(notice.advice or LOOK_YOURSELF)}"]
    return " ".join(" ".join(parts).split())


def commands(notice: Notice) -> str:
    """How to answer by hand: to the very question that the notice asks, and to no newer one."""
    what = f"{shlex.quote(notice.incident_id)} --seen {notice.version}"
    return f"`aegis approve {what}` or `aegis reject {what}`"


def _before(notice: Notice) -> str:
    return f" before {notice.until.astimezone(UTC):%H:%M} UTC" if notice.until else ""


def acted(notice: Notice) -> bool:
    """Tell whether something was done to the target."""
    return notice.attempts > 0 and notice.action not in {"", Action.NOOP}


def done(notice: Notice) -> str:
    """Say what was done so far."""
    if acted(notice):
        return notice.action if notice.attempts == 1 else f"{notice.action} ×{notice.attempts}"
    if notice.action in {"", Action.NOOP}:
        return "nothing"
    return f"nothing ({notice.action} was proposed)"


def diagnosed_by(notice: Notice) -> str:
    """Say who named the root cause, and how sure they were."""
    sure = f"{notice.confidence * 100:.0f} % sure" if notice.confidence is not None else ""
    return ", ".join(part for part in (notice.source, sure) if part)


def duration(seconds: float) -> str:
    """Write seconds as people say them: 9.4 s, 48 s, 3 min 05 s, 2 h 05 min."""
    whole = round(seconds)
    if seconds < 9.95:  # noqa: PLR2004 - below ten the tenths matter
        return f"{max(0.0, seconds):.1f} s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def money(dollars: float) -> str:
    """Write dollars without cents."""
    return f"${dollars:,.0f}"


def _healed(notice: Notice) -> str:
    if not acted(notice):
        return ""
    took = f" after {duration(notice.seconds)}" if notice.seconds is not None else ""
    saved = f", {money(notice.impact.saved_dollars)} saved" if notice.impact else ""
    return f"{done(notice)}{took}{saved}."


def _stop(text: str) -> str:
    """End a sentence with its full stop."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."
