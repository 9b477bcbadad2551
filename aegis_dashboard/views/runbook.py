"""Runbook: what is trusted and why, and all that Aegis has learned, to be searched and taken along."""

import json
from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components.lesson_list import lesson_list
from aegis_dashboard.components.markup import div, draw, span
from aegis_dashboard.components.page import away_banner, empty, section, viewer_clock
from aegis_dashboard.components.trust_table import reliability_table, trust_table
from aegis_dashboard.feed import load
from aegis_dashboard.wire import Lesson

REFRESH_SECONDS: Final = 5
STEP: Final = 20
SHOWN: Final = "lessons-shown"
_KINDS: Final[Mapping[str, Callable[[Lesson], bool]]] = {
    "All": lambda _: True,
    "Verified": lambda one: one.verified_healthy,
    "Did not hold": lambda one: not one.verified_healthy and not one.starter,
    "General": lambda one: one.starter,
}


def chosen_of(lessons: tuple[Lesson, ...], kind: str) -> list[Lesson]:
    """The lessons of a kind, newest first."""
    return sorted(filter(_KINDS[kind], lessons), key=lambda one: one.timestamp, reverse=True)


@st.fragment(run_every=REFRESH_SECONDS)
def _learned() -> None:
    loaded = load(lambda feed: (feed.trust(), feed.reliability()))
    trust, reliability = loaded.view
    if trust.items:
        draw(section("Trust", span("earned by verified outcomes only", cls="ag-muted"), sample=loaded.sample))
        draw(trust_table(trust.items, viewer_clock()))
        draw(div(trust.rule, cls="ag-muted"))
    if reliability.sources:
        draw(section("How sure, and how often it helped", span("by who had diagnosed it", cls="ag-muted")))
        draw(reliability_table(reliability.sources))


@st.fragment(run_every=REFRESH_SECONDS)
def _lessons(search: str, kind: str) -> None:
    loaded = load(lambda feed: feed.runbook(search))
    away_banner(loaded.away)
    found = chosen_of(loaded.view.entries, kind)
    draw(section("Lessons", span(fmt.plural(len(found), "lesson"), cls="ag-muted"), sample=loaded.sample))
    if not found and (search or kind != "All"):
        draw(empty("No lesson fits.", "Try another word: a fault, a container, a root cause."))
        return
    if not found:
        draw(empty("Nothing learned yet.", "Every incident that ends after an action leaves a lesson here."))
        return
    shown = st.session_state.get(SHOWN, STEP)
    draw(lesson_list(found[:shown], viewer_clock()))
    with st.container(horizontal=True):
        if len(found) > shown and st.button(
            f"Show {min(STEP, len(found) - shown)} more", icon=":material/expand_more:"
        ):
            st.session_state[SHOWN] = shown + STEP
            st.rerun(scope="fragment")
        st.download_button(
            "Download samples as JSON" if loaded.sample else "Download as JSON",
            data=json.dumps(loaded.view.raw, indent=2, ensure_ascii=False),
            file_name="sample_runbook.json" if loaded.sample else "runbook.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )


_learned()
text, which = st.columns([2, 1.2], vertical_alignment="bottom")
wanted = text.text_input(
    "Search the runbook", placeholder="memory, restart, payments-worker, …", max_chars=200, key="q", bind="query-params"
)
selected = which.segmented_control(
    "Outcome", [*_KINDS], default="All", required=True, key="outcome", bind="query-params"
)
_lessons((wanted or "").strip(), selected or "All")
