"""The events of an incident as sentences: who did what, and the main words of it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from aegis_core.domain.approval import Approval, Comment
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.events import EventType
from aegis_core.domain.evidence import Evidence, lines_of
from aegis_core.domain.impact import Impact
from aegis_core.domain.incident import Status
from aegis_core.domain.intent import Intent
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.opinion import Opinion
from aegis_core.domain.policy import Decision, Verdict
from aegis_core.domain.signal import Signal
from aegis_core.domain.verification import Judgement

from . import words
from .output import Tone
from .wire import Happening

MOST_METRICS: Final = 3
MOST_SEEN: Final = 3
MOST_ERRORS: Final = 2
MOST_CITED: Final = 3


@dataclass(frozen=True)
class Told:
    """One event: a headline, and lines that add to it, each with its own tone."""

    headline: str
    tone: Tone = Tone.PLAIN
    lines: tuple[tuple[str, Tone], ...] = ()


def tell(event: Happening) -> Told:
    """Put an event into words. One that this version does not know is named."""
    teller = _TELLERS.get(event.type)
    if teller is None:
        return Told(words.spoken(event.type))
    try:
        return teller(event.data)
    except (ValidationError, KeyError, TypeError, ValueError):  # written by another version
        return Told(words.spoken(event.type))


def way(events: Iterable[Happening]) -> Mapping[Status, datetime]:
    """When each status was reached, in the round that is under way: a rest begins a new one."""
    reached: dict[Status, datetime] = {}
    for event in events:
        if event.type == EventType.RESTED:
            reached = {Status.RECEIVED: reached.get(Status.RECEIVED, event.at)}
        status = _status_of(event)
        if status:
            reached[status] = event.at
    return reached


def _status_of(event: Happening) -> Status | None:
    if event.type == EventType.DECIDED:
        decision = event.data.get("decision")
        acts = isinstance(decision, Mapping) and decision.get("verdict") == Verdict.ACT
        return Status.DECIDED if acts else None
    return _REACHES.get(event.type)


_REACHES: Final[Mapping[str, Status]] = {
    EventType.SIGNAL_RECEIVED: Status.RECEIVED,
    EventType.EVIDENCE_GATHERED: Status.ANALYZING,
    EventType.APPROVAL_REQUESTED: Status.AWAITING_APPROVAL,
    EventType.APPROVED: Status.DECIDED,
    EventType.ACTION_INTENDED: Status.EXECUTING,
    EventType.ACTION_EXECUTED: Status.VERIFYING,
    EventType.RESOLVED: Status.RESOLVED,
    EventType.FAILED: Status.FAILED,
}


def _received(data: Mapping[str, Any]) -> Told:
    signal = Signal.model_validate(data["signal"])
    who = "seen by Aegis itself" if signal.source == "sensor" else "reported by webhook"
    shares = {name: value for name, value in signal.metrics.items() if name.endswith("_percent") and value > 0}
    highest = sorted(shares, key=shares.__getitem__, reverse=True)[:MOST_METRICS]
    metrics = ", ".join(f"{words.spoken(name.removesuffix('_percent'))} {shares[name]:.0f} %" for name in highest)
    return Told(f"{words.spoken(signal.fault)} ({signal.severity}), {who}", Tone.WARN, _plain(metrics))


def _joined(data: Mapping[str, Any]) -> Told:
    return Told(f"{words.spoken(Signal.model_validate(data['signal']).fault)} was reported again")


def _cleared(_: Mapping[str, Any]) -> Told:
    return Told("whoever reported it says that it is over")


def _gathered(data: Mapping[str, Any]) -> Told:
    evidence = Evidence.model_validate(data["evidence"])
    numbered = lines_of(evidence)
    known = f", {words.counted(len(evidence.precedents), 'similar lesson')}" if evidence.precedents else ""
    missing = [(f"missing: {words.short(text)}", Tone.WARN) for text in evidence.missing]
    told = _plain(*_telling(evidence, [line.text for line in numbered]))
    return Told(f"evidence gathered: {words.counted(len(numbered), 'line')}{known}", lines=(*told, *missing))


def _telling(evidence: Evidence, texts: Sequence[str]) -> list[str]:
    """The lines of evidence that say most: what was measured, what the health check says, the newest kinds of error."""
    seen = [text for text in texts if text.startswith(("state: a person", "measured:", "health check:"))]
    errors = [template.example for template in evidence.templates if template.error]
    return [*seen[:MOST_SEEN], *(f"log: {text}" for text in errors[-MOST_ERRORS:])]


def _diagnosed(data: Mapping[str, Any]) -> Told:
    diagnosis = Diagnosis.model_validate(data["diagnosis"])
    cited = [f"rests on: {words.short(text)}" for text in diagnosis.evidence[:MOST_CITED]]
    over = [f"passed over: {words.short(text)}" for text in diagnosis.passed_over]
    by = f"{diagnosis.source} ({diagnosis.model})" if diagnosis.model else str(diagnosis.source)
    headline = f"diagnosis by {by}, {diagnosis.confidence:.2f} sure: {diagnosis.action}"
    cause = (words.short(diagnosis.root_cause, 600), Tone.PLAIN)
    other = [f"seen otherwise by {words.short(text)}" for text in diagnosis.dissent]
    return Told(headline, Tone.WORK, (cause, *_dim(*cited, *other, *over)))


_VERDICTS: Final[Mapping[Verdict, tuple[str, Tone]]] = {
    Verdict.ACT: ("may be carried out", Tone.WORK),
    Verdict.ASK: ("needs a person to say yes", Tone.WARN),
    Verdict.REFUSE: ("is refused", Tone.BAD),
    Verdict.REST: ("waits", Tone.WARN),
}


def _decided(data: Mapping[str, Any]) -> Told:
    decision = Decision.model_validate(data["decision"])
    what, tone = _VERDICTS[decision.verdict]
    return Told(f"decision {decision.verdict}: {decision.action} {what}", tone, _plain(*decision.reasons))


def _opined(data: Mapping[str, Any]) -> Told:
    opinion = Opinion.model_validate(data["opinion"])
    headline = f"opinion: {opinion.action}, {opinion.confidence:.2f} sure"
    return Told(headline, lines=_dim(opinion.reason))


def _asked(data: Mapping[str, Any]) -> Told:
    approval = Approval.model_validate(data["approval"])
    until = approval.expires_at.astimezone()
    headline = f"{approval.action} waits for a person to say yes, until {until:%H:%M:%S}"
    return Told(headline, Tone.WARN, _plain(*approval.reasons))


def _approved(data: Mapping[str, Any]) -> Told:
    return Told(f"approved by {data['by']} ({data['via']})", Tone.WORK, _plain(str(data.get("comment", ""))))


def _declined(data: Mapping[str, Any]) -> Told:
    return Told(f"declined by {data['by']} ({data['via']})", Tone.BAD, _plain(str(data.get("comment", ""))))


def _commented(data: Mapping[str, Any]) -> Told:
    comment = Comment.model_validate(data["comment"])
    return Told(f"{comment.by} says", lines=_plain(comment.text))


def _undone(data: Mapping[str, Any]) -> Told:
    return Told("what did not help was taken back", Tone.WARN, _plain(str(data["seen"])))


def _rested(data: Mapping[str, Any]) -> Told:
    until = datetime.fromisoformat(data["until"]).astimezone()  # the event before it has given the reason
    return Told(f"rests until {until:%H:%M:%S}, then looks again", Tone.WARN)


def _intended(data: Mapping[str, Any]) -> Told:
    intent = Intent.model_validate(data["intent"])
    before, usage = intent.before, intent.before.usage
    known = [str(before.run), f"health {before.health}"]
    if usage and usage.memory_percent is not None:
        known.append(f"memory at {usage.memory_percent:.0f} % of its limit")
    return Told(f"{intent.action} begins", Tone.WORK, _plain(f"on record before it: {', '.join(known)}"))


def _executed(data: Mapping[str, Any]) -> Told:
    return Told(f"{data['action']} is done", Tone.WORK, _plain(str(data.get("seen", ""))))


def _not_executed(data: Mapping[str, Any]) -> Told:
    return Told("the action was not carried out", Tone.WARN, _plain(str(data["reason"])))


def _verified(data: Mapping[str, Any]) -> Told:
    judgement = Judgement.model_validate(data["judgement"])
    failures_first = sorted(judgement.conditions, key=lambda one: one.holds)
    lines = tuple(condition_line(one.name, one.seen, one.holds) for one in failures_first)
    if judgement.healthy:
        return Told(f"verified healthy: all {words.counted(len(lines), 'condition')} hold", Tone.GOOD, lines)
    return Told("not healthy", Tone.WARN, lines)


def condition_line(name: str, seen: str, holds: bool) -> tuple[str, Tone]:
    """One condition of health with what was seen."""
    text = words.short(f"{words.spoken(name)}: {seen}")
    return (f"✔ {text}", Tone.GOOD) if holds else (f"✘ {text}", Tone.BAD)


def _learned(data: Mapping[str, Any]) -> Told:
    lesson = Lesson.model_validate(data["lesson"])
    held = "it held" if lesson.verified_healthy else "it did not hold"
    return Told(f"lesson for the runbook: {words.spoken(lesson.fault)} → {lesson.fix}, {held}")


def _resolved(data: Mapping[str, Any]) -> Told:
    impact = Impact.model_validate(data["impact"]) if data.get("impact") else None
    saved = f"{words.money(impact.saved_dollars)} saved = {impact.formula}" if impact else ""
    return Told("RESOLVED", Tone.GOOD, _plain(saved))


def _failed(data: Mapping[str, Any]) -> Told:
    return Told("FAILED: a person is needed", Tone.BAD, ((words.short(str(data["reason"]), 400), Tone.PLAIN),))


def _stumbled(data: Mapping[str, Any]) -> Told:
    until = datetime.fromisoformat(data["until"]).astimezone()
    headline = f"could not {data['stage']}; tried again at {until:%H:%M:%S}"
    return Told(headline, Tone.WARN, _plain(str(data["reason"])))


def _plain(*texts: str) -> tuple[tuple[str, Tone], ...]:
    return tuple((words.short(text, 300), Tone.PLAIN) for text in texts if text)


def _dim(*texts: str) -> tuple[tuple[str, Tone], ...]:
    return tuple((words.short(text, 300), Tone.DIM) for text in texts)


_TELLERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Told]]] = {
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
    EventType.ACTION_FAILED: _not_executed,
    EventType.VERIFIED: _verified,
    EventType.UNDONE: _undone,
    EventType.COMMENTED: _commented,
    EventType.LESSON_LEARNED: _learned,
    EventType.RESOLVED: _resolved,
    EventType.FAILED: _failed,
    EventType.STAGE_FAILED: _stumbled,
}
