"""The HTTP clients of the commands: one for a running agent, one for the target app."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import requests
from pydantic import TypeAdapter, ValidationError

from aegis_core.domain.lesson import Lesson
from aegis_core.settings import Settings, load

from .failures import CoreAway, CoreRefused, TargetAppAway
from .wire import Brief, Detail, Happening, Readiness, Seen
from .words import short

TIMEOUT: Final = (3.0, 10.0)  # seconds to connect, and to the next piece of the answer
MOST: Final = 500  # incidents on one page of the API

Answer = TypeVar("Answer")


def local_host(host: str) -> str:
    """The address under which a server that listens on `host` is reached from this machine, as part of a URL."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "[::1]" if address.version == 6 else "127.0.0.1"  # noqa: PLR2004
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004


def core_url(settings: Settings) -> str:
    """Where the agent of these settings listens."""
    return f"http://{local_host(settings.host)}:{settings.port}"


def core_at(url: str | None) -> "CoreClient":
    """The client for the agent at `url`, or for the one of the settings. Raises ConfigError."""
    settings = load()
    token = settings.token.get_secret_value() if settings.token else None
    return CoreClient(url or core_url(settings), token)


class _Http:
    """A session that goes straight to where it is sent: no proxy, no .netrc, no redirect."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Return status and JSON. Raises requests.RequestException, also for what is not JSON."""
        answer = self._session.get(self.url + path, params=query, timeout=TIMEOUT, allow_redirects=False)
        return answer.status_code, answer.json()

    def _post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Return status and JSON. Raises requests.RequestException, also for what is not JSON."""
        answer = self._session.post(self.url + path, json=body, timeout=TIMEOUT, allow_redirects=False)
        return answer.status_code, answer.json()


class CoreClient(_Http):
    """Asks a running agent. Every method raises CoreAway, and CoreRefused with the agent's own reason."""

    def __init__(self, url: str, token: str | None = None) -> None:
        super().__init__(url)
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return what the API answers, as it is."""
        return self._taken(path, *self._ask(lambda: self._get(path, query)))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send an object, and return what the API answers."""
        return self._taken(path, *self._ask(lambda: self._post(path, body)))

    def _taken(self, path: str, status: int, body: Any) -> dict[str, Any]:
        if status not in (requests.codes.ok, requests.codes.created):
            raise CoreRefused(_reason(body) or f"{self.url}{path} answered with HTTP {status}.")
        return self.read(dict[str, Any], body)

    def read(self, shape: type[Answer], body: object) -> Answer:
        """Take an answer, or a part of it, as what it should be."""
        try:
            return TypeAdapter(shape).validate_python(body)
        except ValidationError as error:
            raise CoreAway(f"What answers at {self.url} is not an Aegis of this version.") from error

    def ready(self) -> Readiness:
        """Return whether all is well; a 503 is an answer as well."""
        status, body = self._ask(lambda: self._get("/ready"))
        if status not in (requests.codes.ok, requests.codes.service_unavailable):
            raise CoreAway(f"What answers at {self.url} is not Aegis (HTTP {status}).")
        return self.read(Readiness, body)

    def incidents(self, **query: Any) -> Sequence[Brief]:
        """Return a page of incidents, newest first."""
        return self.read(tuple[Brief, ...], self.get("/incidents", **query).get("items"))

    def incident(self, incident_id: str) -> Detail:
        return self.read(Detail, self.get(path_of(incident_id)))

    def events(self, incident_id: str) -> Sequence[Happening]:
        return self.read(tuple[Happening, ...], self.get(f"{path_of(incident_id)}/events").get("items"))

    def targets(self) -> Sequence[Seen]:
        return self.read(tuple[Seen, ...], self.get("/targets").get("items"))

    def lessons(self, search: str = "") -> Sequence[Lesson]:
        """Return the lessons, newest first."""
        return self.read(tuple[Lesson, ...], self.get("/runbook", search=search or None).get("entries"))

    def _ask(self, call: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        try:
            return call()
        except requests.exceptions.JSONDecodeError as error:
            raise CoreAway(f"What answers at {self.url} is not Aegis.") from error
        except requests.RequestException as error:
            raise CoreAway(
                f"No Aegis answers at {self.url} ({why(error)}). Start it with `aegis serve`, or say where it is with"
                " --url or AEGIS_HOST and AEGIS_PORT."
            ) from error


class TargetApp(_Http):
    """Asks the target app. Every method raises TargetAppAway."""

    def faults(self) -> Sequence[Mapping[str, Any]]:
        """Return the faults that it has, each with `name`, `description`, `expect` and `active`."""
        status, body = self._ask("/faults")
        if status != requests.codes.ok or not isinstance(body, list):
            raise TargetAppAway(f"What answers at {self.url} is not the target app.")
        return [fault for fault in body if isinstance(fault, dict)]

    def trigger(self, fault: str) -> Mapping[str, Any]:
        """Cause a fault; returns `fault`, `status` and `expect`."""
        status, body = self._ask(f"/trigger_{quote(fault, safe='')}")
        if status != requests.codes.ok or not isinstance(body, dict):
            said = body.get("error") if isinstance(body, dict) else None
            raise TargetAppAway(f"The target app answered with HTTP {status}" + (f": {short(said)}" if said else "."))
        return body

    def _ask(self, path: str) -> tuple[int, Any]:
        try:
            return self._get(path)
        except requests.exceptions.JSONDecodeError as error:
            raise TargetAppAway(f"What answers at {self.url} is not the target app.") from error
        except requests.RequestException as error:
            raise TargetAppAway(
                f"The target app does not answer at {self.url} ({why(error)}). Start it with `aegis demo`, or say"
                " where it is with --url."
            ) from error


def path_of(incident_id: str) -> str:
    """The path of an incident in the API."""
    return f"/incidents/{quote(incident_id, safe='')}"


def why(error: requests.RequestException) -> str:
    """Say in a few words why there was no answer; the library's own text names objects and addresses."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate is not trusted"
    if isinstance(error, requests.ConnectionError):
        text = str(error)
        if "refused" in text:
            return "nothing listens there"
        return "the name is not known" if "resolve" in text else "no connection"
    if isinstance(error, ValueError):  # InvalidURL, MissingSchema, InvalidSchema
        return "that is no URL of a web server"
    return type(error).__name__


def _reason(body: object) -> str:
    """The sentence of a problem+json."""
    return short(str(body.get("detail") or ""), 400) if isinstance(body, dict) else ""
