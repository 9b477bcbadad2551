"""The events of an incident as sentences: what happened, in words that need nothing else beside them. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from .approval import Approval, Comment
from .diagnosis import Diagnosis
from .events import Event, EventType
from .evidence import Evidence, lines_of
from .lesson import Lesson
from .opinion import Opinion
from .policy import Decision, Verdict
from .signal import Signal
from .verification import Judgement

_VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.ACT: "policy allows",
    Verdict.ASK: "policy asks a person about",
    Verdict.REFUSE: "policy refuses",
    Verdict.REST: "policy lets wait",
}


def sentence(event: Event) -> str:
    """Say what an event means, without an end of line. One that cannot be read is named."""
    try:
        told = _TELLERS[event.type](event.data)
    except (KeyError, TypeError, ValueError):  # written by another version
        return str(event.type)
    return " ".join(told.split())


def moment(text: object) -> str:
    """`12:00:05 UTC` of a moment as an event holds it. Raises ValueError."""
    return f"{datetime.fromisoformat(str(text)):%H:%M:%S} UTC"


def counted(count: int, one: str) -> str:
    """`1 line`, `3 lines`."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def _received(data: Mapping[str, Any]) -> str:
    signal = Signal.model_validate(data["signal"])
    return f"{signal.fault} ({signal.severity}) reported by {signal.source}"


def _joined(data: Mapping[str, Any]) -> str:
    return f"the same symptom again, {counted(int(data.get('count', 1)), 'time')}"


def _cleared(_: Mapping[str, Any]) -> str:
    return "whoever reported it says that it is over"


def _gathered(data: Mapping[str, Any]) -> str:
    evidence = Evidence.model_validate(data["evidence"])
    gaps = f"; missing: {'; '.join(evidence.missing)}" if evidence.missing else ""
    return f"evidence gathered: {counted(len(lines_of(evidence)), 'line')}{gaps}"


def _diagnosed(data: Mapping[str, Any]) -> str:
    found = Diagnosis.model_validate(data["diagnosis"])
    return f"diagnosis by {found.source}, {found.confidence:.2f} sure: {found.root_cause} → {found.action}"


def _opined(data: Mapping[str, Any]) -> str:
    opinion = Opinion.model_validate(data["opinion"])
    return f"votes for {opinion.action}, {opinion.confidence:.2f} sure: {opinion.reason}"


def _decided(data: Mapping[str, Any]) -> str:
    decision = Decision.model_validate(data["decision"])
    return f"{_VERDICTS[decision.verdict]} {decision.action}: {' '.join(decision.reasons)}"


def _asked(data: Mapping[str, Any]) -> str:
    asked = Approval.model_validate(data["approval"])
    return f"people are asked for {asked.action} until {asked.expires_at:%H:%M:%S} UTC: {' '.join(asked.reasons)}"


def _approved(data: Mapping[str, Any]) -> str:
    return f"approved by {data['by']} ({data['via']}){_why(data)}"


def _declined(data: Mapping[str, Any]) -> str:
    return f"declined by {data['by']} ({data['via']}){_why(data)}"


def _why(data: Mapping[str, Any]) -> str:
    return f": {data['comment']}" if data.get("comment") else ""


def _commented(data: Mapping[str, Any]) -> str:
    comment = Comment.model_validate(data["comment"])
    return f"{comment.by} says: {comment.text}"


def _rested(data: Mapping[str, Any]) -> str:
    return f"rests until {moment(data['until'])}, then looks anew: {data.get('reason', '')}"


def _intended(data: Mapping[str, Any]) -> str:
    return f"{data['intent']['action']} begins; what was observed before it is on record"


def _executed(data: Mapping[str, Any]) -> str:
    return f"{data['action']} is done: {data.get('seen', '')}"


def _called_off(data: Mapping[str, Any]) -> str:
    return f"the action was not carried out: {data['reason']}"


def _undone(data: Mapping[str, Any]) -> str:
    return f"what did not help was taken back: {data['seen']}"


def _verified(data: Mapping[str, Any]) -> str:
    judgement = Judgement.model_validate(data["judgement"])
    if judgement.healthy:
        return f"verified healthy: all {counted(len(judgement.conditions), 'condition')} hold"
    return f"not healthy: {'; '.join(judgement.failures)}"


def _learned(data: Mapping[str, Any]) -> str:
    lesson = Lesson.model_validate(data["lesson"])
    return f"lesson for the runbook: {lesson.fix} {'held' if lesson.verified_healthy else 'did not hold'}"


def _resolved(_: Mapping[str, Any]) -> str:
    return "resolved, and verified"


def _failed(data: Mapping[str, Any]) -> str:
    return f"left to a person: {data['reason']}"


def _stumbled(data: Mapping[str, Any]) -> str:
    return f"could not {data['stage']}, tried again at {moment(data['until'])}: {data['reason']}"


_TELLERS: Final[Mapping[EventType, Callable[[Mapping[str, Any]], str]]] = {
    EventType.SIGNAL_RECEIVED: _received,
    EventType.SIGNAL_JOINED: _joined,
    EventType.SIGNAL_CLEARED: _cleared,
    EventType.EVIDENCE_GATHERED: _gathered,
    EventType.DIAGNOSED: _diagnosed,
    EventType.OPINION_GIVEN: _opined,
    EventType.DECIDED: _decided,
    EventType.APPROVAL_REQUESTED: _asked,
    EventType.APPROVED: _approved,
    EventType.DECLINED: _declined,
    EventType.RESTED: _rested,
    EventType.ACTION_INTENDED: _intended,
    EventType.ACTION_EXECUTED: _executed,
    EventType.ACTION_FAILED: _called_off,
    EventType.VERIFIED: _verified,
    EventType.UNDONE: _undone,
    EventType.COMMENTED: _commented,
    EventType.LESSON_LEARNED: _learned,
    EventType.RESOLVED: _resolved,
    EventType.FAILED: _failed,
    EventType.STAGE_FAILED: _stumbled,
}
