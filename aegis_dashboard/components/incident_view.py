"""One incident as a whole: its heading, its way, and the panels in an order that follows that way."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.components import panels, votes
from aegis_dashboard.components.chips import chip, healed_in, moment, severity_chip, status_chip
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.components.stepper import stepper
from aegis_dashboard.components.target_card import card
from aegis_dashboard.components.timeline import feed, timeline
from aegis_dashboard.stages import way
from aegis_dashboard.story import reported_by, waits_for
from aegis_dashboard.wire import Brief, Detail, Event, Target


def head(incident: Brief, events: Sequence[Event], clock: fmt.Clock) -> Html:
    """Which fault of which container, how urgent, where it stands and for how long, and who reported it."""
    target, by = names.target(incident.container_name), reported_by(events)
    title = tag("h3", fmt.title(incident.fault), span(" on ", cls="ag-muted"), target)
    signals = chip(fmt.plural(incident.signals, "signal")) if incident.signals > 1 else None
    attempts = chip(fmt.plural(incident.attempts, "attempt")) if incident.attempts > 1 else None
    chips = [status_chip(incident.status), severity_chip(incident.severity), signals, attempts]
    facts = div(
        span(healed_in(incident, clock), cls="ag-num"),
        join(_waits(events), moment(clock, incident.waits_until)) if incident.waits else None,
        join(" · opened ", moment(clock, incident.opened_at, long=True)),
        f" · reported by {by}" if by else None,
        join(" · ", span(incident.incident_id, cls="ag-code")),
        cls="ag-muted ag-incident-facts",
    )
    return div(div(title, div(*chips, cls="ag-chips"), cls="ag-incident-head"), facts)


def _waits(events: Sequence[Event]) -> str:
    cause = waits_for(events)
    return f" · waits for {cause} until " if cause else " · waits until "


def live(incident: Detail, events: Sequence[Event], target: Target | None, clock: fmt.Clock) -> Html:
    """The incident as it happens, with its target and the feed of the agents beside it."""
    told = panels.panel("Agents", feed(events, clock), aside=span("newest first", cls="ag-muted"))
    pair = div(
        div(
            card(target, clock) if target else None,
            panels.decision(incident.decision, incident.closed, clock),
            votes.answered(incident.approval, clock),
            panels.verification(incident, clock),
            cls="ag-stack",
        ),
        div(
            panels.diagnosis(incident),
            votes.opinions(incident.opinions, incident.decision),
            cls="ag-stack",
        ),
        cls="ag-columns ag-pair",
    )
    judged = div(pair, panels.evidence(incident), cls="ag-stack ag-judged")
    return _whole(incident, events, clock, div(judged, told, cls="ag-columns ag-live"))


def closed_up(incident: Detail, events: Sequence[Event], clock: fmt.Clock) -> Html:
    """The incident with everything that is on record."""
    count = span(fmt.plural(len(events), "event"), cls="ag-muted")
    columns = div(
        div(
            panels.diagnosis(incident),
            votes.opinions(incident.opinions, incident.decision),
            panels.decision(incident.decision, incident.closed, clock),
            votes.answered(incident.approval, clock),
            panels.verification(incident, clock),
            panels.tried(incident.tried),
            votes.undone(incident.undone),
            panels.lesson(incident.lesson),
            panels.impact(incident.impact),
            panels.evidence(incident),
            panels.log_tail(incident),
            cls="ag-stack",
        ),
        div(
            votes.comments(incident.comments, clock),
            panels.panel("Timeline", timeline(events, clock), aside=count),
            cls="ag-stack",
        ),
        cls="ag-columns ag-two",
    )
    return _whole(incident, events, clock, columns)


def in_short(incident: Brief) -> str:
    """One incident in a list of choices."""
    waits = ", waits" if incident.waits else ""
    return f"{fmt.title(incident.fault)} on {names.target(incident.container_name)} ({incident.incident_id}){waits}"


def _whole(incident: Detail, events: Sequence[Event], clock: fmt.Clock, *parts: Html | None) -> Html:
    steps = stepper(way(events, incident.status, clock.now), clock)
    notes = (panels.failure(incident), panels.nobody(incident))
    framed = div(head(incident, events, clock), steps, *notes, cls="ag-incident")
    return div(framed, *parts, cls="ag-stack")
