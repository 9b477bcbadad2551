"""The three services of the demo: where they are, whether their ports are free, and whether they answer."""

import errno
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import requests

from aegis_core.errors import AegisError, ConfigError
from aegis_core.settings import Settings

from .client import CoreClient, TargetApp, core_at, core_url
from .failures import NotStarted

START_SECONDS: Final = 120.0
PAUSE: Final = 0.2
PROBE_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Service:
    """One of the three. `setting` changes its port."""

    name: str
    url: str
    host: str
    port: int
    setting: str
    answers: Callable[[], bool]


@dataclass(frozen=True)
class Services:
    """All three, in the order in which they come up."""

    agent: Service
    target_app: Service
    dashboard: Service

    def all(self) -> tuple[Service, ...]:
        return (self.agent, self.target_app, self.dashboard)

    def core(self) -> CoreClient:
        return core_at(self.agent.url)

    def app(self) -> TargetApp:
        return TargetApp(self.target_app.url)


def services_of(settings: Settings) -> Services:
    """Where the services of the demo are by these settings."""
    core, app, dashboard = core_url(settings), _here(settings.target_app_port), _here(settings.dashboard_port)
    client = core_at(core)
    return Services(
        Service("agent", core, settings.host, settings.port, "AEGIS_PORT", lambda: client.ready().ready),
        Service(
            "target app", app, "127.0.0.1", settings.target_app_port, "TARGET_APP_PORT", lambda: _ok(f"{app}/health")
        ),
        Service(
            "dashboard",
            dashboard,
            "127.0.0.1",
            settings.dashboard_port,
            "DASHBOARD_PORT",
            lambda: _ok(f"{dashboard}/_stcore/health"),
        ),
    )


def _here(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _ok(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=PROBE_SECONDS, allow_redirects=False)
        return answer.status_code == HTTPStatus.OK


def require_free(services: Services) -> None:
    """Raise ConfigError that names the first port that is taken, and the setting that changes it.

    All are taken at once, so that two services with the same port are noticed too.
    """
    with ExitStack() as taken:
        for service in services.all():
            taken.enter_context(take_port(service.host, service.port, service.setting, f" for the {service.name}"))


def take_port(host: str, port: int, setting: str, purpose: str = "") -> socket.socket:
    """Listen on a port. Raises ConfigError that names the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port}{purpose} is taken. Stop what listens there, or set {setting} to another one."
        else:
            reason = f"Cannot listen on {host}, port {port}{purpose} ({error.strerror}). {setting} changes the port."
        raise ConfigError(reason) from error


def wait_for(service: Service, check: Callable[[], None], deadline: float) -> None:
    """Wait until a service answers. Raises NotStarted at the deadline (monotonic), and whatever `check` raises."""
    while True:
        check()
        try:
            if service.answers():
                return
        except (AegisError, requests.RequestException):
            pass  # not yet
        if time.monotonic() > deadline:
            raise NotStarted(f"The {service.name} does not answer at {service.url} within {START_SECONDS:g} s.")
        time.sleep(PAUSE)
