"""Incidents and lessons as tables and pages for people. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aegis_core.domain.approval import Approval, Comment
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.opinion import Opinion

from . import words
from .output import Tone
from .story import condition_line, tell, way
from .view import EventLine, status_text, stepper
from .wire import Brief, Detail, Happening

WIDE: Final = 110  # columns from which a table shows everything


def incident_table(incidents: Sequence[Brief], now: datetime, width: int) -> Table:
    """The list, newest first; narrow terminals get the columns that matter most."""
    table = _table()
    table.add_column("opened", no_wrap=True, style=Tone.DIM)
    table.add_column("incident", no_wrap=True)
    table.add_column("target", overflow="fold", style="bold")
    table.add_column("fault", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    if width >= WIDE:
        table.add_column("action", no_wrap=True)
        table.add_column("by", no_wrap=True)
    for one in incidents:
        row: list[RenderableType] = [
            words.local(one.opened_at, now),
            Text(words.short(one.incident_id, 120)),
            Text(words.short(one.container_name)),
            Text(words.spoken(one.fault)),
            status_text(one.status),
            words.duration(one.seconds),
        ]
        if width >= WIDE:
            row += [Text(one.action or words.NOTHING), Text(_by(one))]
        table.add_row(*row)
    return table


def _by(one: Brief) -> str:
    if not one.source:
        return words.NOTHING
    return f"{one.source} {one.confidence:.2f}" if one.confidence is not None else one.source


def incident_page(incident: Detail, events: Sequence[Happening], now: datetime) -> Group:
    """Everything about one incident: its way, what it was judged by, its timeline."""
    parts: list[RenderableType] = [_head(incident, now), "", stepper(way(events)), "", _facts(incident, now)]
    if incident.evidence_lines:
        parts += ["", _heading("Evidence"), _evidence(incident)]
    if incident.opinions:
        parts += ["", _heading("Opinions"), *(_indented(Text(told)) for told in _votes(incident))]
    if incident.verification:
        told = [condition_line(one.name, one.seen, one.holds) for one in incident.verification.conditions]
        parts += ["", _heading("Verification"), *(_indented(Text(text, style=tone)) for text, tone in told)]
    if incident.comments:
        parts += ["", _heading("Comments"), *(_indented(_comment(one, now)) for one in incident.comments)]
    parts += ["", _heading("Timeline")]
    first = events[0].at if events else now
    for event in events:
        since = words.duration((event.at - first).total_seconds())
        told_event = tell(event)
        parts.append(EventLine(since, event.agent, told_event, most=1))
    return Group(*parts)


def _head(incident: Detail, now: datetime) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    title = Text.assemble((words.short(incident.container_name), "bold"), "  ", words.spoken(incident.fault))
    grid.add_row(title, status_text(incident.status))
    grid.add_row(
        Text(words.short(incident.incident_id, 120), style=Tone.DIM),
        Text(f"opened {words.local(incident.opened_at, now)}", style=Tone.DIM),
    )
    return grid


def _facts(incident: Detail, now: datetime) -> Table:
    grid = facts()
    if incident.root_cause:
        grid.add_row("Root cause", Text(words.short(incident.root_cause, 600)))
    if incident.analysis:
        grid.add_row("Diagnosis", Text(f"{incident.analysis.action}, by {_by(incident)} sure"))
        grid.add_row("Because", Text(words.short(incident.analysis.justification, 1200)))
    if incident.decision:
        reasons = " ".join(incident.decision.reasons)
        grid.add_row(
            "Decision", Text(f"{incident.decision.verdict} {incident.decision.action}: {words.short(reasons, 600)}")
        )
    if incident.approval:
        grid.add_row("Approval", _approval(incident.approval, now))
    if incident.closed:
        attempts = words.counted(incident.attempts, "attempt")
        grid.add_row("Took", f"{words.duration(incident.seconds)}, {attempts}")
    if incident.error:
        grid.add_row("Failed", Text(words.short(incident.error, 600), style=Tone.BAD))
    if incident.impact:
        grid.add_row("Saved", Text(f"{words.money(incident.impact.saved_dollars)} = {incident.impact.formula}"))
    return grid


def _votes(incident: Detail) -> Iterable[str]:
    """Who votes for what, who abstained, and whose vote does not count."""
    yield from map(_opinion, incident.opinions)
    together = incident.decision.consensus if incident.decision else None
    if together:
        yield from (f"{agent}: abstains. {words.short(why, 300)}" for agent, why in together.abstained.items())
        yield from (f"{agent}: does not count. {words.short(why, 300)}" for agent, why in together.set_aside.items())


def _opinion(one: Opinion) -> str:
    return f"{one.agent}: {one.action}, {one.confidence:.2f} sure. {words.short(one.reason, 300)}"


def _comment(one: Comment, now: datetime) -> Text:
    head = f"{words.short(one.by, 80)}, {words.local(one.at, now)}: "
    return Text.assemble((head, Tone.DIM), words.short(one.text, 400))


def _approval(one: Approval, now: datetime) -> Text:
    if one.approved is None:
        return Text(f"{one.action} waits for a yes until {words.local(one.expires_at, now)}", style=Tone.WARN)
    said = "approved" if one.approved else "declined"
    why = f": {words.short(one.comment, 300)}" if one.comment else ""
    return Text(f"{one.action} {said} by {words.short(one.by, 80)} ({one.via}){why}")


def question(incident: Detail) -> Group:
    """What people are asked about an incident, and by when they have to answer."""
    approval = incident.approval
    if approval is None:
        return Group()
    grid = facts()
    title = Text.assemble((f"{approval.action} of {words.short(incident.container_name)}", "bold"), "?")
    if incident.root_cause:
        grid.add_row("Because", Text(words.short(incident.root_cause, 600)))
    grid.add_row("Asked", Text(words.short(" ".join(approval.reasons), 600)))
    for one in incident.opinions:
        grid.add_row("", Text(_opinion(one), style=Tone.DIM))
    return Group(title, grid)


def facts() -> Table:
    """An empty two-column page of facts."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=Tone.DIM, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _evidence(incident: Detail) -> Padding:
    """All lines with their numbers; those that the diagnosis rests on stand out."""
    cited = set(incident.analysis.evidence) if incident.analysis else set()
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=Tone.DIM, no_wrap=True)
    grid.add_column(overflow="fold")
    for line in incident.evidence_lines:
        rests = line.text in cited
        grid.add_row(line.number, Text(words.short(line.text, 400), style="bold" if rests else Tone.PLAIN))
    for text in incident.missing:
        grid.add_row("", Text(f"missing: {words.short(text)}", style=Tone.WARN))
    return _indented(grid)


