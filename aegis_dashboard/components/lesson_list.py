"""Lessons of the runbook as a list: what happened, what was done, and whether it held."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.components.chips import chip, incident_link, moment, source_chip
from aegis_dashboard.components.markup import Html, div, span, tag
from aegis_dashboard.components.panels import facts, lines
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Lesson


def lesson_list(lessons: Sequence[Lesson], clock: fmt.Clock) -> Html:
    return div(*(_lesson(one, clock) for one in lessons), cls="ag-lessons")


def verdict_chip(one: Lesson) -> Html:
    """Whether it held; general advice has not been tried yet."""
    if one.starter:
        return chip("general advice", Tone.PLAIN, hint="every runbook begins with it; it comes from no incident")
    return chip("verified healthy", Tone.GOOD) if one.verified_healthy else chip("did not hold", Tone.BAD)


def _lesson(one: Lesson, clock: fmt.Clock) -> Html:
    where = () if one.starter else (span(" on ", cls="ag-muted"), names.target(one.container))
    source = None if one.starter else source_chip(one.source, one.confidence)
    head = div(
        tag("h3", fmt.title(one.fault), *where),
        div(verdict_chip(one), source, cls="ag-chips"),
        cls="ag-incident-head",
    )
    told = lines(("Issue", one.issue), ("Fix", one.fix), ("Cause", one.root_cause))
    tone = "plain" if one.starter else "good" if one.verified_healthy else "bad"
    return tag("article", head, told, _facts(one, clock), cls=f"ag-panel ag-lesson ag-{tone}")


def _facts(one: Lesson, clock: fmt.Clock) -> Html | None:
    if one.starter:
        return None
    return facts(
        ("when", moment(clock, one.timestamp, long=True)),
        ("took", fmt.duration(one.seconds)),
        ("category", fmt.phrase(one.category)),
        ("attempts", str(one.attempts)),
        ("image", one.image),
        ("signature", span(one.signature[:8], cls="ag-code", title=one.signature) if one.signature else None),
        ("incident", incident_link(one.incident_id) if one.incident_id else None),
    )
