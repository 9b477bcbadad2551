"""The core over HTTP: one small request per need, and one answer shared by everybody who asks at the same time.

The dashboard redraws every two seconds for every viewer. So answers are kept for a moment, requests are made one
at a time, and a core that is away is left alone for `PAUSE_SECONDS` before it is tried again.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError

from aegis_dashboard.brain_wire import Evaluation
from aegis_dashboard.learning_wire import ReliabilityReport, TrustReport
from aegis_dashboard.people_wire import Standing
from aegis_dashboard.wire import (
    Brief,
    Detail,
    Event,
    ImpactReport,
    IncidentPage,
    Readiness,
    Runbook,
    Target,
)

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 4.0
FRESH_SECONDS: Final = 1.5  # below the refresh interval, so that a viewer alone always sees something new
PAUSE_SECONDS: Final = 2.0
MOST_KEPT: Final = 500
OK, NOT_FOUND, UNAVAILABLE = 200, 404, 503

Wire = TypeVar("Wire", bound=BaseModel)
_TARGETS = TypeAdapter(tuple[Target, ...])
_EVENTS = TypeAdapter(tuple[Event, ...])
_STANDINGS = TypeAdapter(tuple[Standing, ...])
_EVALUATIONS = TypeAdapter(tuple[Evaluation, ...])


class CoreAway(Exception):  # noqa: N818 - says what happened, and is shown as it is
    """The core gives no usable answer: which URL was tried, and why it failed."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason


class UnknownIncident(Exception):  # noqa: N818
    """There is no incident of this id."""


@dataclass(frozen=True)
class IncidentQuery:
    """The filters of GET /incidents; what is None or empty does not filter."""

    status: str | None = None
    target: str | None = None
    fault: str | None = None
    search: str | None = None
    open: bool | None = None
    limit: int = 25
    offset: int = 0

    def params(self) -> dict[str, str]:
        named = {"status": self.status, "target": self.target, "fault": self.fault, "search": self.search}
        params = {name: value for name, value in named.items() if value}
        if self.open is not None:
            params["open"] = "true" if self.open else "false"
        return {**params, "limit": str(self.limit), "offset": str(self.offset)}


class Feed(Protocol):
    """Where the pages get what they show: the core, or the samples while it is away.

    All methods raise CoreAway; those that take an incident's id raise UnknownIncident.
    """

    def readiness(self) -> Readiness: ...
    def targets(self) -> tuple[Target, ...]: ...
    def incidents(self, query: IncidentQuery) -> IncidentPage: ...
    def incident(self, incident_id: str) -> Detail: ...
    def events(self, incident: Brief) -> tuple[Event, ...]: ...
    def runbook(self, search: str) -> Runbook: ...
    def impact(self) -> ImpactReport: ...
    def standings(self) -> tuple[Standing, ...]: ...
    def evaluations(self) -> tuple[Evaluation, ...]: ...
    def trust(self) -> TrustReport: ...
    def reliability(self) -> ReliabilityReport: ...


@dataclass(frozen=True)
class _Kept:
    status: int
    body: Any
    at: float


