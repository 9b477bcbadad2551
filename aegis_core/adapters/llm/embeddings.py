"""Turns texts into vectors by a model of the configured provider: OpenAI's `/embeddings`, or Ollama's `/api/embed`."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx
import httpx2
from pydantic import BaseModel, ValidationError

from aegis_core.breaker import CircuitBreaker
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask
from aegis_core.errors import AnswerInvalid, BrainError, BrainRefused, BrainUnavailable

from .deadline import within
from .wire import Guard

SECONDS: Final = 3.0  # lessons can be found without vectors: nobody waits long for them
MOST_BYTES: Final = 4 * 2**20  # 16 vectors of 3,072 numbers are 1 MiB
MOST_NUMBERS: Final = 8_192  # of one vector
_SHORT: Final = 160
# What the SDK lets through when the server answers with something else than Ollama's JSON.
_NONSENSE: Final = (ValueError, TypeError, AttributeError, RecursionError)

Vector = Sequence[float]
Ask = Callable[[Sequence[str]], Sequence[Vector]]


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_Embedding]


class CloudEmbedder:
    """Embeds by an OpenAI-compatible endpoint (`base_url` with its `/v1`)."""

    def __init__(
        self, *, base_url: str, api_key: str, model: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        import openai  # noqa: PLC0415 - 13 MB that an agent without vectors need not carry

        self._sdk = openai
        self.model = model
        self._secrets = frozenset({api_key} - {""})
        self._breaker = CircuitBreaker(monotonic)
        inner = httpx2.HTTPTransport(trust_env=False)
        guard = Guard(inner, SECONDS, monotonic, f"Bearer {api_key}" if api_key else "", MOST_BYTES)
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,
            timeout=SECONDS,
            http_client=httpx2.Client(transport=guard, trust_env=False, follow_redirects=False),
        )

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Return a vector for each text, all of one length. Raises BrainError within `SECONDS`."""
        return _guarded(self._ask, texts, self._breaker)

    def _ask(self, texts: Sequence[str]) -> Sequence[Vector]:
        try:
            raw = self._client.embeddings.with_raw_response.create(
                model=self.model, input=list(texts), encoding_format="float"
            )
        except self._sdk.APIStatusError as error:
            said = mask(clean_line(error.message), self._secrets)[:_SHORT]
            raise BrainRefused(f"no vectors: answered {error.status_code} ({said})") from None
        except self._sdk.APIConnectionError as error:
            raise BrainUnavailable(f"no vectors: not reachable ({type(error.__cause__ or error).__name__})") from None
        try:
            reply = _Reply.model_validate_json(raw.http_response.content)
        except ValidationError:
            raise AnswerInvalid("no vectors: the server's reply holds none.") from None
        return [one.embedding for one in sorted(reply.data, key=lambda one: one.index)]


class OllamaEmbedder:
    """Embeds by a model of an Ollama server."""

    def __init__(self, *, base_url: str, model: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        import ollama  # noqa: PLC0415 - memory that an agent without vectors need not carry

        self._sdk = ollama
        self.model = model
        self._breaker = CircuitBreaker(monotonic)
        guard = Guard(httpx.HTTPTransport(trust_env=False), SECONDS, monotonic, most_bytes=MOST_BYTES)
        self._client = ollama.Client(
            host=base_url, timeout=SECONDS, transport=guard, trust_env=False, follow_redirects=False
        )

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Return a vector for each text, all of one length. Raises BrainError within `SECONDS`."""
        return _guarded(self._ask, texts, self._breaker)

    def _ask(self, texts: Sequence[str]) -> Sequence[Vector]:
        try:
            reply: Any = self._client.embed(model=self.model, input=list(texts))
            return [list(map(float, one)) for one in reply.embeddings]
        except self._sdk.ResponseError as error:
            said = mask(clean_line(str(error.error)))[:_SHORT]
            raise BrainRefused(f"no vectors: answered {error.status_code} ({said})") from None
        except (ConnectionError, httpx.HTTPError) as error:
            raise BrainUnavailable(f"no vectors: not reachable ({type(error).__name__})") from None
        except _NONSENSE:
            raise AnswerInvalid("no vectors: the server's reply is not Ollama's.") from None


def _guarded(ask: Ask, texts: Sequence[str], breaker: CircuitBreaker) -> Sequence[Vector]:
    """Ask within the time; who fails again and again is left alone for a while."""
    if not breaker.admits():
        raise BrainUnavailable("no vectors: left alone for a while after it failed again and again")
    try:
        vectors = _checked(within(SECONDS, lambda: ask(texts)), len(texts))
    except BrainError:
        breaker.failure()
        raise
    breaker.success()
    return vectors


def _checked(vectors: Sequence[Vector], wanted: int) -> Sequence[Vector]:
    sizes = {len(one) for one in vectors}
    if len(vectors) != wanted or len(sizes) != 1 or not 0 < max(sizes) <= MOST_NUMBERS:
        raise AnswerInvalid("no vectors: there is not one of the same length for each text.")
    if not all(math.isfinite(number) and abs(number) < 1e30 for one in vectors for number in one):  # noqa: PLR2004
        raise AnswerInvalid("no vectors: not all of it is numbers.")
    return vectors
