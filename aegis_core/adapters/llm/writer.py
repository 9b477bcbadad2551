"""Has a model put a postmortem into words (port `Writer`). Its words are checked against the facts."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from string import Template
from typing import Final, Protocol

from aegis_core.breaker import CircuitBreaker
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Source
from aegis_core.domain.masking import mask
from aegis_core.domain.postmortem import Words
from aegis_core.errors import AnswerInvalid, BrainError, BrainUnavailable

from .excerpt import as_data
from .prompt import Message, sections

FACTS_CHARACTERS: Final = 8_000
FEWEST, MOST = 40, 1_200  # characters of the words
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_ADDRESS: Final = re.compile(r"://|\bwww\.", re.IGNORECASE)
_SECTIONS: Final = sections("summary_v1")


class Speaker(Protocol):
    """A rung of the brain that can talk."""

    model: str

    @property
    def source(self) -> Source: ...

    def say(self, messages: Sequence[Message]) -> str:
        """Raises BrainError."""


class ModelWriter:
    """Asks one model after the other; one that keeps failing rests behind a circuit breaker."""

    def __init__(self, speakers: Iterable[Speaker], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._speakers = [(one, CircuitBreaker(monotonic)) for one in speakers]

    def write(self, facts: str) -> Words:
        """See `ports.Writer.write`. The facts are cut and masked once more before they leave the host."""
        shown = as_facts(facts)
        user = Template(_SECTIONS["user"]).substitute(facts=shown)
        messages = (Message("system", _SECTIONS["system"]), Message("user", user))
        problem: BrainError = BrainUnavailable("every model rests after it failed again and again")
        for speaker, breaker in self._speakers:
            if not breaker.admits():
                continue
            try:
                told = check(speaker.say(messages), shown)
            except BrainError as error:
                breaker.failure()
                problem = error
                continue
            breaker.success()
            return Words(text=told, by=f"{speaker.source} ({speaker.model})")
        raise problem


def as_facts(facts: str) -> str:
    """Make bounded data of the facts, in which neither our marks nor a change of speaker can stand."""
    lines = (as_data(line) for line in facts[: 2 * FACTS_CHARACTERS].split("\n"))
    return mask("\n".join(line for line in lines if line))[:FACTS_CHARACTERS]


def check(words: str, facts: str) -> str:
    """Take a model's words for a summary: one paragraph that names no number, action or address of its own.

    Raises AnswerInvalid.
    """
    told = " ".join(mask(words).split())
    if not FEWEST <= len(told) <= MOST:
        raise AnswerInvalid(f"the summary has {len(told)} characters.")
    if _ADDRESS.search(told):
        raise AnswerInvalid("the summary names an address.")
    known = set(_NUMBER.findall(facts))
    made_up = sorted({number for number in _NUMBER.findall(told) if number not in known})
    made_up += [action for action in Action if action in told and action not in facts]
    if made_up:
        raise AnswerInvalid(f"the summary tells what is not in the facts: {', '.join(made_up[:5])}.")
    return told
