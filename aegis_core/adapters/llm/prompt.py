"""Evidence as a prompt: bounded, masked once more, and what was recorded kept as data between marks.

A version of the prompt is a file. Its parts are `system`, pairs of `user_N` and `assistant_N` that show by example what
an answer is, `user` and `repair`. All but the evidence is the same every time, so that a server which keeps the
beginning of a prompt reads it once.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Final, NamedTuple

from aegis_core.domain.evidence import Evidence
from aegis_core.domain.masking import mask

from .excerpt import as_data, excerpt

VERSION: Final = "diagnose_v2"
EVIDENCE_CHARACTERS: Final = 1_200  # about 400 tokens, after 1,200 of fixed text
LEAST_CHARACTERS: Final = 400
ANSWER_CHARACTERS: Final = 2_000  # of an answer that is shown to the model again


class Message(NamedTuple):
    """One turn of the talk with a model; `role` is system, user or assistant."""

    role: str
    content: str


def sections(version: str) -> dict[str, str]:
    """The parts of a prompt, by the names of their headings."""
    text = files(__package__).joinpath("prompts", f"{version}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


_SECTIONS: Final = sections(VERSION)


def _asked(told: str) -> Message:
    return Message("user", Template(_SECTIONS["user"]).substitute(evidence=told))


def _before(parts: Mapping[str, str]) -> tuple[Message, ...]:
    """What stands before the evidence: the instructions, and the examples as turns of the talk."""
    turns = [name.partition("_") for name in parts if "_" in name]
    shown = [
        _asked(parts[f"user_{number}"]) if role == "user" else Message(role, parts[f"{role}_{number}"])
        for role, _, number in turns
    ]
    return (Message("system", parts["system"]), *shown)


_BEFORE: Final = _before(_SECTIONS)


def render(
    evidence: Evidence, most: int = EVIDENCE_CHARACTERS, secrets: frozenset[str] = frozenset()
) -> tuple[Message, ...]:
    """Write the messages of a diagnosis, with at most `most` characters of evidence (not below `LEAST_CHARACTERS`).

    What does not fit is left out: the raw log lines and lessons first, then the less telling templates.
    `secrets` are masked besides what looks like one.
    """
    room = max(most, LEAST_CHARACTERS)
    body = mask("\n".join(excerpt(evidence, room)), secrets)[:room]  # stars can be longer than what they replace
    return (*_BEFORE, _asked(body))


def repair(answer: str, problem: str, secrets: frozenset[str] = frozenset()) -> tuple[Message, ...]:
    """Write the messages that show a model its own answer again and say what is wrong with it."""
    shown = mask(answer[:ANSWER_CHARACTERS], secrets).strip() or "(nothing)"
    return (
        Message("assistant", shown),
        Message("user", Template(_SECTIONS["repair"]).substitute(problem=mask(as_data(problem, 600), secrets))),
    )
