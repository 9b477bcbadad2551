"""How a person says something here: who it is, what the core made of it. Each place on a page keeps its own."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from aegis_dashboard.core_client import CoreAway
from aegis_dashboard.feed import core
from aegis_dashboard.people_client import CoreRefused

NAME: Final = "person"  # who sits at this browser; asked once for all places
NAME_LIMIT, TEXT_LIMIT = 80, 1_000
_TOLD: Final = "people-told"  # by place: what became of the last thing that was said there
_NAMELESS: Final = "Say who you are first: it is kept with what you say."


def who(place: str) -> None:
    """Ask for the name; each place has a field of its own, and those that are empty begin with what was said last."""
    field = f"name-{place}"
    if not st.session_state.get(field):
        st.session_state[field] = st.session_state.get(NAME, "")
    st.text_input("Your name", max_chars=NAME_LIMIT, key=field)


def say(place: str, saying: Callable[[str], None], done: str) -> bool:
    """Say it to the core, with the name; returns whether the core took it."""
    name = str(st.session_state.get(f"name-{place}", "")).strip()
    st.session_state[NAME] = name
    taken, sentence = (False, _NAMELESS) if not name else _said(name, saying, done)
    _note(place, taken, sentence)
    return taken


def refuse(place: str, sentence: str) -> None:
    """Tell why something is not even said to the core."""
    _note(place, False, sentence)


def _note(place: str, taken: bool, sentence: str) -> None:
    st.session_state.setdefault(_TOLD, {})[place] = (taken, sentence)


def _said(name: str, saying: Callable[[str], None], done: str) -> tuple[bool, str]:
    try:
        saying(name)
    except CoreRefused as error:
        return False, str(error)
    except CoreAway as error:
        return False, f"Nothing was noted: {error.reason}."
    core().forget()
    return True, done


def told(place: str) -> None:
    """Tell what became of the last thing that was said here."""
    taken, sentence = st.session_state.get(_TOLD, {}).get(place, (True, ""))
    if sentence:
        (st.success if taken else st.warning)(sentence)
