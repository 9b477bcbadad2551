"""What a person at the dashboard says to the core, and asks of it: never kept, never shared, and with the token."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import requests
from pydantic import ValidationError

from aegis_dashboard.core_client import (
    CONNECT_SECONDS,
    NOT_FOUND,
    OK,
    CoreAway,
    UnknownIncident,
    direct_session,
    incident_path,
    told,
)
from aegis_dashboard.people_wire import Postmortem

PATIENCE_SECONDS: Final = 10.0  # a person has asked for it, and waits
CREATED, UNAUTHORIZED = 201, 401


class CoreRefused(Exception):  # noqa: N818
    """The core does not take what was said: its own sentence why."""


class PeopleClient:
    """Speaks for the people at one dashboard. May be used from several threads.

    Methods that say something raise CoreAway, and CoreRefused with the core's own sentence.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._token = token

    def say_of_incident(self, incident_id: str, word: str, said: Mapping[str, Any]) -> None:
        """Say something of an incident (`approve`, `reject`, `comments`)."""
        self._say(f"{incident_path(incident_id)}/{word}", said)

    def say_of_target(self, name: str, word: str, said: Mapping[str, Any]) -> None:
        """Say something of a target, or of all (`*`): `maintenance`, `maintenance/end`, `quarantine`, `release`."""
        self._say(f"/targets/{quote(name, safe='*')}/{word}", said)

    def _say(self, path: str, said: Mapping[str, Any]) -> None:
        answer = self._ask("POST", path, json=dict(said))
        if answer.status_code not in {OK, CREATED}:
            raise CoreRefused(_detail(answer))

    def postmortem(self, incident_id: str) -> Postmortem:
        """The postmortem of an incident, for which the core may wait for a model. Raises CoreAway, UnknownIncident."""
        path = f"{incident_path(incident_id)}/postmortem"
        answer = self._ask("GET", path, params={"format": "json"})
        if answer.status_code == NOT_FOUND:
            raise UnknownIncident(incident_id)
        try:
            if answer.status_code == OK:
                return Postmortem.model_validate_json(answer.content)
        except ValidationError as error:
            raise CoreAway(self.url, f"{path} answered something unexpected") from error
        raise CoreAway(self.url, f"{path} answered with HTTP {answer.status_code}")

    def _ask(self, method: str, path: str, **what: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        limits = (CONNECT_SECONDS, PATIENCE_SECONDS)
        try:
            with direct_session() as session:
                return session.request(
                    method, self.url + path, headers=headers, timeout=limits, allow_redirects=False, **what
                )
        except requests.RequestException as error:
            raise CoreAway(self.url, told(error)) from error


def _detail(answer: requests.Response) -> str:
    """The sentence of a problem+json."""
    if answer.status_code == UNAUTHORIZED:
        return "The core wants to know its token: set AEGIS_TOKEN where the dashboard runs, and start it again."
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail)[:500] if detail else f"The core answered with HTTP {answer.status_code}."
