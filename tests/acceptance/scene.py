"""A whole scene for the acceptance tests: a real `aegis serve`, and the real buggy app as its patient.

On the process runtime the app is a child process of the agent; on Docker it is a container with limits in a ward of its
own, on the host's network so that both find each other by port. How often it was started is told by the runtime's own
record.
"""

import json
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.integration.small_containers import docker

from .served_agent import ROOT, ServedAgent, free_port, until
from .ward import Ward

IMAGE = "aegis-acceptance-target"
MEMORY_MB = 160
PATIENT = {
    "SUSTAINED_SECONDS": "2",
    "COOLDOWN_SECONDS": "5",
    "DISK_QUOTA_MB": "16",
}
AGENT = {
    "AEGIS_STABILITY_SECONDS": "3",
    "AEGIS_VERIFY_WAIT_SECONDS": "0.5",
    "AEGIS_SENSE_SECONDS": "0.5",
    "AEGIS_LOG_LEVEL": "INFO",
}


class Scene(ServedAgent):
    """Agent and patient; `settings` are more AEGIS_* variables."""

    def __init__(self, runtime: str, folder: Path, settings: dict[str, str] | None = None) -> None:
        super().__init__(folder, {"AEGIS_RUNTIME": runtime, **AGENT, **(settings or {})})
        self.runtime = runtime
        self.name = f"buggy-app-{uuid.uuid4().hex[:8]}"
        self.app = free_port()
        self._opened = ExitStack()

    def open(self) -> "Scene":
        if self.runtime == "docker":
            self.ward = self._opened.enter_context(Ward())
            self._settings["AEGIS_DOCKER_HOST"] = self.ward.engine.url
            self._run_container()
        else:
            self._settings["AEGIS_PROCESSES"] = str(self._targets_file())
        self.serve()
        until(lambda: self.ask("/health", self.app)["status"] == "healthy", "the patient to be healthy")
        until(self.target, "the agent to see the patient")
        return self

    def close(self) -> None:
        self.stop_agent()
        self._opened.close()

    # The agent

    def target(self) -> dict[str, Any] | None:
        return self.seen(self.name)

    def ended(self, fault: str, seconds: float = 90.0) -> dict[str, Any]:
        """Wait until an incident of the patient with this fault is closed; returns it whole."""
        return self.closed(seconds, container_name=self.name, fault=fault)

    def lessons(self) -> list[dict[str, Any]]:
        """The lessons in the runbook file that incidents have taught."""
        entries = json.loads((self.data / "runbook.json").read_text())["entries"]
        return [one for one in entries if one["source"] != "starter"]

    # The patient

    def trigger(self, fault: str, query: str = "") -> None:
        self.ask(f"/trigger_{fault}{query}", self.app)

    def restarts(self) -> int:
        """How often the patient was started after the first time, by the runtime's own record."""
        if self.runtime == "docker":
            record = [one for one in self.ward.record() if one["Actor"]["Attributes"].get("name") == self.name]
            return [one["Action"] for one in record].count("start") - 1
        happened = until(self.target, "the patient to be seen")
        return self._starts_in_its_log() - 1 if happened else 0

    def _starts_in_its_log(self) -> int:
        texts = [path.read_text(errors="replace") for path in self.data.glob("processes/**/*.log*")]
        return sum(text.count("main: serving on") for text in texts)

    def _environment(self) -> dict[str, str]:
        return {
            **PATIENT,
            "APP_PORT": str(self.app),
            "AEGIS_URL": f"http://127.0.0.1:{self.core}",
            "CONTAINER_NAME": self.name,
        }

    def _run_container(self) -> None:
        variables = [f"--env={key}={value}" for key, value in self._environment().items()]
        health = f"python -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:{self.app}/health', timeout=5)\""
        docker(
            "run", "--detach", f"--name={self.name}", f"--label={self.ward.label}", "--network=host",
            f"--memory={MEMORY_MB}m",
            f"--memory-swap={MEMORY_MB}m", "--cpus=0.5", "--stop-timeout=3", "--label=aegis.enable=true",
            f"--label=aegis.health_url=http://127.0.0.1:{self.app}/health", f"--health-cmd={health}",
            "--health-interval=1s", "--health-retries=2", "--health-timeout=6s", *variables, IMAGE,
        )  # fmt: skip

    def _targets_file(self) -> Path:
        variables = {"MEMORY_LIMIT_MB": str(MEMORY_MB), "CPU_LIMIT": "0.5", "PYTHONPATH": str(ROOT)}
        table = {**self._environment(), **variables, "DATA_DIR": "{data_dir}"}
        path = self.folder / "targets.toml"
        table_lines = "".join(f'{key} = "{value}"\n' for key, value in table.items())
        path.write_text(
            f"""
[targets.{self.name}]
command = ["{{python}}", "-m", "aegis_infra.target_app"]
memory_limit_mb = {MEMORY_MB}
cpus = 0.5
stop_timeout = 3.0
health_interval = 1.0
health_retries = 2
health_timeout = 6.0
health_url = "http://127.0.0.1:{self.app}/health"
labels = {{ "aegis.enable" = "true" }}

[targets.{self.name}.env]
{table_lines}"""
        )
        return path
