"""The postmortem of an incident: every fact in it comes from the events, the words of its summary may be a model's."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from . import markdown as md
from .approval import Approval
from .chronicle import counted, sentence
from .events import Event, EventType
from .evidence import lines_of
from .incident import Incident, Status, fold
from .intent import Intent
from .model import Value
from .opinion import Opinion
from .policy import Decision

MINUTE: Final = 60
NOTHING: Final = "–"


class Words(Value):
    """A summary in words, and who wrote it: a rung of the brain with its model, or nobody (it was put together)."""

    text: str
    by: str = ""


def plain_summary(incident: Incident) -> str:
    """Put the summary together from the facts."""
    diagnosis, fault = incident.diagnosis, incident.fault.replace("_", " ")
    parts = [
        f"{incident.target} had {fault} ({incident.severity}), reported by {incident.signal.source}"
        f" at {incident.opened_at:%H:%M:%S} UTC."
    ]
    if diagnosis:
        cause = diagnosis.root_cause.rstrip(".")
        parts.append(f"Named as the root cause by {diagnosis.source}, {diagnosis.confidence:.2f} sure: {cause}.")
    parts.append(_what_was_done(incident))
    parts.append(_how_it_ended(incident))
    return " ".join(part for part in parts if part)


def _what_was_done(incident: Incident) -> str:
    if not incident.attempts:
        return "Nothing was done to it."
    who = incident.approval
    allowed = f", approved by {who.by}" if who and who.approved else ""
    taken_back = " What did not help was taken back." if incident.undone else ""
    return f"{incident.last_action} was carried out ({counted(incident.attempts, 'attempt')}{allowed}).{taken_back}"


def _how_it_ended(incident: Incident) -> str:
    took = f" after {duration(incident.seconds)}" if incident.seconds is not None else ""
    match incident.status:
        case Status.RESOLVED if incident.proven:
            return f"It was verified healthy{took}."
        case Status.RESOLVED:
            return f"It was left as a person stopped it{took}."
        case Status.FAILED:
            return f"It was left to people{took}: {incident.error}"
        case _:
            return f"It has not ended yet: it is {incident.status}."


def postmortem(events: Sequence[Event], words: Words | None = None) -> str:
    """Write the postmortem as Markdown. Raises ValueError where there are no events."""
    incident = fold(events)
    summary = words or Words(text=plain_summary(incident))
    sections = [
        f"# Postmortem: {md.text(incident.fault.replace('_', ' '))} on {md.text(incident.target)}",
        _head(incident, events),
        *_section("Summary", md.text(summary.text), _whose(summary)),
        *_section("Timeline", _timeline(events)),
        *_section("Evidence", _evidence(incident)),
        *_section("Opinions", _opinions(events)),
        *_section("Decision", *_decisions(events, incident.approval)),
        *_section("Action", _actions(events)),
        *_section("Verification", _verification(incident)),
        *_section("Impact", _impact(incident)),
        *_section("Lesson", _lesson(incident)),
        *_section("Comments", _comments(incident)),
    ]
    return "\n\n".join(sections) + "\n"


def _whose(summary: Words) -> str:
    words = f"The words above are by {md.text(summary.by)}" if summary.by else "The words above were put together"
    return f"_{words}; every fact below is from the event log._"


def duration(seconds: float) -> str:
    """`14.2 s`, `3 min 05 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 2 * MINUTE:
        return f"{max(0.0, seconds):.1f} s"
    if whole < MINUTE**2:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    return f"{whole // MINUTE**2} h {whole % MINUTE**2 // MINUTE:02} min"


def _section(title: str, *parts: str) -> Iterable[str]:
    """A section; without anything in it, a word says so."""
    told = [part for part in parts if part]
    return [f"## {title}", *(told or ["Nothing on record."])]


def _head(incident: Incident, events: Sequence[Event]) -> str:
    seen = incident.evidence.target if incident.evidence else None
    rows = [
        ("Incident", md.code(incident.id)),
        ("Target", md.code(incident.target) + (f", image {md.code(seen.image)}" if seen and seen.image else "")),
        ("Severity", incident.severity),
        ("Outcome", str(incident.status) + (f": {md.text(incident.error)}" if incident.error else "")),
        ("Opened", _day(incident.opened_at)),
        ("Closed", _day(incident.closed_at)),
        ("Took", duration(incident.seconds) if incident.seconds is not None else NOTHING),
        ("Signals", f"{incident.signals:,}"),
        ("Attempts", str(incident.attempts)),
        ("Events", f"{len(events)}, the newest {md.code(incident.head[:12])}"),
    ]
    return md.table(("", ""), rows)


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else NOTHING


def _timeline(events: Sequence[Event]) -> str:
    first = events[0].at
    rows = [
        (f"{event.at:%H:%M:%S}", f"+{duration((event.at - first).total_seconds())}", event.agent, md.text(told))
        for event, told in _told(events)
    ]
    return md.table(("time (UTC)", "after", "agent", "what"), rows)


def _told(events: Sequence[Event]) -> Iterable[tuple[Event, str]]:
    """Every event with its sentence; the same symptom again and again is one, with how often."""
    for kind, run in groupby(events, key=lambda event: event.type):
        if kind is EventType.SIGNAL_JOINED:
            first, *more = run
            times = sum(int(one.data.get("count", 1)) for one in (first, *more))
            yield first, sentence(first.model_copy(update={"data": {**first.data, "count": times}}))
        else:
            yield from ((event, sentence(event)) for event in run)


def _evidence(incident: Incident) -> str:
    if incident.evidence is None:
        return ""
    cited = set(incident.diagnosis.evidence) if incident.diagnosis else set()
    lines = [
        f"{'→' if line.text in cited else ' '} {line.number:<4}{line.text}" for line in lines_of(incident.evidence)
    ]
    missing = [f"  missing: {gap}" for gap in incident.evidence.missing]
    rests = any(line.startswith("→") for line in lines)
    return md.block([*lines, *missing]) + ("\n\nThe diagnosis rests on the lines with an arrow." if rests else "")


def _opinions(events: Sequence[Event]) -> str:
    given = [Opinion.model_validate(event.data["opinion"]) for event in _of(events, EventType.OPINION_GIVEN)]
    rows = [(one.agent, md.text(one.action), f"{one.confidence:.2f}", md.text(one.reason)) for one in given]
    silent = md.bullets(md.text(told) for event in _of(events, EventType.DECIDED) for told in _uncounted(event))
    table = md.table(("agent", "votes for", "how sure", "why"), rows) if rows else ""
    return "\n\n".join(part for part in (table, silent) if part)


def _uncounted(event: Event) -> Iterable[str]:
    """Who did not vote, and whose vote does not count, in one round."""
    together = Decision.model_validate(event.data["decision"]).consensus
    if together:
        yield from (f"{agent} abstained: {why}" for agent, why in together.abstained.items())
        yield from (f"The opinion of {agent} was set aside: {why}" for agent, why in together.set_aside.items())


def _decisions(events: Sequence[Event], approval: Approval | None) -> Iterable[str]:
    for event in _of(events, EventType.DECIDED):
        made = Decision.model_validate(event.data["decision"])
        reasons = md.text(" ".join(made.reasons))
        yield f"**{made.verdict} {made.action}** at {event.at:%H:%M:%S} UTC, {made.confidence:.2f} sure. {reasons}"
    if approval and approval.approved is not None and approval.answered_at:
        word = "approved" if approval.approved else "declined"
        why = f" {md.text(approval.comment)}" if approval.comment else ""
        yield f"{md.text(approval.by)} {word} it at {approval.answered_at:%H:%M:%S} UTC ({approval.via}).{why}"


def _actions(events: Sequence[Event]) -> str:
    told = {EventType.ACTION_INTENDED: _begun, EventType.ACTION_EXECUTED: _plain, EventType.ACTION_FAILED: _plain}
    tellers: dict[EventType, Callable[[Event], str]] = {**told, EventType.UNDONE: _plain}
    return md.bullets(tellers[event.type](event) for event in events if event.type in tellers)


def _plain(event: Event) -> str:
    return f"{event.at:%H:%M:%S} UTC: {md.text(sentence(event))}"


def _begun(event: Event) -> str:
    intent = Intent.model_validate(event.data["intent"])
    before, usage = intent.before, intent.before.usage
    memory = f", memory at {usage.memory_percent:.0f} % of its limit" if usage and usage.memory_percent else ""
    seen = f"{before.run}, health {before.health}, {before.started}{memory}"
    return f"{event.at:%H:%M:%S} UTC: {intent.action} begins. Before it: {md.text(seen)}"


def _verification(incident: Incident) -> str:
    conditions = incident.judgement.conditions if incident.judgement else ()
    rows = [("✔" if one.holds else "✘", md.text(one.name), md.text(one.seen)) for one in conditions]
    return md.table(("holds", "condition", "seen"), rows) if rows else ""


def _impact(incident: Incident) -> str:
    counted_up = incident.impact
    if counted_up is None:
        return ""
    return f"**${counted_up.saved_dollars:,.2f} saved** = {md.text(counted_up.formula)}"


def _lesson(incident: Incident) -> str:
    learned = incident.lesson
    if learned is None:
        return ""
    held = "it held" if learned.verified_healthy else "it did not hold"
    return f"{md.text(learned.issue)} → {md.text(learned.fix)}: {held}. Cause: {md.text(learned.root_cause)}"


def _comments(incident: Incident) -> str:
    return md.bullets(f"{one.at:%H:%M:%S} UTC, {md.text(one.by)}: {md.text(one.text)}" for one in incident.comments)


def _of(events: Sequence[Event], kind: EventType) -> Iterable[Event]:
    return (event for event in events if event.type is kind)
