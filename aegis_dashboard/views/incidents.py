"""Incidents: all of them with filters and paging, or one of them with everything that is on record.

`?incident=ID` in the address shows that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components import incident_view
from aegis_dashboard.components.incident_table import incident_table
from aegis_dashboard.components.markup import draw, span
from aegis_dashboard.components.page import away_banner, empty, section, viewer_clock
from aegis_dashboard.components.people import postmortem, question, room
from aegis_dashboard.core_client import Feed, IncidentQuery, UnknownIncident
from aegis_dashboard.feed import load
from aegis_dashboard.settings import load_settings
from aegis_dashboard.wire import Detail, Event


class _Wanted(NamedTuple):
    status: str | None = None
    open: bool | None = None


PAGE_SIZE: Final = 20
CHOSEN: Final = "incident"  # in the address
OFFSET: Final = "incidents-offset"
FAULTS: Final = (
    "memory_pressure", "cpu_saturation", "latency", "oom_killed", "crashed", "crash_loop", "unhealthy", "error_logs",
    "disk_pressure", "custom",
)  # fmt: skip
_STATES: Final[Mapping[str, _Wanted]] = {
    "All": _Wanted(),
    "Open": _Wanted(open=True),
    "Need approval": _Wanted(status="AWAITING_APPROVAL"),
    "Resolved": _Wanted(status="RESOLVED"),
    "Failed": _Wanted(status="FAILED"),
}


@dataclass(frozen=True)
class OneView:
    """One incident with its events."""

    incident: Detail
    events: tuple[Event, ...]


def gather_one(feed: Feed, incident_id: str) -> OneView:
    incident = feed.incident(incident_id)
    return OneView(incident, feed.events(incident))


def query_of(state: str, fault: str | None, target: str, search: str, offset: int) -> IncidentQuery:
    """The filters of the page as the core knows them."""
    wanted = _STATES[state]
    return IncidentQuery(
        status=wanted.status,
        open=wanted.open,
        fault=fault,
        target=target.strip() or None,
        search=search.strip() or None,
        limit=PAGE_SIZE,
        offset=offset,
    )


def _first_page() -> None:
    st.session_state[OFFSET] = 0


def _filters() -> IncidentQuery:
    state, fault, target, search = st.columns([1.5, 1, 1, 1.4], vertical_alignment="bottom")
    chosen = state.segmented_control(
        "State", [*_STATES], default="All", required=True, key="state", bind="query-params", on_change=_first_page
    )
    kind = fault.selectbox(
        "Fault", FAULTS, index=None, format_func=fmt.title, placeholder="Any", key="fault", bind="query-params",
        on_change=_first_page,
    )  # fmt: skip
    name = target.text_input(
        "Container", placeholder="Any", max_chars=200, key="container", bind="query-params", on_change=_first_page
    )
    text = search.text_input(
        "Search",
        placeholder="Root cause, id, …",
        max_chars=200,
        key="search",
        bind="query-params",
        on_change=_first_page,
    )
    return query_of(chosen or "All", kind, name or "", text or "", st.session_state.get(OFFSET, 0))


@st.fragment(run_every=load_settings().refresh_seconds)
def _list(query: IncidentQuery) -> None:
    query = replace(query, offset=st.session_state.get(OFFSET, 0))
    loaded = load(lambda feed: feed.incidents(query))
    away_banner(loaded.away)
    page = loaded.view
    draw(section("Incidents", span(fmt.plural(page.total, "incident"), cls="ag-muted"), sample=loaded.sample))
    if not page.items:
        _nothing(query)
        return
    picked = incident_table(page.items, viewer_clock())
    if picked:
        st.query_params[CHOSEN] = picked
        st.rerun(scope="app")
    _paging(query.offset, len(page.items), page.total)


def _nothing(query: IncidentQuery) -> None:
    filtered = any((query.status, query.open is not None, query.fault, query.target, query.search))
    if filtered:
        draw(empty("No incident fits these filters.", "Clear one of them to see more."))
    else:
        draw(
            empty(
                "No incident so far.",
                "When something goes wrong, it is listed here. The Chaos page can help with that.",
            )
        )


def _paging(offset: int, shown: int, total: int) -> None:
    if total <= PAGE_SIZE:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center"):
        if st.button("Newer", icon=":material/chevron_left:", disabled=offset == 0):
            _turn(max(0, offset - PAGE_SIZE))
        st.markdown(f"{offset + 1}–{offset + shown} of {total:,}", width="content")
        if st.button("Older", icon=":material/chevron_right:", icon_position="right", disabled=offset + shown >= total):
            _turn(offset + PAGE_SIZE)


def _turn(offset: int) -> None:
    st.session_state[OFFSET] = offset
    st.rerun(scope="fragment")


@st.fragment(run_every=load_settings().refresh_seconds)
def _one(incident_id: str) -> None:
    try:
        loaded = load(lambda feed: gather_one(feed, incident_id))
    except UnknownIncident:
        draw(
            empty("There is no such incident.", f"Nothing is known of {incident_id}. All incidents are one step back.")
        )
        return
    away_banner(loaded.away)
    draw(section("One incident", sample=loaded.sample))
    if not loaded.sample:
        question(loaded.view.incident, viewer_clock())
    draw(incident_view.closed_up(loaded.view.incident, loaded.view.events, viewer_clock()))
    with st.expander("Raw JSON", icon=":material/data_object:"):
        st.json(dict(loaded.view.incident.raw), expanded=1)


def _known(incident_id: str) -> bool:
    """Whether the core itself knows it: of a sample nothing can be said, and there is nothing to tell."""
    try:
        return not load(lambda feed: feed.incident(incident_id)).sample
    except UnknownIncident:
        return False


def _leave() -> None:
    st.query_params.pop(CHOSEN, None)


chosen_id = st.query_params.get(CHOSEN)
if chosen_id:
    st.button("All incidents", icon=":material/arrow_back:", on_click=_leave, type="tertiary")
    _one(chosen_id)
    if _known(chosen_id):
        room(chosen_id)
        postmortem(chosen_id)
else:
    _list(_filters())
