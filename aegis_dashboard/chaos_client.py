"""The target app over HTTP: which faults it has, how it is, and the buttons that cause and end them."""

from typing import Any, Final, TypeVar
from urllib.parse import quote

import requests
from pydantic import TypeAdapter, ValidationError

from aegis_dashboard.chaos_wire import AppStatus, Fault
from aegis_dashboard.core_client import told

TIMEOUT_SECONDS: Final = (1.0, 5.0)  # connect, read: an app with a fault may be slow
_FAULTS = TypeAdapter(tuple[Fault, ...])
_STATUS = TypeAdapter(AppStatus)
Answer = TypeVar("Answer")


class AppAway(Exception):  # noqa: N818 - says what happened, and is shown as it is
    """The target app gives no usable answer; the message says why."""


class ChaosClient:
    """Asks the target app. All methods raise AppAway."""

    def __init__(self, url: str, session: requests.Session | None = None) -> None:
        self.url = url
        self._session = session or requests.Session()
        self._session.trust_env = False

    def faults(self) -> tuple[Fault, ...]:
        body = self._get("/faults")
        return self._read(_FAULTS, body.get("faults") if isinstance(body, dict) else body)

    def status(self) -> AppStatus:
        return self._read(_STATUS, self._get("/status"))

    def trigger(self, name: str) -> str:
        """Cause a fault; returns what the app says is to be expected."""
        body = self._get(f"/trigger_{quote(name, safe='')}")
        answer = body if isinstance(body, dict) else {}
        return str(answer.get("expect") or answer.get("status") or "The app has accepted it.")

    def reset(self) -> tuple[str, ...]:
        """End all faults; returns the names of those that were on."""
        body = self._get("/reset")
        ended = body.get("ended") if isinstance(body, dict) else None
        return tuple(str(name) for name in ended or ())

    def _get(self, path: str) -> Any:
        try:
            answer = self._session.get(self.url + path, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            body = answer.json()
        except requests.RequestException as error:
            raise AppAway(told(error)) from error
        if not answer.ok:
            said = body.get("error") if isinstance(body, dict) else None
            raise AppAway(f"{path} answered with HTTP {answer.status_code}" + (f": {said}" if said else ""))
        return body

    def _read(self, adapter: TypeAdapter[Answer], body: object) -> Answer:
        try:
            return adapter.validate_python(body)
        except ValidationError as error:
            raise AppAway("it answered something that this dashboard does not understand") from error
