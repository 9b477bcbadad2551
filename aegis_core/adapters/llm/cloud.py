"""The cloud rung: any endpoint that speaks OpenAI's chat completions."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import httpx2
from pydantic import BaseModel, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_before_delay,
    wait_exponential_jitter,
)

from aegis_core.domain.diagnosis import Diagnosis, Source, Tokens
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import mask
from aegis_core.errors import AnswerInvalid, BrainRefused, BrainUnavailable

from .answer import answer_schema
from .deadline import within
from .prompt import EVIDENCE_CHARACTERS, Message
from .talk import Talk, Words
from .wire import Guard

if TYPE_CHECKING:
    import openai

CONNECT_SECONDS: Final = 5.0
MOST_TOKENS: Final = 1_024  # an answer has about 200
LEAST_SECONDS: Final = 0.5  # with less of the budget left no call is begun
_TRANSIENT: Final = frozenset({408, 425, 429})  # and every 5xx
MOST_CALLS: Final = 4  # of one question
MOST_CALLS_UNHEARD: Final = 2  # where nobody listens; the next rung can answer meanwhile
_SHORT: Final = 160  # characters of a server's own words that are repeated
_BACKOFF: Final = wait_exponential_jitter(multiplier=0.5, max=8.0, jitter=0.5)
_FORMAT: Final = {
    "type": "json_schema",
    "json_schema": {"name": "diagnosis", "strict": True, "schema": answer_schema()},
}
# What some endpoints do not take, and how they call it when they complain.
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "response_format": ("response_format", "json_schema", "schema", "structured"),
    "temperature": ("temperature",),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
}


class Busy(BrainUnavailable):
    """The model's server asks to be left alone for a while."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(BrainUnavailable):
    """Nothing answers at the address of the model's server."""


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Reply(BaseModel):
    choices: list[_Choice]
    usage: Any = None  # read for itself: an answer is not thrown away for a count


