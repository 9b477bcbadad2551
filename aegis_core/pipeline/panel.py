"""The panel: hears the agents that vote. One that fails or is late abstains; one that keeps failing is left alone."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import structlog

from aegis_core.breaker import CircuitBreaker
from aegis_core.domain.events import Agent
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask
from aegis_core.domain.opinion import TERMS, VOTERS, Opinion
from aegis_core.domain.voices import Voice
from aegis_core.errors import AegisError, Interrupted

REASON_CHARACTERS: Final = 240

log = structlog.get_logger("panel")


class Heard(NamedTuple):
    """The opinions, and who abstained and why."""

    opinions: tuple[Opinion, ...]
    abstained: Mapping[Agent, str]


class Panel:
    """Remembers, over all incidents, which agents fail. Safe for many threads; `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._breakers = {agent: CircuitBreaker(monotonic) for agent in VOTERS}

    def hear(self, voices: Mapping[Agent, Callable[[], Voice]]) -> Heard:
        """Ask each agent in turn. A bug in one of them is raised; what can really fail counts as abstaining."""
        said = {agent: self._ask(agent, voice) for agent, voice in voices.items()}
        return Heard(
            opinions=tuple(one for one in said.values() if isinstance(one, Opinion)),
            abstained={agent: one for agent, one in said.items() if isinstance(one, str)},
        )

    def _ask(self, agent: Agent, voice: Callable[[], Voice]) -> Voice:
        breaker, begun = self._breakers[agent], self._monotonic()
        if not breaker.admits():
            return "it failed again and again, and is left alone for a while"
        failed = True
        try:
            said = voice()
            late = self._late(agent, self._monotonic() - begun)
            failed = bool(late)
            return late or said
        except Interrupted:
            raise
        except AegisError as error:
            return f"it failed: {mask(clean_line(str(error)))}"[:REASON_CHARACTERS]
        finally:
            if not failed:
                breaker.success()
            elif breaker.failure():
                log.warning("an agent is left alone for a while", agent=agent)

    def _late(self, agent: Agent, seconds: float) -> str:
        terms = TERMS[agent]
        if seconds > terms.target_seconds:
            log.warning("an agent is slow", agent=agent, seconds=round(seconds, 1))
        return f"it took {seconds:.1f} s, and has {terms.limit_seconds:.0f} s" if seconds > terms.limit_seconds else ""
