"""Maintenance and quarantine over HTTP: people say that a target, or all of them, be left alone, and until when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request
from pydantic import BaseModel, Field

from aegis_core.adapters.intake import document
from aegis_core.adapters.intake.gate import Gate
from aegis_core.domain.incident import Status
from aegis_core.domain.policy import Policy, quarantined_until
from aegis_core.domain.standing import EVERYWHERE, Standing, in_maintenance, quarantined, released
from aegis_core.ports import Clock, Filter, Incidents, StandingBook

from .intake import Body
from .people import Name, Text, posted_by_person

MOST_FAILED: Final = 200  # of the newest that failed are looked at for quarantines that policy has put
MOST_MINUTES: Final = 60 * 24 * 30
Target = Annotated[str, Path(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9_.\-]{0,254})$")]


class _Said(BaseModel):
    by: Name
    reason: Text = ""


class _Pause(_Said):
    minutes: float = Field(gt=0, le=MOST_MINUTES, allow_inf_nan=False)


@dataclass(frozen=True)
class Switches:
    """Takes in what people say about targets; `*` stands for all of them."""

    book: StandingBook
    incidents: Incidents
    policy: Policy
    gate: Gate
    clock: Clock

    def open(self, app: FastAPI) -> None:
        """Add the routes."""

        @app.get("/standings")
        def standings() -> dict[str, Any]:
            """Show what is in maintenance or quarantine, until when, and who said so."""
            return {"items": self._standings()}

        @app.post("/targets/{name}/maintenance")
        def maintenance(name: Target, request: Request, body: Body) -> dict[str, Any]:
            """Say that people are at work on a target (`*`: on all) for so many minutes: nothing is done meanwhile."""
            return self._paused(name, in_maintenance, request, body)

        @app.post("/targets/{name}/maintenance/end")
        def maintenance_end(name: Target, request: Request, body: Body) -> dict[str, Any]:
            """Say that they are done."""
            said = document.shaped(_Said, posted_by_person(request, body, self.gate))
            return self._say(name, lambda now: in_maintenance(now, None, said.by, said.reason))

        @app.post("/targets/{name}/quarantine")
        def quarantine(name: Target, request: Request, body: Body) -> dict[str, Any]:
            """Put a target into quarantine for so many minutes: what it needs is left to people."""
            return self._paused(name, quarantined, request, body)

        @app.post("/targets/{name}/release")
        def release(name: Target, request: Request, body: Body) -> dict[str, Any]:
            """Release a target from quarantine; what was tried before no longer counts."""
            said = document.shaped(_Said, posted_by_person(request, body, self.gate))
            return self._say(name, lambda now: released(now, self.clock(), said.by, said.reason))

    def _paused(
        self, name: str, put: Callable[[Standing, datetime, str, str], Standing], request: Request, body: bytes
    ) -> dict[str, Any]:
        said = document.shaped(_Pause, posted_by_person(request, body, self.gate))
        until = self.clock() + timedelta(minutes=said.minutes)
        return self._say(name, lambda now: put(now, until, said.by, said.reason))

    def _say(self, name: str, change: Callable[[Standing], Standing]) -> dict[str, Any]:
        return _view(name, self.book.say(name, change, self.clock()))

    def _standings(self) -> list[dict[str, Any]]:
        """Those that people have paused, and those that policy has given up on for a while."""
        said = self.book.all()
        failed, _ = self.incidents.list(Filter(status=Status.FAILED), MOST_FAILED, 0)
        names = {*said, *(one.target for one in failed if one.attempts)}
        found = [self._in_force(name, said.get(name, Standing())) for name in sorted(names)]
        return [_view(name, one) for name, one in zip(sorted(names), found, strict=True) if _holds(one)]

    def _in_force(self, name: str, said: Standing) -> Standing:
        """What of it holds now."""
        now = self.clock()
        until = said.quarantined_until
        if name != EVERYWHERE:
            until = quarantined_until(self.incidents.history(name), said, self.policy)
        held = until if until and until > now else None
        working = said.maintenance_until if said.maintenance_until and said.maintenance_until > now else None
        return said.model_copy(update={"quarantined_until": held, "maintenance_until": working})


def _holds(one: Standing) -> bool:
    return one.quarantined_until is not None or one.maintenance_until is not None


def _view(name: str, one: Standing) -> dict[str, Any]:
    return {"target": name, **one.model_dump()}
