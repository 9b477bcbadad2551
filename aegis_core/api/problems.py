"""Errors as problem+json (RFC 9457): a title, and a sentence that helps."""

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from aegis_core.errors import IncidentUnknown, StoreError

RETRY_AFTER = "2"  # seconds; Alertmanager retries a 503, and never a 429


def install(app: FastAPI) -> None:
    """Have every error of this app answered in one form."""

    @app.exception_handler(IncidentUnknown)
    def unknown(_: Request, error: IncidentUnknown) -> JSONResponse:
        return problem(404, "No such incident", str(error))

    @app.exception_handler(StoreError)
    def away(_: Request, error: StoreError) -> JSONResponse:
        return problem(503, "The store is away", f"Nothing was accepted; send it again. ({error})", RETRY_AFTER)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "Not a valid request", told(error))

    @app.exception_handler(StarletteHTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "Request refused", str(error.detail))


def told(error: RequestValidationError) -> str:
    """Say which fields are wrong, without repeating their values."""
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:5])


def problem(status: int, title: str, detail: str, retry_after: str | None = None) -> JSONResponse:
    """Build the answer."""
    headers = {"Retry-After": retry_after} if retry_after else None
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")
