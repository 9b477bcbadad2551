"""Maintenance and quarantine: what is left alone until when, and the switches for it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip, moment
from aegis_dashboard.components.markup import Html, div, draw, join, span, tag
from aegis_dashboard.components.page import section
from aegis_dashboard.components.saying import TEXT_LIMIT, refuse, say, told, who
from aegis_dashboard.feed import people
from aegis_dashboard.people_wire import Standing
from aegis_dashboard.story import Tone

ALL: Final = "*"
PLACE, IN_FORCE = "switches", "in-force"
MINUTES: Final = 60
MOST_MINUTES: Final = 43_200


def notice(standings: Sequence[Standing], clock: fmt.Clock) -> Html | None:
    """Say on top of the page that nothing at all is done, where somebody has said so."""
    paused = next((one for one in standings if one.everywhere and one.maintenance_until), None)
    if paused is None:
        return None
    why = f": {paused.reason}" if paused.reason else ""
    return div(
        tag("strong", "Maintenance everywhere. "), "Nothing is done before ", moment(clock, paused.maintenance_until),
        f", says {paused.by or 'somebody'}{why}.", cls="ag-note ag-warn", role="status",
    )  # fmt: skip


def switches(standings: Sequence[Standing], names: Sequence[str], clock: fmt.Clock) -> None:
    """What is left alone, each with the button that ends it; and folded below it, the way to leave something alone."""
    draw(section("Maintenance and quarantine"))
    if standings:
        _in_force(standings, clock)
    with st.expander("Leave a target alone", icon=":material/do_not_touch:", key="switches"):
        target, minutes, reason, name = st.columns([1.2, 0.7, 2, 1], vertical_alignment="bottom")
        target.selectbox("Target", [ALL, *names], format_func=_title, key=f"target-{PLACE}")
        minutes.number_input("Minutes", 1, MOST_MINUTES, MINUTES, key=f"minutes-{PLACE}")
        reason.text_input("Why", max_chars=TEXT_LIMIT, key=f"why-{PLACE}")
        with name:
            who(PLACE)
        with st.container(horizontal=True):
            st.button(
                "Maintenance", help="People are at work on it: nothing is done.", on_click=_pause, args=("maintenance",)
            )
            st.button("Quarantine", help="What it needs is left to people.", on_click=_pause, args=("quarantine",))
    told(PLACE)


def _in_force(standings: Sequence[Standing], clock: fmt.Clock) -> None:
    with st.container(border=True, key="in-force"):
        for one in standings:
            _standing(one, clock)
        name, _ = st.columns([1, 3])
        with name:
            who(IN_FORCE)
        told(IN_FORCE)


def _standing(one: Standing, clock: fmt.Clock) -> None:
    working = one.maintenance_until is not None
    until = one.maintenance_until if working else one.quarantined_until
    word = chip("maintenance" if working else "quarantine", Tone.WARN)
    said = f"by {one.by or 'policy'}" + (f": {one.reason}" if one.reason else "")
    with st.container(horizontal=True, vertical_alignment="center", key=f"standing-{one.target}"):
        line = join(
            word, " ", span(_title(one.target), cls="ag-vote-action"), " until ", moment(clock, until, long=True)
        )
        draw(div(line, " ", span(said, cls="ag-muted")))
        action = ("End maintenance", "maintenance/end") if working else ("Release", "release")
        st.button(action[0], key=f"end-{one.target}", on_click=_end, args=(one.target, action[1]))


def _title(name: str) -> str:
    return "all targets" if name == ALL else name


def _pause(word: str) -> None:
    state = st.session_state
    target, minutes = state.get(f"target-{PLACE}", ALL), state.get(f"minutes-{PLACE}", MINUTES)
    said = {"minutes": minutes, "reason": state.get(f"why-{PLACE}", "")}
    if word == "quarantine" and target == ALL:
        return refuse(PLACE, "Quarantine is for one target; maintenance may be for all of them.")
    done = f"{_title(target)}: {word} for {minutes} min."
    say(PLACE, lambda name: people().say_of_target(target, word, {"by": name, **said}), done)
    return None


def _end(target: str, word: str) -> None:
    say(IN_FORCE, lambda name: people().say_of_target(target, word, {"by": name}), f"{_title(target)}: it is over.")
