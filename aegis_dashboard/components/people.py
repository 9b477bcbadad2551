"""Where people have a say about an incident: the buttons under a question, comments, the postmortem to take along."""

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components import votes
from aegis_dashboard.components.markup import draw
from aegis_dashboard.components.saying import TEXT_LIMIT, say, told, who
from aegis_dashboard.core_client import CoreAway, UnknownIncident
from aegis_dashboard.feed import people
from aegis_dashboard.wire import Detail


def question(incident: Detail, clock: fmt.Clock) -> None:
    """Ask what an incident asks, with buttons; nothing where it asks nothing."""
    place = f"question-{incident.incident_id}"
    if not incident.asks or incident.approval is None:
        told(place)
        return
    with st.container(border=True, key="question"):
        draw(votes.question(incident, incident.approval, clock))
        name, why, yes, no = st.columns([1, 2, 0.7, 0.7], vertical_alignment="bottom")
        with name:
            who(place)
        why.text_input("Why (optional)", max_chars=TEXT_LIMIT, key=f"why-{place}")
        # What is sent is what was on the page when it was clicked: the arguments are those of that drawing.
        seen = (place, incident.incident_id, incident.version)
        yes.button("Approve", type="primary", width="stretch", on_click=_answer, args=("approve", *seen))
        no.button("Refuse", width="stretch", on_click=_answer, args=("reject", *seen))
        told(place)


def _answer(word: str, place: str, incident_id: str, version: int) -> None:
    said = {"comment": st.session_state.get(f"why-{place}", ""), "version": version, "via": "dashboard"}
    done = "You have approved it." if word == "approve" else "You have refused it."
    say(place, lambda name: people().say_of_incident(incident_id, word, {"by": name, **said}), done)


@st.fragment
def room(incident_id: str) -> None:
    """Say something about an incident, for all who follow it."""
    place = f"room-{incident_id}"
    with st.container(border=True, key="room"):
        name, text, send = st.columns([1, 2.7, 0.7], vertical_alignment="bottom")
        with name:
            who(place)
        text.text_input("Comment", max_chars=TEXT_LIMIT, key=f"text-{place}", placeholder="For all who follow it")
        send.button("Say it", width="stretch", on_click=_comment, args=(place, incident_id))
        told(place)


def _comment(place: str, incident_id: str) -> None:
    field = f"text-{place}"
    text = st.session_state.get(field, "")
    said = say(
        place,
        lambda name: people().say_of_incident(incident_id, "comments", {"by": name, "comment": text}),
        "Noted.",
    )
    if said:
        st.session_state[field] = ""


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
            found = people().postmortem(incident_id)
        except (CoreAway, UnknownIncident) as error:
            st.warning(f"There is no postmortem: {error}")
            return
        st.download_button(
            "Download",
            found.markdown,
            file_name=f"postmortem-{incident_id}.md",
            mime="text/markdown",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.container(border=True, key="postmortem"):
        st.markdown(found.markdown)
