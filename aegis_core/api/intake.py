"""The entrance for signals: a bounded read, strict JSON, and the native webhook."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any, Final

from fastapi import HTTPException, Request
from pydantic import AliasChoices, BaseModel, Field, ValidationError, field_validator
from starlette.requests import ClientDisconnect

from aegis_core.domain.logs import clean_line, clean_lines
from aegis_core.domain.signal import Signal, fault_of, severity_of

BODY_LIMIT: Final = 1_048_576  # bytes
BODY_SECONDS: Final = 10.0
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}$"
MOST_METRICS: Final = 64
LARGEST: Final = 1e18  # beyond it nothing is a measurement; also keeps inf and big integers out


class NativeWebhook(BaseModel):
    """The native payload. Unknown fields are passed over; numbers in `metrics` that are not finite are left out."""

    incident_id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,119}$")
    container_name: str = Field(pattern=NAME)
    alert_type: str = Field(min_length=1, max_length=128, validation_alias=AliasChoices("alert_type", "fault"))
    severity: str = Field("warning", max_length=32)
    logs: str | list[str] = ""
    timestamp: datetime | None = None
    metrics: Mapping[str, Any] = {}

    @field_validator("metrics", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    def signal(self, now: datetime) -> Signal:
        """Translate into a signal; a time without a zone is taken for UTC."""
        at = self.timestamp or now
        return Signal(
            target=self.container_name,
            fault=fault_of(self.alert_type),
            severity=severity_of(self.severity),
            at=(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC),
            source="native",
            alert_type=clean_line(self.alert_type),
            logs=clean_lines(self.logs),
            metrics=_numbers(self.metrics),
            incident_id=self.incident_id,
        )


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    finite = {name: float(value) for name, value in list(metrics.items())[:MOST_METRICS] if _is_finite(value)}
    return {clean_line(str(name))[:64]: value for name, value in finite.items()}


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


async def body_of(request: Request) -> bytes:
    """Read a body of at most 1 MiB within 10 s, counting as it comes in: a length that is announced proves nothing."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise HTTPException(413, f"The body is over {BODY_LIMIT // 1024} KiB; send fewer log lines.")
                parts.append(chunk)
    except TimeoutError as error:
        raise HTTPException(408, f"The body did not arrive within {BODY_SECONDS:g} s.") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "The connection was closed before the body had arrived.") from error
    return b"".join(parts)


def native(body: bytes, now: datetime) -> Signal:
    """Read the native webhook. Raises HTTPException 400 or 422 with a sentence."""
    document = _document(body)
    if not isinstance(document, dict):
        raise HTTPException(400, "The body has to be a JSON object with container_name and alert_type.")
    try:
        return NativeWebhook.model_validate(document).signal(now)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:5])
        raise HTTPException(422, told) from error
    except (ValueError, OverflowError) as error:
        raise HTTPException(422, "A value in the body is out of range.") from error


def _document(body: bytes) -> Any:
    if not body.strip():
        raise HTTPException(400, "The body is empty; a JSON object is expected.")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise HTTPException(400, f"The body is not valid JSON: {reason}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return keys


def authorise(request: Request, token: str | None) -> None:
    """Compare the bearer token in constant time. Raises HTTPException 401; without a token set, everybody may post."""
    if token is None:
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not compare_digest(given.encode(), token.encode()):
        raise HTTPException(401, "A bearer token is required: send the header Authorization: Bearer <AEGIS_TOKEN>.")