def lesson_page(lessons: Sequence[Lesson], now: datetime) -> Group:
    """The runbook, newest first."""
    parts: list[RenderableType] = []
    for one in lessons:
        parts += [lesson_card(one, now), ""]
    return Group(*parts[:-1])


def lesson_card(lesson: Lesson, now: datetime) -> Group:
    """One lesson: what happened and what was done, whether it held, and why it came to that."""
    done = lesson.attempts > 0
    title = Text.assemble((words.spoken(lesson.fault), "bold"))
    if done:
        held = (" ✔ it held", Tone.GOOD) if lesson.verified_healthy else (" ✘ it did not hold", Tone.BAD)
        title += Text.assemble(f" on {words.short(lesson.container, 80)} → {words.short(lesson.fix, 40)} ", held)
    else:
        title += Text("  advice", style=Tone.DIM)
    texts = [lesson.root_cause] if done else [lesson.issue, lesson.root_cause, lesson.fix]
    lines = [_indented(Text(words.short(text, 600))) for text in texts if text]
    took = f", healed in {words.duration(lesson.seconds)}" if done and lesson.verified_healthy else ""
    whence = f"{words.short(lesson.incident_id, 120)}, {words.local(lesson.timestamp, now)}, by {lesson.source}{took}"
    return Group(title, *lines, *([_indented(Text(whence, style=Tone.DIM))] if done else []))


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), header_style=Tone.DIM, pad_edge=False)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2))
