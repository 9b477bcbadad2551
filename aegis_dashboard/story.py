"""Events as sentences, for the feed and the timeline. Pure; what an event does not tell is left out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.fields import Moment
from aegis_dashboard.wire import Event

_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(Moment)
Data = Mapping[str, Any]
NOOP: Final = "NOOP"  # the action that does nothing
FORESEEN: Final = "oom_in_seconds"  # the metric of a signal about a leak that has not reached its limit yet


class Tone(StrEnum):
    """How something is coloured."""

    PLAIN = "plain"
    WORK = "work"  # under way
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Told:
    """An event in words: what happened, and one line more where there is something to add."""

    text: str
    more: str = ""
    tone: Tone = Tone.PLAIN


def tell(event: Event, clock: fmt.Clock) -> Told:
    """Say what an event means; an unknown type is told by its name."""
    teller = _TELLERS.get(event.type)
    return teller(event.data, clock) if teller else Told(event.type)


def _part(data: Data, name: str) -> Data:
    part = data.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(data: Data, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)


def _number(data: Data, name: str) -> float | None:
    value = data.get(name)
    return float(value) if isinstance(value, int | float) else None


def _texts(data: Data, name: str) -> list[str]:
    values = data.get(name)
    return [str(value) for value in values] if isinstance(values, list | tuple) else []


def _until(data: Data, clock: fmt.Clock) -> str:
    return _moment(data, "until", clock)


def _moment(data: Data, name: str, clock: fmt.Clock) -> str:
    try:
        return clock.time(_MOMENT.validate_python(data.get(name)))
    except ValidationError:
        return "later"


def _first(data: Data, name: str) -> str:
    return next(iter(_texts(data, name)), "")


def reported_by(events: Iterable[Event]) -> str:
    """Who reported the first symptom, and by which word of their own; empty where that is not told."""
    signal = next((_part(event.data, "signal") for event in events if event.type == "SignalReceived"), {})
    return _reporter(signal)


def waits_for(events: Sequence[Event]) -> str:
    """The target that comes first, where the newest event says so; the same symptom again ends no wait."""
    newest = next((event for event in reversed(events) if event.type != "SignalJoined"), None)
    return _text(newest.data, "waits_for") if newest else ""


def _reporter(signal: Data) -> str:
    source, word = _text(signal, "source"), _text(signal, "alert_type")
    by = names.reporter(source)
    own = word and source not in names.OWN_SENSES and word != _text(signal, "fault")
    return f"{by} as “{word}”" if own else by


def _received(data: Data, clock: fmt.Clock) -> Told:
    signal = _part(data, "signal")
    metrics = {name: float(value) for name, value in _part(signal, "metrics").items() if _is_number(value)}
    fault, by = fmt.phrase(_text(signal, "fault")) or "a symptom", _reporter(signal)
    what = f"{fault} foreseen" if FORESEEN in metrics else fault
    seen = _texts(signal, "logs")[:1] if FORESEEN in metrics else []
    told = seen or [", ".join(fmt.metric(name, value) for name, value in metrics.items())]
    wait = f"Looked at from {_until(data, clock)} on, if it has not gone away by then" if "until" in data else ""
    more = ". ".join(text[:1].upper() + text[1:] for text in (*told, wait) if text)
    return Told(f"Signal: {what}" + (f", reported by {by}" if by else ""), more, Tone.WARN)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _joined(data: Data, _: fmt.Clock) -> Told:
    signal = _part(data, "signal")
    count = int(_number(data, "count") or 1)
    again = "again" if count == 1 else f"{count:,} times more"
    by = names.reporter(_text(signal, "source"))
    fault = fmt.phrase(_text(signal, "fault")) or "signal"
    return Told(f"The same symptom {again}: {fault}" + (f", reported by {by}" if by else ""))


def _cleared(_: Data, __: fmt.Clock) -> Told:
    return Told("Its sender says that it is over", "", Tone.GOOD)


def _gathered(data: Data, _: fmt.Clock) -> Told:
    evidence = _part(data, "evidence")
    templates, tail = evidence.get("templates"), evidence.get("tail")
    found = [
        fmt.plural(len(part), word)
        for part, word in ((templates, "log pattern"), (tail, "raw log line"))
        if isinstance(part, list | tuple) and part
    ]
    missing = _texts(evidence, "missing")
    more = "Missing: " + "; ".join(missing) if missing else ""
    return Told("Evidence gathered" + (f": {', '.join(found)}" if found else ""), more)


def _diagnosed(data: Data, _: fmt.Clock) -> Told:
    diagnosis = _part(data, "diagnosis")
    source, action = _text(diagnosis, "source") or "the brain", _text(diagnosis, "action")
    sure = fmt.confidence(_number(diagnosis, "confidence"))
    return Told(f"Diagnosis by {source}: {action}, {sure} sure", _text(diagnosis, "root_cause"), Tone.WORK)


_VERDICTS: Final = {
    "ACT": ("will be carried out", Tone.WORK),
    "ASK": ("needs a person to say yes", Tone.WARN),
    "REFUSE": ("is refused", Tone.BAD),
    "REST": ("waits", Tone.WARN),
}


def _decided(data: Data, _: fmt.Clock) -> Told:
    decision = _part(data, "decision")
    verdict = _text(decision, "verdict")
    what, tone = _VERDICTS.get(verdict, (verdict, Tone.PLAIN))
    if verdict == "ACT" and _text(decision, "action") == NOOP:
        what = "it is, nothing has to be done"
    return Told(f"Policy: {_text(decision, 'action')} {what}", " ".join(_texts(decision, "reasons")), tone)


def _opined(data: Data, _: fmt.Clock) -> Told:
    opinion = _part(data, "opinion")
    sure = fmt.confidence(_number(opinion, "confidence"))
    return Told(f"Votes for {_text(opinion, 'action')}, {sure} sure", _text(opinion, "reason"))


def _asked(data: Data, clock: fmt.Clock) -> Told:
    asked = _part(data, "approval")
    until = _moment(asked, "expires_at", clock)
    return Told(f"People are asked: {_text(asked, 'action')}, until {until}", _first(asked, "reasons"), Tone.WARN)


def _approved(data: Data, _: fmt.Clock) -> Told:
    return Told(f"Approved by {_person(data)}", _text(data, "comment"), Tone.GOOD)


def _declined(data: Data, _: fmt.Clock) -> Told:
    return Told(f"Refused by {_person(data)}", _text(data, "comment"), Tone.BAD)


def _person(data: Data) -> str:
    via = _text(data, "via")
    return (_text(data, "by") or "somebody") + (f" ({names.way_of_answering(via)})" if via else "")


def _commented(data: Data, _: fmt.Clock) -> Told:
    comment = _part(data, "comment")
    return Told(f"{_text(comment, 'by') or 'Somebody'} says", _text(comment, "text"))


def _undone(data: Data, clock: fmt.Clock) -> Told:
    return Told("What did not help was taken back", clock.localized(_text(data, "seen")), Tone.WARN)


def _rested(data: Data, clock: fmt.Clock) -> Told:
    reason, cause = _text(data, "reason"), _text(data, "waits_for")
    if cause:
        return Told(f"Waits for {cause}, because of which it fails", reason, Tone.WARN)
    return Told(f"Rests until {_until(data, clock)}, then looks again", reason, Tone.WARN)


def _intended(data: Data, _: fmt.Clock) -> Told:
    action = _text(_part(data, "intent"), "action") or "The action"
    return Told(f"{action} is about to happen; what was seen before is on record", "", Tone.WORK)


def _executed(data: Data, clock: fmt.Clock) -> Told:
    action = _text(data, "action") or "The action"
    if action == NOOP:
        return Told("Nothing was done, on purpose")
    return Told(f"{action} is done", clock.localized(_text(data, "seen")), Tone.WORK)


def _action_failed(data: Data, _: fmt.Clock) -> Told:
    return Told("The action failed", _text(data, "reason"), Tone.BAD)


def _verified(data: Data, _: fmt.Clock) -> Told:
    found = _part(data, "judgement").get("conditions")
    conditions = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []
    open_ = [one for one in conditions if not one.get("holds")]
    if open_ or not conditions:
        text = "Not proven healthy yet" if all(one.get("pending") for one in open_) else "Not healthy"
        return Told(text, "; ".join(f"{_text(one, 'name')}: {_text(one, 'seen')}" for one in open_), Tone.WARN)
    return Told(f"Verified healthy: all {fmt.plural(len(conditions), 'condition')} hold", "", Tone.GOOD)


def _learned(data: Data, _: fmt.Clock) -> Told:
    lesson = _part(data, "lesson")
    return Told("Lesson written into the runbook", _text(lesson, "fix"))


def _resolved(data: Data, _: fmt.Clock) -> Told:
    saved = _number(_part(data, "impact"), "saved_dollars")
    return Told("Resolved, and verified", f"{fmt.money(saved)} saved" if saved else "", Tone.GOOD)


def _failed(data: Data, _: fmt.Clock) -> Told:
    return Told("Failed: a person is needed", _text(data, "reason"), Tone.BAD)


def _stage_failed(data: Data, clock: fmt.Clock) -> Told:
    reason = _text(data, "reason") or _text(data, "error")
    return Told(f"A stage broke and is tried again at {_until(data, clock)}", reason, Tone.WARN)


_TELLERS: Final[Mapping[str, Callable[[Data, fmt.Clock], Told]]] = {
    "SignalReceived": _received,
    "SignalJoined": _joined,
    "SignalCleared": _cleared,
    "EvidenceGathered": _gathered,
    "Diagnosed": _diagnosed,
    "OpinionGiven": _opined,
    "Decided": _decided,
    "ApprovalRequested": _asked,
    "Approved": _approved,
    "Declined": _declined,
    "Commented": _commented,
    "Undone": _undone,
    "Rested": _rested,
    "ActionIntended": _intended,
    "ActionExecuted": _executed,
    "ActionFailed": _action_failed,
    "Verified": _verified,
    "LessonLearned": _learned,
    "Resolved": _resolved,
    "Failed": _failed,
    "StageFailed": _stage_failed,
}
