"""Where people have a say: the buttons under a question, comments, and the postmortem to take along."""

from typing import Final

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components import votes
from aegis_dashboard.components.markup import draw
from aegis_dashboard.core_client import CoreAway, CoreRefused, UnknownIncident
from aegis_dashboard.feed import core
from aegis_dashboard.wire import Detail

NAME: Final = "person"  # who sits at this browser; asked once for all questions
NAME_LIMIT, TEXT_LIMIT = 80, 1_000
_TOLD: Final = "people-told"  # by place: what became of the last thing that was said there
_NAMELESS: Final = "Say who you are first: it is kept with what you say."


def question(incident: Detail, clock: fmt.Clock) -> None:
    """Ask what an incident asks, with buttons; nothing where it asks nothing."""
    place = f"question-{incident.incident_id}"
    if not incident.asks or incident.approval is None:
        _told(place)
        return
    with st.container(border=True, key="question"):
        draw(votes.question(incident, incident.approval, clock))
        name, why, yes, no = st.columns([1, 2, 0.7, 0.7], vertical_alignment="bottom")
        with name:
            _who(place)
        why.text_input("Why (optional)", max_chars=TEXT_LIMIT, key=f"why-{place}")
        # What is sent is what was on the page when it was clicked: the arguments are those of that drawing.
        seen = (place, incident.incident_id, incident.version)
        yes.button("Approve", type="primary", width="stretch", on_click=_answer, args=("approve", *seen))
        no.button("Refuse", width="stretch", on_click=_answer, args=("reject", *seen))
        _told(place)


@st.fragment
def room(incident_id: str) -> None:
    """Say something about an incident, for all who follow it."""
    place = f"room-{incident_id}"
    with st.container(border=True, key="room"):
        name, text, send = st.columns([1, 2.7, 0.7], vertical_alignment="bottom")
        with name:
            _who(place)
        text.text_input("Comment", max_chars=TEXT_LIMIT, key=f"text-{place}", placeholder="For all who follow it")
        send.button("Say it", width="stretch", on_click=_comment, args=(place, incident_id))
        _told(place)


@st.fragment
def postmortem(incident_id: str) -> None:
    """The postmortem, written when it is asked for, and to be taken along."""
    shown = f"postmortem-{incident_id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Postmortem", icon=":material/description:"):
            st.session_state[shown] = True
        if not st.session_state.get(shown):
            return
        try:
            told = core().postmortem(incident_id)
        except (CoreAway, UnknownIncident) as error:
            st.warning(f"There is no postmortem: {error}")
            return
        st.download_button(
            "Download",
            told.markdown,
            file_name=f"postmortem-{incident_id}.md",
            mime="text/markdown",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.container(border=True, key="postmortem"):
        st.markdown(told.markdown)


def _who(place: str) -> None:
    """Ask for the name; each place has a field of its own, and those that are empty begin with what was said last."""
    field = f"name-{place}"
    if not st.session_state.get(field):
        st.session_state[field] = st.session_state.get(NAME, "")
    st.text_input("Your name", max_chars=NAME_LIMIT, key=field)


def _answer(word: str, place: str, incident_id: str, version: int) -> None:
    said = {"comment": st.session_state.get(f"why-{place}", ""), "version": version, "via": "dashboard"}
    done = "You have approved it." if word == "approve" else "You have refused it."
    _say(place, incident_id, word, said, done)


def _comment(place: str, incident_id: str) -> None:
    field = f"text-{place}"
    if _say(place, incident_id, "comments", {"comment": st.session_state.get(field, "")}, "Noted."):
        st.session_state[field] = ""


def _say(place: str, incident_id: str, word: str, said: dict[str, object], done: str) -> bool:
    """Tell the core; returns whether it took it."""
    name = str(st.session_state.get(f"name-{place}", "")).strip()
    st.session_state[NAME] = name
    told = st.session_state.setdefault(_TOLD, {})
    if not name:
        told[place] = (False, _NAMELESS)
        return False
    try:
        core().say(incident_id, word, {"by": name, **said})
    except CoreRefused as error:
        told[place] = (False, str(error))
        return False
    except CoreAway as error:
        told[place] = (False, f"Nothing was noted: {error.reason}.")
        return False
    told[place] = (True, done)
    return True


def _told(place: str) -> None:
    """Say what became of the last thing that was said here."""
    taken, sentence = st.session_state.get(_TOLD, {}).get(place, (True, ""))
    if sentence:
        (st.success if taken else st.warning)(sentence)
