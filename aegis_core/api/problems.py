"""Errors as problem+json (RFC 9457): a title, and a sentence that helps."""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from aegis_core.errors import (
    AegisError,
    AnswerRefused,
    DeliveryRepeated,
    IncidentUnknown,
    MediaUnsupported,
    PayloadInvalid,
    PayloadUnreadable,
    RunbookError,
    SignatureInvalid,
    StoreError,
)

REFUSED: Final[Mapping[type[AegisError], int]] = {
    MediaUnsupported: 415,
    PayloadUnreadable: 400,
    PayloadInvalid: 422,
    SignatureInvalid: 401,
    DeliveryRepeated: 409,
    AnswerRefused: 409,
}
"""What is answered to a delivery, or to a person's answer, that is not taken in."""

RETRY_AFTER = "2"  # seconds; Alertmanager retries a 503, and never a 429


def install(app: FastAPI) -> None:
    """Have every error of this app answered in one form."""

    @app.exception_handler(IncidentUnknown)
    def unknown(_: Request, error: IncidentUnknown) -> JSONResponse:
        return problem(404, "No such incident", str(error))

    @app.exception_handler(StoreError)
    def away(_: Request, error: StoreError) -> JSONResponse:
        return problem(503, "The store is away", f"Nothing was accepted; send it again. ({error})", RETRY_AFTER)

    for kind, status in REFUSED.items():
        app.exception_handler(kind)(_refusing(status))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "Not a valid request", told(error))

    @app.exception_handler(RunbookError)
    def unread(_: Request, error: RunbookError) -> JSONResponse:
        return problem(503, "The runbook is away", str(error), RETRY_AFTER)

    @app.exception_handler(StarletteHTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, "Request refused", str(error.detail))
        answer.headers.update(error.headers or {})  # Allow, with a 405
        return answer


def _refusing(status: int) -> Callable[[Request, AegisError], JSONResponse]:
    return lambda _, error: problem(status, "Request refused", str(error))


def told(error: RequestValidationError) -> str:
    """Say which fields are wrong, without repeating their values."""
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:5])


def problem(status: int, title: str, detail: str, retry_after: str | None = None) -> JSONResponse:
    """Build the answer."""
    headers = {"Retry-After": retry_after} if retry_after else None
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")