class CoreClient:
    """Feed over HTTP. May be used from several threads."""

    def __init__(
        self,
        url: str,
        session: requests.Session | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self._session = session or direct_session()
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._away: tuple[float, CoreAway] | None = None

    def readiness(self) -> Readiness:
        kept = self._ask("/ready", accepted=(OK, UNAVAILABLE))
        return self._read(Readiness, "/ready", kept.body)

    def targets(self) -> tuple[Target, ...]:
        return self._read_items(_TARGETS, "/targets", self._ask("/targets").body)

    def incidents(self, query: IncidentQuery) -> IncidentPage:
        return self._read(IncidentPage, "/incidents", self._ask("/incidents", query.params()).body)

    def incident(self, incident_id: str) -> Detail:
        path = incident_path(incident_id)
        body = self._ask(path).body
        return self._read(Detail, path, {**body, "raw": body} if isinstance(body, dict) else body)

    def events(self, incident: Brief) -> tuple[Event, ...]:
        """The events in order; asked for again only when the incident has changed."""
        path = f"{incident_path(incident.incident_id)}/events"
        body = self._ask(path, unchanged_since=incident.updated_at.isoformat()).body
        return self._read_items(_EVENTS, path, body)

    def standings(self) -> tuple[Standing, ...]:
        """What is left alone until when; nothing where the core knows of no such thing."""
        kept = self._ask("/standings", accepted=(OK, NOT_FOUND))
        return self._read_items(_STANDINGS, "/standings", kept.body) if kept.status == OK else ()

    def forget(self) -> None:
        """Ask for everything anew: somebody has just changed something."""
        with self._lock:
            self._kept.clear()

    def runbook(self, search: str) -> Runbook:
        body = self._ask("/runbook", {"search": search} if search else {}).body
        return self._read(Runbook, "/runbook", {**body, "raw": body} if isinstance(body, dict) else body)

    def impact(self) -> ImpactReport:
        return self._read(ImpactReport, "/impact", self._ask("/impact").body)

    def evaluations(self) -> tuple[Evaluation, ...]:
        """The newest first; none from a core that does not know of them."""
        kept = self._ask("/evaluations", accepted=(OK, NOT_FOUND))
        return self._read_items(_EVALUATIONS, "/evaluations", kept.body) if kept.status == OK else ()

    def trust(self) -> TrustReport:
        """How far each action is trusted; nothing from a core that does not tell."""
        kept = self._ask("/trust", accepted=(OK, NOT_FOUND))
        return self._read(TrustReport, "/trust", kept.body) if kept.status == OK else TrustReport()

    def reliability(self) -> ReliabilityReport:
        """How sure each source was, and how often it helped; nothing from a core that does not tell."""
        kept = self._ask("/reliability", accepted=(OK, NOT_FOUND))
        return self._read(ReliabilityReport, "/reliability", kept.body) if kept.status == OK else ReliabilityReport()

    def _ask(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        accepted: tuple[int, ...] = (OK,),
        unchanged_since: str = "",
    ) -> _Kept:
        key = f"{path}?{sorted((params or {}).items())}#{unchanged_since}"
        with self._lock:
            kept = self._kept.get(key)
            if kept and (unchanged_since or self._clock() - kept.at < FRESH_SECONDS):
                return kept
            if self._away and self._clock() - self._away[0] < PAUSE_SECONDS:
                raise self._away[1]
            return self._fetch(key, path, params or {}, accepted)

    def _fetch(self, key: str, path: str, params: Mapping[str, str], accepted: tuple[int, ...]) -> _Kept:
        """Make the request; the lock is held, so that the core meets one request at a time."""
        try:
            answer = self._session.get(
                self.url + path, params=params, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False
            )
            if answer.status_code == NOT_FOUND and path.startswith("/incidents/"):
                raise UnknownIncident(path.split("/")[2])
            if answer.status_code not in accepted:
                raise CoreAway(self.url, f"{path} answered with HTTP {answer.status_code}")
            body = answer.json()
        except requests.RequestException as error:
            away = CoreAway(self.url, told(error))
            self._away = (self._clock(), away)
            raise away from error
        self._away = None
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = _Kept(answer.status_code, body, self._clock())
        return self._kept[key]

    def _read(self, model: type[Wire], path: str, body: object) -> Wire:
        try:
            return model.model_validate(body)
        except ValidationError as error:
            raise self._unreadable(path, error) from error

    def _read_items(self, adapter: TypeAdapter[tuple[Any, ...]], path: str, body: object) -> tuple[Any, ...]:
        try:
            return adapter.validate_python(body.get("items") if isinstance(body, dict) else body)
        except ValidationError as error:
            raise self._unreadable(path, error) from error

    def _unreadable(self, path: str, error: ValidationError) -> CoreAway:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        return CoreAway(self.url, f"{path} answered something unexpected ({place}: {first['msg']})")


def told(error: requests.RequestException) -> str:
    """Say in plain words what went wrong with a request."""
    match error:
        case requests.ConnectTimeout():
            return "nothing answered within a second"
        case requests.ReadTimeout():
            return f"connected, but no answer within {READ_SECONDS:g} seconds"
        case requests.JSONDecodeError():
            return "something else answers there: the answer is not JSON"
        case requests.ConnectionError() if "NameResolution" in repr(error):
            return "the host name is not known"
        case requests.ConnectionError():
            return "the connection was refused or broken off"
        case _:
            return f"the request failed ({type(error).__name__})"


def incident_path(incident_id: str) -> str:
    return f"/incidents/{quote(incident_id, safe='')}"


def direct_session() -> requests.Session:
    """A session that goes straight to the core, whatever proxy the machine uses for the web."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept"] = "application/json"
    return session
