"""Lessons of the runbook as a list: what happened, what was done, and whether it held."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip, incident_link, moment, source_chip
from aegis_dashboard.components.markup import Html, div, span, tag
from aegis_dashboard.components.panels import facts
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Lesson


def lesson_list(lessons: Sequence[Lesson], clock: fmt.Clock) -> Html:
    return div(*(_lesson(one, clock) for one in lessons), cls="ag-lessons")


def _lesson(one: Lesson, clock: fmt.Clock) -> Html:
    held = chip("verified healthy", Tone.GOOD) if one.verified_healthy else chip("did not hold", Tone.BAD)
    head = div(
        tag("h3", fmt.title(one.fault), span(" on ", cls="ag-muted"), one.container),
        div(held, source_chip(one.source, one.confidence), cls="ag-chips"),
        cls="ag-incident-head",
    )
    way = div(span(one.issue), span("→", cls="ag-arrow"), tag("strong", one.fix), cls="ag-lesson-way")
    detail = facts(
        ("when", moment(clock, one.timestamp, long=True)),
        ("took", fmt.duration(one.seconds)),
        ("category", fmt.phrase(one.category)),
        ("attempts", str(one.attempts)),
        ("image", one.image),
        ("signature", span(one.signature[:8], cls="ag-code", title=one.signature) if one.signature else None),
        ("incident", incident_link(one.incident_id) if one.incident_id else None),
    )
    tone = "ag-good" if one.verified_healthy else "ag-bad"
    return tag("article", head, way, tag("p", one.root_cause, cls="ag-muted"), detail, cls=f"ag-panel ag-lesson {tone}")
