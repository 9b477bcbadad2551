"""Events in words: the live feed (newest first) and an incident's timeline (in order, with its hashes)."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import agent_mark, moment
from aegis_dashboard.components.markup import Html, div, span, tag
from aegis_dashboard.story import tell
from aegis_dashboard.wire import Event

MOST_IN_FEED = 14


def feed(events: Sequence[Event], clock: fmt.Clock) -> Html:
    """Who did what lately, newest first."""
    newest = list(reversed(events))[:MOST_IN_FEED]
    return tag("ol", *(_entry(event, clock) for event in newest), cls="ag-feed", aria_label="Agent feed")


def timeline(events: Sequence[Event], clock: fmt.Clock) -> Html:
    """Every event in order, with the time since the one before and the beginning of its hash."""
    before = [None, *(event.at for event in events)]
    rows = []
    for event, previous in zip(events, before, strict=False):
        took = f"+{fmt.duration((event.at - previous).total_seconds())}" if previous else ""
        foot = div(
            span(f"#{event.version} {event.type}"),
            span(took, cls="ag-num"),
            span(event.hash[:10], cls="ag-code", title=f"hash {event.hash}") if event.hash else None,
            cls="ag-entry-foot",
        )
        rows.append(_entry(event, clock, foot))
    return tag("ol", *rows, cls="ag-feed ag-timeline", aria_label="Timeline")


def _entry(event: Event, clock: fmt.Clock, foot: Html | None = None) -> Html:
    told = tell(event, clock)
    more = div(told.more, cls="ag-muted ag-entry-more") if told.more else None
    head = div(agent_mark(event.agent), moment(clock, event.at), cls="ag-entry-head")
    body = div(head, div(told.text, cls="ag-entry-text"), more, foot, cls="ag-entry-body")
    return tag("li", span(cls="ag-entry-dot"), body, cls=f"ag-entry ag-{told.tone}")
