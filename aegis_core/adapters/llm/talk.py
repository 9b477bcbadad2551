"""The talk of a rung with its model: ask, check, and ask once more where the answer cannot be used."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aegis_core.domain.diagnosis import Diagnosis, Source, Tokens
from aegis_core.domain.evidence import Evidence
from aegis_core.errors import AnswerInvalid

from .answer import check, parse_answer
from .prompt import VERSION, Message, render, repair


class Words(NamedTuple):
    """What a model said, and what its server counted for it."""

    text: str
    tokens: Tokens | None = None


class Talk(NamedTuple):
    """How to speak to one model; `say` sends the messages so far and returns the model's words."""

    say: Callable[[Sequence[Message]], Words]
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
        first = Words("")
        try:
            first = self.say(messages)
            return self._checked(first, evidence, begun)
        except AnswerInvalid as problem:
            second = self.say([*messages, *repair(first.text, str(problem), self.secrets)])
        return self._checked(Words(second.text, _sum(first.tokens, second.tokens)), evidence, begun)

    def _checked(self, words: Words, evidence: Evidence, begun: float) -> Diagnosis:
        seconds = self.monotonic() - begun
        diagnosis = check(parse_answer(words.text), evidence, self.source, self.model, seconds)
        return diagnosis.model_copy(update={"tokens": words.tokens, "prompt": VERSION})


def _sum(first: Tokens | None, second: Tokens | None) -> Tokens | None:
    if first is None or second is None:
        return first or second
    return Tokens(prompt=first.prompt + second.prompt, completion=first.completion + second.completion)
