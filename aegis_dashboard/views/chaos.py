"""Chaos: causes real faults in the target app, says what to expect, and points to Live."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.chaos_client import AppAway
from aegis_dashboard.chaos_wire import AppStatus, Fault
from aegis_dashboard.components.chaos_cards import answer_note, app_head, away_note, fault_text
from aegis_dashboard.components.markup import draw
from aegis_dashboard.components.page import section
from aegis_dashboard.feed import target_app

REFRESH_SECONDS: Final = 3
ANSWER: Final = "chaos-answer"
COLUMNS: Final = 4


@dataclass(frozen=True)
class View:
    faults: tuple[Fault, ...]
    status: AppStatus


@dataclass(frozen=True)
class Answer:
    """What came of the last button; `refused` says why nothing did."""

    title: str
    text: str
    refused: bool = False


def _press(name: str) -> None:
    title = f"{fmt.title(name)}: the fault is on."
    try:
        st.session_state[ANSWER] = Answer(title, target_app().trigger(name))
    except AppAway as error:
        st.session_state[ANSWER] = Answer(f"{fmt.title(name)}: the app did not answer.", str(error), refused=True)


def _reset() -> None:
    try:
        ended = target_app().reset()
        text = "Ended: " + ", ".join(map(fmt.phrase, ended)) + "." if ended else "No fault was on."
        st.session_state[ANSWER] = Answer("All faults are off.", text)
    except AppAway as error:
        st.session_state[ANSWER] = Answer("The reset did not reach the app.", str(error), refused=True)


@st.fragment(run_every=REFRESH_SECONDS)
def _chaos() -> None:
    try:
        view = View(target_app().faults(), target_app().status())
    except AppAway as error:
        draw(section("Target app"))
        draw(away_note(target_app().url, str(error)))
        _answer()
        return
    _head(view)
    _answer()
    draw(section("Faults"))
    for start in range(0, len(view.faults), COLUMNS):
        for column, fault in zip(st.columns(COLUMNS), view.faults[start : start + COLUMNS], strict=False):
            with column:
                _fault(fault)


def _head(view: View) -> None:
    on = [fault.name for fault in view.faults if fault.active]
    label = f"Reset: end {fmt.plural(len(on), 'fault')}" if on else "Reset"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        draw(section("Target app"), width="content")
        st.button(label, icon=":material/restart_alt:", on_click=_reset, type="primary" if on else "secondary")
    draw(app_head(view.status, target_app().url))


def _fault(fault: Fault) -> None:
    with st.container(border=True, height="stretch", key=f"fault-{fault.name}"):
        draw(fault_text(fault))
        st.button(
            "On already" if fault.active else f"Cause {fmt.phrase(fault.name)} fault",
            icon=":material/bolt:",
            key=f"press-{fault.name}",
            on_click=_press,
            args=(fault.name,),
            disabled=fault.active,
            width="stretch",
        )


def _answer() -> None:
    answer = st.session_state.get(ANSWER)
    if answer is None:
        return
    draw(answer_note(answer.title, answer.text, answer.refused))
    if not answer.refused:
        st.page_link("views/live.py", label="Watch it on Live", icon=":material/monitor_heart:")


_chaos()
