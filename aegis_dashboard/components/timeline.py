"""Events in words: the live feed (newest first) and an incident's timeline (in order, with its hashes)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import agent_mark, moment
from aegis_dashboard.components.markup import Html, div, span, tag
from aegis_dashboard.story import Told, tell
from aegis_dashboard.wire import Event

MOST_IN_FEED = 14


def feed(events: Sequence[Event], clock: fmt.Clock) -> Html:
    """Who did what lately, newest first; what is said several times in a row stands there once."""
    newest = list(_once(events, clock))[:MOST_IN_FEED]
    entries = (_entry(event, told, clock, times=times) for event, told, times in newest)
    return tag("ol", *entries, cls="ag-feed", aria_label="Agent feed")


def _once(events: Sequence[Event], clock: fmt.Clock) -> Iterator[tuple[Event, Told, int]]:
    told = ((event, tell(event, clock)) for event in reversed(events))
    for _, same in groupby(told, key=lambda pair: pair[1].text):
        (event, newest), *more = same
        yield event, newest, 1 + len(more)


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
        rows.append(_entry(event, tell(event, clock), clock, foot))
    return tag("ol", *rows, cls="ag-feed ag-timeline", aria_label="Timeline")


def _entry(event: Event, told: Told, clock: fmt.Clock, foot: Html | None = None, times: int = 1) -> Html:
    more = div(told.more, cls="ag-muted ag-entry-more") if told.more else None
    often = span(f"{times}×", title=f"{times} times in a row") if times > 1 else None
    head = div(agent_mark(event.agent), moment(clock, event.at), often, cls="ag-entry-head")
    body = div(head, div(told.text, cls="ag-entry-text"), more, foot, cls="ag-entry-body")
    return tag("li", span(cls="ag-entry-dot"), body, cls=f"ag-entry ag-{told.tone}")
