"""The Ollama rung: a model on this host or next to it, by Ollama's own API."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import httpx

from aegis_core.domain.diagnosis import Diagnosis, Source, Tokens
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask
from aegis_core.errors import AnswerInvalid, BrainError, BrainRefused, BrainUnavailable

from .answer import answer_schema
from .deadline import within
from .prompt import EVIDENCE_CHARACTERS, Message
from .talk import Talk, Words
from .wire import Guard

if TYPE_CHECKING:
    import ollama

CONTEXT_TOKENS: Final = 8_192  # Ollama's default of 4,096 silently cuts the prompt
MOST_TOKENS: Final = 1_024
SEED: Final = 7  # the same evidence gets the same answer
CONNECT_SECONDS: Final = 1.5
_SHORT: Final = 160
# What the SDK lets through when the server answers with something else than Ollama's JSON.
_NONSENSE: Final = (ValueError, TypeError, AttributeError, RecursionError)


class OllamaRung:
    """Diagnoses by a model of an Ollama server.

    `timeout` bounds one call and `budget` the whole diagnosis with its repair round, both in seconds: a small machine
    takes a minute. A server that is not there is noticed within 2 s. Nothing is read from the environment.
    """

    source: Final = Source.OLLAMA

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        timeout: float = 60.0,
        budget: float = 90.0,
        most_characters: int = EVIDENCE_CHARACTERS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model = model
        self._budget = budget
        self._most_characters = most_characters
        self._monotonic = monotonic
        self._client = self._open(base_url, httpx.Timeout(timeout, connect=CONNECT_SECONDS), timeout)
        self._quick = self._open(base_url, httpx.Timeout(CONNECT_SECONDS), CONNECT_SECONDS)

    def _open(self, base_url: str, timeout: httpx.Timeout, seconds: float) -> "ollama.Client":
        import ollama  # noqa: PLC0415 - memory that an agent without this rung need not carry

        inner = httpx.HTTPTransport(trust_env=False, limits=httpx.Limits(max_connections=200))
        guard = Guard(inner, seconds, self._monotonic)
        return ollama.Client(host=base_url, timeout=timeout, transport=guard, trust_env=False, follow_redirects=False)

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Ask the model. Raises BrainUnavailable, BrainRefused, AnswerInvalid, within the budget."""
        talk = Talk(self._say, self.source, self.model, self._monotonic, self._most_characters)
        return within(self._budget, lambda: talk.diagnose(evidence))

    def say(self, messages: Sequence[Message]) -> str:
        """Have the model say something in its own form. Raises BrainUnavailable, BrainRefused, AnswerInvalid."""
        return within(self._budget, lambda: self._say(messages, shaped=False).text)

    def _say(self, messages: Sequence[Message], shaped: bool = True) -> Words:
        _asked(self._quick.list)  # a server that is away or stuck is left within 2 s
        talk = [{"role": message.role, "content": message.content} for message in messages]
        form = answer_schema() if shaped else None
        options = {"num_ctx": CONTEXT_TOKENS, "num_predict": MOST_TOKENS, "temperature": 0, "seed": SEED}
        reply = _asked(
            lambda: self._client.chat(model=self.model, messages=talk, format=form, options=options, stream=False),
            missing=f"the model is not there; fetch it with: ollama pull {self.model}",
        )
        return Words(reply.message.content or "", _tokens(reply))


def _tokens(reply: "ollama.ChatResponse") -> Tokens | None:
    read, written = reply.prompt_eval_count, reply.eval_count
    return Tokens(prompt=read or 0, completion=written) if written is not None else None


def _asked(call: Callable[[], Any], missing: str = "no Ollama answers at this address") -> Any:
    """Call the SDK and translate how it fails; `missing` is what a 404 means."""
    import ollama  # noqa: PLC0415 - loaded by then

    try:
        return call()
    except ollama.ResponseError as error:
        raise _translated(error, missing) from None
    except httpx.TimeoutException:
        raise BrainUnavailable("no answer in time") from None
    except (ConnectionError, httpx.HTTPError) as error:
        raise BrainUnavailable(f"not reachable ({type(error).__name__})") from None
    except _NONSENSE:
        raise AnswerInvalid("the server's reply is not Ollama's.") from None


def _translated(error: "ollama.ResponseError", missing: str) -> BrainError:
    said = mask(clean_line(str(error.error)))[:_SHORT]
    if error.status_code == 404:  # noqa: PLR2004
        return BrainRefused(missing)
    if error.status_code >= 500 or error.status_code in {408, 429}:  # noqa: PLR2004
        return BrainUnavailable(f"answered {error.status_code} ({said})")
    return BrainRefused(f"answered {error.status_code} ({said})")
