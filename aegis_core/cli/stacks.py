"""The two ways in which `aegis demo` runs its three services: on Docker, and as child processes."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.adapters.process.journal import Journal
from aegis_core.adapters.process.leftover import end_leftover
from aegis_core.errors import AlreadyRunning, ConfigError, RuntimeProblem
from aegis_core.settings import RuntimeChoice, Settings

from .child import Child, last_line, told_by
from .client import core_url
from .ending import Ending
from .failures import ComposeFailed
from .output import Busy
from .process_file import write_process_file
from .words import short

PROJECT: Final = Path(__file__).resolve().parents[2]
COMPOSE_FILE: Final = PROJECT / "docker-compose.yml"
TEMPLATE: Final = PROJECT / "aegis_infra" / "processes.toml"
DASHBOARD: Final = PROJECT / "aegis_dashboard" / "app.py"
CORE_STOP_SECONDS: Final = 45.0  # a model's answer that is waited for may take 30
DASHBOARD_STOP_SECONDS: Final = 5.0
COMPOSE_STOP_SECONDS: Final = 90.0
PAUSE: Final = 0.3
PROBE_SECONDS: Final = 20
BUILD_SECONDS: Final = 1800.0  # images are built on the first run


class Stack(Protocol):
    """The three services. `title` says how they run, `note` why so, where that needs a word."""

    title: str
    note: str
    runbook: Path

    def start(self, ending: Ending, doing: Busy) -> None:
        """Begin; they may need a while to answer. Raises AegisError."""

    def check(self) -> None:
        """Raise ChildDied when a part has ended by itself."""

    def stop(self) -> None:
        """Stop whatever was started, and wait for it. May be called at any time, also after a failed start."""


def choose(settings: Settings) -> Stack:
    """Docker where an engine and compose answer, else the embedded runtime. Raises ConfigError when told otherwise."""
    if settings.runtime is RuntimeChoice.PROCESS:
        return EmbeddedStack(settings, "on the embedded runtime")
    obstacle = _no_compose(settings)
    if not obstacle:
        return ComposeStack(settings)
    if settings.runtime is RuntimeChoice.DOCKER:
        raise ConfigError(f"The demo cannot run on Docker: {obstacle} Try --runtime process.")
    return EmbeddedStack(settings, "on the embedded runtime", f"Docker cannot be used: {obstacle}")


def _no_compose(settings: Settings) -> str:
    """Why the demo cannot run on Docker; empty when it can."""
    try:
        with closing(DockerRuntime(settings.docker_host or None, PROBE_SECONDS)):
            pass
    except RuntimeProblem as problem:
        return str(problem)
    if not COMPOSE_FILE.exists():
        return f"there is no {COMPOSE_FILE}."
    if not shutil.which("docker"):
        return "the command `docker` is not installed."
    return "" if _printed_by(["docker", "compose", "version"]) else "`docker compose` is not installed."


def _printed_by(command: Sequence[str]) -> str:
    """What a short command prints; nothing where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)  # noqa: S603
    except (subprocess.SubprocessError, OSError):
        return ""
    return done.stdout.strip()


class EmbeddedStack:
    """Agent and dashboard as child processes; the target app is a child of the agent."""

    def __init__(self, settings: Settings, title: str, note: str = "") -> None:
        self.title, self.note, self.runbook = title, note, settings.runbook_path
        self._settings = settings
        self._folder = settings.data_dir.absolute() / "demo"
        self._core: Child | None = None
        self._dashboard: Child | None = None

    def start(self, ending: Ending, doing: Busy) -> None:  # noqa: ARG002 - it is quick
        processes = self._folder / "processes.toml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_process_file(TEMPLATE, processes, self._settings)
            with ending.held():
                self._core = Child("agent", self._core_command(processes), self._folder / "agent.log")
            with ending.held():
                log = self._folder / "dashboard.log"
                self._dashboard = Child("dashboard", self._dashboard_command(), log, cwd=PROJECT)
        except OSError as error:
            raise ConfigError(f"{error.filename or self._folder} cannot be used ({error.strerror}).") from error

    def check(self) -> None:
        for child in (self._core, self._dashboard):
            if child:
                child.check()

    def stop(self) -> None:
        if self._dashboard:
            self._dashboard.stop(DASHBOARD_STOP_SECONDS)
        if self._core:
            self._core.stop(CORE_STOP_SECONDS)
            if self._core.exit_code != 0:  # it could not end its targets itself
                _end_targets(self._settings.data_dir / "processes")

    def _core_command(self, processes: Path) -> Sequence[str]:
        settings = self._settings
        where = ["--host", settings.host, "--port", str(settings.port)]
        env = [
            f"AEGIS_DASHBOARD_URL=http://127.0.0.1:{settings.dashboard_port}",
            f"AEGIS_SENSE_SECONDS={min(1.0, settings.sense_seconds)}",  # so that the memory is seen to grow
        ]
        serve = ["serve", "--runtime", "process", "--processes", str(processes), *where]
        return ["env", *env, sys.executable, "-m", "aegis_core", *serve]

    def _dashboard_command(self) -> Sequence[str]:
        settings = self._settings
        env = [f"AEGIS_URL={core_url(settings)}", f"AEGIS_TARGET_APP_URL=http://127.0.0.1:{settings.target_app_port}"]
        options = {
            "server.headless": "true",
            "server.address": "127.0.0.1",
            "server.port": str(settings.dashboard_port),
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
        }
        told = [f"--{name}={value}" for name, value in options.items()]
        return ["env", *env, sys.executable, "-m", "streamlit", "run", str(DASHBOARD), *told]


