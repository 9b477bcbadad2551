"""A real `aegis serve` as a process of its own, asked over HTTP like everybody asks it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from socket import socket
from typing import Any

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait until the condition gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s for {what}")


class ServedAgent:
    """An agent with its data in a folder; `settings` are its AEGIS_* variables."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.core = free_port()
        self._settings = settings
        self._agent: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Start the agent, and wait until it is ready."""
        where = {"AEGIS_PORT": str(self.core), "AEGIS_DATA_DIR": str(self.data)}
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **where, **self._settings}
        command = [sys.executable, "-m", "aegis_core", "serve"]
        with (self.folder / "agent.log").open("ab") as log:
            self._agent = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        until(self._is_ready, "the agent to be ready", 30)

    def _is_ready(self) -> bool:
        assert self._agent
        assert self._agent.poll() is None, f"the agent ended: {self.log()[-2000:]}"
        return bool(self.ask("/ready")["status"] == "ready")

    def stop_agent(self) -> None:
        if self._agent:
            self._agent.terminate()
            self._agent.wait(timeout=60)

    def kill_agent(self) -> None:
        assert self._agent
        self._agent.send_signal(signal.SIGKILL)
        self._agent.wait()

    def log(self) -> str:
        return (self.folder / "agent.log").read_text()

    def ask(self, path: str, port: int | None = None) -> dict[str, Any]:
        """GET a path of the agent (or of another port); the answer's JSON whatever its status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.core}{path}", timeout=15) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))

    def post(self, body: dict[str, Any], path: str = "/webhook") -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.core}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=15) as answer:
            return dict(json.load(answer))

    def report(self, target: str, alert_type: str = "unhealthy") -> str:
        """Post a webhook about a target; returns the id of its incident."""
        return str(
            self.post({"container_name": target, "alert_type": alert_type, "severity": "critical"})["incident_id"]
        )

    def seen(self, target: str) -> dict[str, Any] | None:
        """What the agent's newest look showed of a target."""
        return next((one for one in self.ask("/targets")["items"] if one["name"] == target), None)

    def incidents(self, **wanted: str) -> list[dict[str, Any]]:
        found = self.ask("/incidents?limit=100")["items"]
        return [one for one in found if all(one[key] == value for key, value in wanted.items())]

    def closed(self, seconds: float = 90.0, **wanted: str) -> dict[str, Any]:
        """Wait until an incident with these fields is closed; returns it whole."""

        def one() -> dict[str, Any] | None:
            return next((one for one in self.incidents(**wanted) if one["closed_at"]), None)

        brief = until(one, f"an incident of {wanted} to end; there are {self.incidents()}", seconds)
        return self.ask(f"/incidents/{brief['incident_id']}")

    def events(self, incident_id: str) -> list[dict[str, Any]]:
        return list(self.ask(f"/incidents/{incident_id}/events")["items"])