class CloudRung:
    """Diagnoses by a model behind an OpenAI-compatible `base_url` (with its `/v1`).

    `timeout` bounds one call and `budget` the whole diagnosis with its retries and its repair round, both in seconds.
    Nothing is read from the environment, also no proxy; redirects are not followed, so the key goes nowhere else.
    """

    source: Final = Source.CLOUD

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        timeout: float = 20.0,
        budget: float = 30.0,
        most_characters: int = EVIDENCE_CHARACTERS,
        proxy: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        import openai  # noqa: PLC0415 - 13 MB that an agent without this rung need not carry

        self._sdk = openai
        self.model = model
        self._timeout = timeout
        self._budget = budget
        self._most_characters = most_characters
        self._monotonic = monotonic
        self._secrets = frozenset({api_key} - {""})
        self._refused: frozenset[str] = frozenset()  # options that this endpoint did not take
        inner = httpx2.HTTPTransport(trust_env=False, proxy=proxy, limits=httpx2.Limits(max_connections=200))
        guard = Guard(inner, timeout, monotonic, authorization=f"Bearer {api_key}" if api_key else "")
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,  # retries are ours: theirs know no budget
            http_client=httpx2.Client(transport=guard, trust_env=False, follow_redirects=False),
        )

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Ask the model. Raises BrainUnavailable, BrainRefused, AnswerInvalid, within the budget."""
        until = self._monotonic() + self._budget

        def say(messages: Sequence[Message]) -> Words:
            return self._with_retries(messages, until)

        talk = Talk(say, self.source, self.model, self._monotonic, self._most_characters, self._secrets)
        return within(self._budget, lambda: talk.diagnose(evidence))

    def say(self, messages: Sequence[Message]) -> str:
        """Have the model say something in its own form. Raises BrainUnavailable, BrainRefused, AnswerInvalid."""
        until = self._monotonic() + self._budget
        return within(self._budget, lambda: self._with_retries(messages, until, shaped=False).text)

    def _with_retries(self, messages: Sequence[Message], until: float, shaped: bool = True) -> Words:
        too_late = stop_before_delay(max(0.0, until - self._monotonic() - LEAST_SECONDS))
        retrying = Retrying(
            retry=retry_if_exception_type(BrainUnavailable),
            wait=_pause,
            stop=lambda state: _enough(state) or too_late(state),
            reraise=True,
        )
        return retrying(self._call, messages, until, shaped)

    def _call(self, messages: Sequence[Message], until: float, shaped: bool) -> Words:
        """Call once; an option that the endpoint does not take is left out from then on, and the call made again."""
        for _ in range(len(_OPTIONS) + 1):
            left = min(self._timeout, until - self._monotonic())
            if left < LEAST_SECONDS:
                raise BrainUnavailable(f"no answer within {self._budget:g} s")
            try:
                return self._once(messages, left, shaped)
            except self._sdk.APIStatusError as error:
                refused = _refused_option(error, self._refused)
                if refused is None:
                    raise self._translated(error) from None
                self._refused |= {refused}
        raise BrainRefused("the server takes none of the ways in which it was asked")

    def _once(self, messages: Sequence[Message], seconds: float, shaped: bool) -> Words:
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        talk: Any = [{"role": message.role, "content": message.content} for message in messages]
        try:
            raw = self._client.chat.completions.with_raw_response.create(
                model=self.model, messages=talk, timeout=timeout, **self._options(shaped)
            )
        except self._sdk.APITimeoutError:
            raise BrainUnavailable(f"no answer within {seconds:.3g} s") from None
        except self._sdk.APIConnectionError as error:
            raise Unreachable(f"not reachable ({type(error.__cause__ or error).__name__})") from None
        return _words(raw.http_response.content)

    def _options(self, shaped: bool) -> dict[str, Any]:
        options: dict[str, Any] = {"response_format": _FORMAT, "temperature": 0, "max_tokens": MOST_TOKENS}
        unwanted = self._refused if shaped else self._refused | {"response_format"}
        return {name: value for name, value in options.items() if name not in unwanted}

    def _translated(self, error: "openai.APIStatusError") -> BrainUnavailable | BrainRefused:
        code = error.status_code
        said = mask(clean_line(error.message), self._secrets)[:_SHORT]
        if code == 429 and "insufficient_quota" in (error.code, error.type):  # noqa: PLR2004
            return BrainRefused(f"the account has no quota left ({said})")
        if code in _TRANSIENT or code >= 500:  # noqa: PLR2004
            return Busy(f"answered {code} ({said})", _retry_after(error.response.headers.get("retry-after")))
        if 300 <= code < 400:  # noqa: PLR2004
            return BrainRefused(f"redirects ({code}); the base URL must be the final one")
        return BrainRefused(f"answered {code} ({said})")


def _enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (MOST_CALLS_UNHEARD if isinstance(error, Unreachable) else MOST_CALLS)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Busy) else 0.0
    return max(asked, _BACKOFF(state))


def _retry_after(value: str | None) -> float:
    """Read the seconds of a Retry-After header; a date or nonsense counts as none."""
    try:
        seconds = float(value or 0)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _refused_option(error: "openai.APIStatusError", refused: frozenset[str]) -> str | None:
    """Name the option that a 400 or 422 complains about, if it is one that can be left out."""
    if error.status_code not in {400, 422}:
        return None
    complaint = f"{error.param} {error.message} {error.body}"[:4_000].lower()
    names = (name for name, words in _OPTIONS.items() if any(word in complaint for word in words))
    return next((name for name in names if name not in refused), None)


def _words(body: bytes) -> Words:
    """Take the model's words out of a reply. Raises AnswerInvalid."""
    try:
        reply = _Reply.model_validate_json(body)
    except ValidationError:
        raise AnswerInvalid("the server's reply is no chat completion.") from None
    if not reply.choices:
        raise AnswerInvalid("the server's reply holds no answer.")
    message = reply.choices[0].message
    if message.refusal and not message.content:
        raise AnswerInvalid("the model refused to answer.")
    return Words(message.content or "", _tokens(reply.usage))


def _tokens(usage: object) -> Tokens | None:
    try:
        counted = _Usage.model_validate(usage)
    except ValidationError:
        return None
    return Tokens(prompt=counted.prompt_tokens, completion=counted.completion_tokens)
