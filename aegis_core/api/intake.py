"""The entrance for signals: a bounded read of the body, and the webhooks of every family."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from aegis_core.adapters.intake import uptime_kuma
from aegis_core.adapters.intake.families import FAMILIES, NOTICES, Family, detect, named
from aegis_core.adapters.intake.gate import Gate
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import Report, Signal
from aegis_core.ports import Clock

from . import native, views

BODY_LIMIT: Final = 1_048_576  # bytes
BODY_SECONDS: Final = 10.0

log = structlog.get_logger("intake")


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


Body = Annotated[bytes, Depends(body_of)]


@dataclass(frozen=True)
class Entrance:
    """Takes in what is posted; nothing is answered before it is on disk."""

    submit: Callable[[Signal], tuple[Incident, bool]]
    report: Callable[[Sequence[Report]], Sequence[Incident]]
    gate: Gate
    clock: Clock

    def open(self, app: FastAPI) -> None:
        """Add the routes. Uptime Kuma can also use GET, and Grafana PUT."""

        def webhook(request: Request, body: Body) -> JSONResponse:
            """Report a symptom: natively, or by the webhook of any known family, which is found out."""
            family = detect(_headers(request), body)
            return self._take(family, request, body) if family else self._take_native(request, body)

        def by_hand(request: Request, body: Body) -> JSONResponse:
            """Report a symptom natively."""
            return self._take_native(request, body)

        def of_family(family: str, request: Request, body: Body) -> JSONResponse:
            """Report by the webhook of this family."""
            if family == native.NAME:
                return self._take_native(request, body)
            return self._take(_known(family), request, body)

        def in_query(request: Request) -> JSONResponse:
            """Report a heartbeat of Uptime Kuma in the query."""
            return self._take(uptime_kuma, request, b"")

        app.post("/webhook", status_code=202, summary="Report a symptom")(webhook)
        app.post("/incidents", status_code=202, summary="Report a symptom by hand")(by_hand)
        app.post("/webhook/{family}", status_code=202, summary="Report by the webhook of a family")(of_family)
        app.put("/webhook/{family}", status_code=202, include_in_schema=False)(of_family)
        app.get(f"/webhook/{uptime_kuma.NAME}", status_code=202, include_in_schema=False)(in_query)

    def _take_native(self, request: Request, body: bytes) -> JSONResponse:
        """Answer with the incident of the signal: 202 where it is new, 200 where the signal joined it."""
        now = self.clock()
        with self.gate.admitted(native.NAME, _headers(request), body, now):
            incident, created = self.submit(native.signal(body, now))
        return JSONResponse(views.accepted(incident), status_code=202 if created else 200)

    def _take(self, family: Family, request: Request, body: bytes) -> JSONResponse:
        """Answer with the incidents of the reports, and with what a person is to be told."""
        headers = _headers(request)
        with self.gate.admitted(family.NAME, headers, body, self.clock()) as fresh:
            reports = family.parse(headers, body, request.query_params) if fresh else ()
            incidents = self.report(reports) if reports else ()
        answer: dict[str, Any] = {"accepted": len(reports), "incidents": [views.taken(one) for one in incidents]}
        notice = "" if reports or family.NAME not in NOTICES else NOTICES[family.NAME](body)
        if notice:
            log.warning("a person is asked for", family=family.NAME, notice=notice)
        return JSONResponse(answer | ({"notice": notice} if notice else {}), status_code=202)


def _headers(request: Request) -> Mapping[str, str]:
    return dict(request.headers)  # Starlette gives their names in lower case


def _known(name: str) -> Family:
    family = named(name)
    if family is None:
        known = ", ".join([native.NAME, *(one.NAME for one in FAMILIES)])
        raise HTTPException(404, f"No such family of webhooks; there are {known}.")
    return family
