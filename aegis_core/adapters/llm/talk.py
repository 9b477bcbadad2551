"""The talk of a rung with its model: ask, check, and ask once more where the answer cannot be used."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aegis_core.domain.diagnosis import Diagnosis, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.errors import AnswerInvalid

from .answer import check, parse_answer
from .prompt import Message, render, repair


class Talk(NamedTuple):
    """How to speak to one model; `say` sends the messages so far and returns the model's words."""

    say: Callable[[Sequence[Message]], str]
    source: Source
    model: str
    monotonic: Callable[[], float]
    most_characters: int
    secrets: frozenset[str] = frozenset()

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Diagnose with exactly one repair round.

        Raises what `say` raises; AnswerInvalid when the second answer cannot be used either.
        """
        begun = self.monotonic()
        messages = render(evidence, self.most_characters, self.secrets)
        text = ""
        try:
            text = self.say(messages)
            return self._checked(text, evidence, begun)
        except AnswerInvalid as problem:
            text = self.say([*messages, *repair(text, str(problem), self.secrets)])
        return self._checked(text, evidence, begun)

    def _checked(self, text: str, evidence: Evidence, begun: float) -> Diagnosis:
        return check(parse_answer(text), evidence, self.source, self.model, self.monotonic() - begun)
