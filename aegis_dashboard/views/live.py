"""Live: how the targets are, and the incident under way as it happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components import incident_view, switches, votes
from aegis_dashboard.components.markup import draw, span
from aegis_dashboard.components.page import away_banner, empty, section, viewer_clock
from aegis_dashboard.components.people import question
from aegis_dashboard.components.target_card import cards
from aegis_dashboard.core_client import Feed, IncidentQuery
from aegis_dashboard.feed import Loaded, load
from aegis_dashboard.people_wire import Standing
from aegis_dashboard.settings import load_settings
from aegis_dashboard.wire import Brief, Detail, Event, Target

FOLLOW: Final = "followed-incident"
FOCUS_SECONDS: Final = 300


@dataclass(frozen=True)
class View:
    """`choices` are the open incidents, newest first and those that wait last; `incident` is the one that is shown."""

    standings: tuple[Standing, ...]
    targets: tuple[Target, ...]
    choices: tuple[Brief, ...]
    incident: Detail | None
    events: tuple[Event, ...]


def gather(feed: Feed, followed: str | None) -> View:
    """The open incident that is followed, else the newest open one that is worked on, else the newest of all."""
    standings, targets = feed.standings(), feed.targets()
    found = feed.incidents(IncidentQuery(open=True, limit=50)).items
    choices = tuple(sorted(found, key=lambda one: one.waits))
    newest = choices or feed.incidents(IncidentQuery(limit=1)).items
    chosen = next((one for one in choices if one.incident_id == followed), newest[0] if newest else None)
    if chosen is None:
        return View(standings, targets, choices, None, ())
    return View(standings, targets, choices, feed.incident(chosen.incident_id), feed.events(chosen))


@st.fragment(run_every=load_settings().refresh_seconds)
def live() -> None:
    loaded = load(lambda feed: gather(feed, st.session_state.get(FOLLOW)))
    away_banner(loaded.away)
    clock = viewer_clock()
    paused = switches.notice(loaded.view.standings, clock)
    if paused:
        draw(paused)
    incident, targets = loaded.view.incident, loaded.view.targets
    if incident is None:
        _targets(targets, loaded.sample, clock)
        _no_incident(loaded.sample)
    elif in_focus(incident, clock):
        _incident(loaded, incident, clock, with_target=True)
        _targets(targets, loaded.sample, clock, shown_above=incident.container_name)
    else:
        _targets(targets, loaded.sample, clock)
        _incident(loaded, incident, clock, with_target=False)
    if not loaded.sample:
        watched = sorted(one.name for one in targets if one.opted_in and not one.own)
        switches.switches(loaded.view.standings, watched, clock)


def in_focus(incident: Brief, clock: fmt.Clock) -> bool:
    """Whether the incident stands above the targets: while it is open, and a while after."""
    return incident.closed_at is None or clock.since(incident.closed_at) < FOCUS_SECONDS


def _no_incident(sample: bool) -> None:
    draw(section("Incident", sample=sample))
    draw(empty("All quiet. No incident so far.", "Cause a fault on the Chaos page, and watch it being healed here."))
    st.page_link("views/chaos.py", label="Go to Chaos", icon=":material/bolt:")


def _incident(loaded: Loaded[View], incident: Detail, clock: fmt.Clock, with_target: bool) -> None:
    title = "Newest incident" if incident.closed else "Incident under way"
    draw(section(title, sample=loaded.sample))
    if len(loaded.view.choices) > 1:
        names = {one.incident_id: incident_view.in_short(one) for one in loaded.view.choices}
        st.selectbox(f"{len(names)} incidents are open; follow", [*names], format_func=names.__getitem__, key=FOLLOW)
    if not loaded.sample:
        others = [one for one in loaded.view.choices if one.incident_id != incident.incident_id]
        asking = votes.elsewhere(others)
        if asking:
            draw(asking)
        question(incident, clock)
    found = (one for one in loaded.view.targets if one.name == incident.container_name)
    target = next(found, None) if with_target else None
    draw(incident_view.live(incident, loaded.view.events, target, clock))
    st.page_link(
        "views/incidents.py",
        label="Everything about this incident",
        icon=":material/arrow_forward:",
        query_params={"incident": incident.incident_id},
    )


def _targets(targets: Sequence[Target], sample: bool, clock: fmt.Clock, shown_above: str = "") -> None:
    others = [one for one in targets if one.name != shown_above]
    if shown_above and not others:
        return
    watched = sum(one.opted_in and not one.own for one in others)
    title = "Other targets" if shown_above else "Targets"
    draw(section(title, span(f"{watched} watched", cls="ag-muted"), sample=sample))
    if not watched and not shown_above:
        draw(empty("No target has opted in.", "Give a container the label aegis.enable=true, and it appears here."))
    draw(cards(others, clock))


live()
