"""The one way in which a body is read: strict JSON of bounded depth, and the types that payloads are made of."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from aegis_core.domain.logs import clean_line
from aegis_core.errors import MediaUnsupported, PayloadInvalid, PayloadUnreadable

MOST_DEEP: Final = 64  # levels; real payloads have about six
LARGEST: Final = 1e18  # beyond it nothing is a measurement; also keeps inf and big integers out
MOST_ENTRIES: Final = 64  # of a mapping that is kept: labels, annotations, metrics
TEXT_LIMIT: Final = 1_024  # characters
NAME_LIMIT: Final = 64
_MILLISECONDS_FROM: Final = 1e11  # as seconds that would be the year 5138
_READABLE: Final = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})
"""Besides JSON and text: no type, and those that common clients put on JSON when nobody names one."""


def read(body: bytes) -> Any:
    """Read one JSON document: no NaN, no number beyond a float, no key twice, at most 64 levels.

    NUL and lone surrogates are replaced, because no store takes them. Raises PayloadUnreadable with a sentence.
    """
    if not body.strip():
        raise PayloadUnreadable("The body is empty; a JSON object is expected.")
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
        return _clean(document, MOST_DEEP)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise PayloadUnreadable(f"The body is not valid JSON: {reason}") from error


def of(headers: Mapping[str, str], body: bytes) -> Any:
    """Read a document whose headers say in which format it is. Raises MediaUnsupported, PayloadUnreadable."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise MediaUnsupported(f"A body with Content-Encoding {clean_line(encoding)[:40]} is not read; send it plain.")
    kind = media_type(headers)
    if kind not in _READABLE and not kind.startswith("text/") and not is_json(kind):
        raise MediaUnsupported(f"A body of type {clean_line(kind)[:80]} is not read; send JSON.")
    return read(body)


def entries(body: bytes) -> Mapping[str, Any]:
    """The entries of an object, before anybody has checked what it is; none out of anything else."""
    try:
        content = read(body)
    except PayloadUnreadable:
        return {}
    return content if isinstance(content, dict) else {}


def media_type(headers: Mapping[str, str]) -> str:
    """The type of the body without its parameters, in lower case; empty where none is named."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(media: str) -> bool:
    return media == "application/json" or media.endswith("+json")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return keys


def _clean(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, int | float) and abs(value) > _HIGHEST:
        raise ValueError("a number is out of range")
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, list):
        return [_clean(one, levels - 1) for one in value]
    return {_storable(name): _clean(one, levels - 1) for name, one in value.items()}


_HIGHEST: Final = 1e308  # what is above cannot become a float; 1e400 has become infinity already


def _storable(text: str) -> str:
    if text.isascii():
        return text.replace("\x00", " ")
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")


class Payload(BaseModel):
    """The part of a payload that is used; everything else in it is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def shaped(model: type[Model], document: Any) -> Model:
    """Take a document for a payload. Raises PayloadInvalid, which names the fields and never repeats their values."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:5])
        raise PayloadInvalid(told) from error


def text_of(value: Any) -> str:
    """One clean line of at most 1,024 characters out of a string, number or boolean; empty out of anything else."""
    if not isinstance(value, str | int | float):
        return ""
    return clean_line(str(value)).strip()[:TEXT_LIMIT]


def labels_of(value: Any) -> dict[str, str]:
    """The first 64 entries of a mapping that say something in one line, cleaned; empty out of anything else."""
    if not isinstance(value, Mapping):
        return {}
    lines = {text_of(name)[:NAME_LIMIT]: text_of(one) for name, one in list(value.items())[:MOST_ENTRIES]}
    return {name: line for name, line in lines.items() if name and line}


def numbers_of(value: Any) -> dict[str, float]:
    """The first 64 entries of a mapping that are finite numbers below 1e18; what is no number is left out."""
    if not isinstance(value, Mapping):
        return {}
    finite = {name: float(one) for name, one in list(value.items())[:MOST_ENTRIES] if _is_measurement(one)}
    return {text_of(name)[:NAME_LIMIT]: one for name, one in finite.items()}


def _is_measurement(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def moment_of(value: Any) -> datetime | None:
    """A moment in UTC out of ISO 8601 or seconds (or milliseconds) since 1970; None out of anything else.

    A time without a zone is taken for UTC, and the year 1 is how Go writes that there is none.
    """
    try:
        if isinstance(value, str) and not value.isdecimal():
            at = datetime.fromisoformat(value)
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            seconds = float(value)
            at = datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.year > 1 else None


def numbers_in(texts: Mapping[str, str]) -> dict[str, float]:
    """Those of the texts that are numbers: annotations such as `memory_percent: "93.1"`."""
    found: dict[str, float] = {}
    for name, text in texts.items():
        try:
            number = float(text)
        except ValueError:
            continue
        if math.isfinite(number) and abs(number) < LARGEST:
            found[name] = number
    return found


def lines_of(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Texts as lines of evidence, each with its name in front."""
    return tuple(f"{name}: {text}" for name, text in texts.items() if text)


Text = Annotated[str, BeforeValidator(text_of)]
Name = Annotated[str, BeforeValidator(text_of), Field(min_length=1)]
Labels = Annotated[Mapping[str, str], BeforeValidator(labels_of)]
Numbers = Annotated[Mapping[str, float], BeforeValidator(numbers_of)]
Moment = Annotated[datetime | None, BeforeValidator(moment_of)]