def _end_targets(folder: Path) -> None:
    """End the targets that a killed agent has left behind, unless another agent has them."""
    journal = Journal(folder)
    try:
        journal.acquire()
    except AlreadyRunning:
        return
    try:
        for name in journal.names():
            record = journal.load(name)
            if record:
                end_leftover(record, None)
    finally:
        journal.release()


class ComposeStack:
    """The project's docker-compose.yml."""

    title, note = "on Docker", ""
    runbook = PROJECT / "data" / "runbook.json"  # mounted into the agent's container

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = settings.data_dir.absolute() / "demo" / "compose.log"
        self._up: Child | None = None

    def start(self, ending: Ending, doing: Busy) -> None:
        self._require_none()
        what = "docker compose up --build (the first time takes minutes)"
        doing.tell(what)
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with ending.held():
                self._up = Child("build", self._command("up", "--build", "-d", "--wait"), self._log, cwd=PROJECT)
        except OSError as error:
            raise ConfigError(f"{self._log} cannot be used ({error.strerror}).") from error
        deadline = time.monotonic() + BUILD_SECONDS
        while self._up.exit_code is None:
            if time.monotonic() > deadline:
                raise ComposeFailed(f"docker compose up has not ended within {BUILD_SECONDS:g} s. {told_by(self._log)}")
            doing.tell(what, last_line(self._log))
            time.sleep(PAUSE)
        if self._up.exit_code:
            raise ComposeFailed(f"docker compose up has failed. {told_by(self._log)}{self._told_by_containers()}")

    def _told_by_containers(self) -> str:
        """What the services have printed last: why one of them is not healthy stands there."""
        printed = _printed_by(self._command("logs", "--no-color", "--tail", "8")).splitlines()
        return "".join(["\nThe containers say:", *(f"\n  {short(line, 300)}" for line in printed)]) if printed else ""

    def _require_none(self) -> None:
        """Somebody's running project would be changed, and be stopped in the end."""
        if _printed_by(self._command("ps", "--quiet")):
            raise ConfigError(f"The services of {COMPOSE_FILE} run already. Stop them first: docker compose down")

    def check(self) -> None:
        """Containers are restarted by their own policy."""

    def stop(self) -> None:
        if self._up is None:
            return
        self._up.stop(DASHBOARD_STOP_SECONDS)
        log = self._log.with_name("compose-down.log")
        down = Child("end of the containers", self._command("down", "--remove-orphans"), log, cwd=PROJECT)
        deadline = time.monotonic() + COMPOSE_STOP_SECONDS
        while down.exit_code is None and time.monotonic() < deadline:
            time.sleep(PAUSE)
        if down.exit_code != 0:
            down.stop(DASHBOARD_STOP_SECONDS)
            raise ComposeFailed(f"docker compose down has failed. {told_by(log)}")

    def _command(self, *words: str) -> Sequence[str]:
        settings = self._settings
        ports = {
            "AEGIS_PORT": settings.port,
            "TARGET_APP_PORT": settings.target_app_port,
            "DASHBOARD_PORT": settings.dashboard_port,
        }
        env = [f"{name}={port}" for name, port in ports.items()]
        return ["env", *env, "docker", "compose", "-f", str(COMPOSE_FILE), "--progress", "plain", *words]
