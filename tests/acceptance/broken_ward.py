"""A ward full of containers that are broken for real, and one agent that looks at them and touches none."""

import shlex
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.integration.small_containers import docker, wait_until

from .broken_for_real import BROKEN_IMAGE, Broken
from .broken_image import build, build_broken_image
from .scene import IMAGE as TARGET_IMAGE
from .scene import PATIENT
from .served_agent import ROOT, ServedAgent, free_port, until
from .ward import Patient, Ward

# Nothing here opts in by label, so that no other agent on the same engine heals what this one is to see.
SETTINGS = {"AEGIS_AUTONOMY": "observe", "AEGIS_WATCH": "all", "AEGIS_SENSE_SECONDS": "1"}
TARGET_OPTIONS = ("--network=host", "--memory=160m", "--memory-swap=160m", "--cpus=0.5")
AT_ONCE = 6


class Seen(NamedTuple):
    """What the agent gathered and said when it looked first; `passing` maps this run's own names to lasting ones."""

    evidence: dict[str, Any]
    diagnosis: dict[str, Any]
    passing: dict[str, str]


class BrokenWard(Ward):
    """Containers by the name of what is broken, each with those that it needs in a network of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._broken: dict[str, Patient] = {}
        self._passing: dict[str, dict[str, str]] = {}
        self._all: list[str] = []
        self.watcher: ServedAgent

    def __exit__(self, *raised: Any) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda name: docker("rm", "--force", "--volumes", name), self._all))
        super().__exit__(*raised)
        for network in docker("network", "ls", "--quiet", f"--filter=label={self.label}").split():
            docker("network", "rm", network)

    def break_all(self, broken: Sequence[Broken]) -> None:
        """Start the agent and all containers, and have each break."""
        self.watcher = self.agent(self._folder, **SETTINGS)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._break, broken))

    def seen(self, one: Broken) -> Seen:
        """Wait until the agent has diagnosed it for the first time by the fault that is expected."""
        name = self._broken[one.name].name

        def told() -> dict[str, Any] | None:
            found = self.watcher.incidents(container_name=name, fault=one.fault)
            events = self.watcher.events(found[-1]["incident_id"]) if found else []
            first = {event["type"]: event["data"] for event in reversed(events)}
            return first if "Diagnosed" in first else None

        data = until(told, f"{one.name} ({name}) to be noticed as {one.fault}")
        return Seen(data["EvidenceGathered"]["evidence"], data["Diagnosed"]["diagnosis"], self._passing[one.name])

    def _break(self, one: Broken) -> None:
        passing = self._passing[one.name] = {}
        if one.trigger:
            self._broken[one.name] = self._run_target(one)
            return
        names = self._run_beside(one)
        options = [option.format(**names) for option in one.options]
        if one.beside and not any(option.startswith("--network") for option in options):
            options.append(f"--network={names['network']}")
        patient = self._broken[one.name] = self._run(BROKEN_IMAGE, one.command, *options)
        passing.update({name: plain for plain, name in names.items()})
        if one.gone:
            wait_until(lambda: one.then in patient.log(), f"{one.name} to say {one.then}", 90)
            docker("rm", "--force", names[one.gone])
            self._all.remove(names[one.gone])

    def _run_beside(self, one: Broken) -> dict[str, str]:
        """Run what it needs, until each has said something; returns the names of containers and network by alias."""
        if not one.beside:
            return {}
        network = docker("network", "create", f"--label={self.label}", f"aegis-ward-{uuid.uuid4().hex[:8]}")
        names = {"network": network}
        for alias, command in one.beside.items():
            beside = self._run(BROKEN_IMAGE, command, f"--network={network}", f"--network-alias={alias}")
            names[alias] = beside.name
            wait_until(beside.log, f"{alias} of {one.name} to say something", 90)
        return names

    def _run_target(self, one: Broken) -> Patient:
        port, core = free_port(), self.watcher.core
        asked = f"python -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/health', timeout=5)\""
        checked = ("--health-interval=1s", "--health-retries=2", "--health-timeout=6s", f"--health-cmd={asked}")
        variables = {**PATIENT, "APP_PORT": str(port), "AEGIS_URL": f"http://127.0.0.1:{core}"}
        told = [f"--env={key}={value}" for key, value in variables.items()]
        patient = self._run(TARGET_IMAGE, "", *TARGET_OPTIONS, *(one.options or checked), *told)
        until(lambda: self.watcher.ask("/health", port)["status"] == "healthy", f"{one.name} to be well")
        if one.narrowed:
            docker("update", *one.narrowed, patient.name)
        self.watcher.ask(f"/trigger_{one.trigger}", port)
        self._passing[one.name] = {str(port): "8000", str(core): "8001"}
        return patient

    def _run(self, image: str, command: str, *options: str) -> Patient:
        patient = Patient(f"aegis-ward-{uuid.uuid4().hex[:8]}", self)
        named = (f"--name={patient.name}", f"--env=CONTAINER_NAME={patient.name}", f"--label={self.label}")
        docker("run", "--detach", *named, *options, image, *shlex.split(command))
        self._all.append(patient.name)
        return patient


@contextmanager
def broken_ward(broken: Sequence[Broken], folder: Path) -> Iterator[BrokenWard]:
    """Build the images, and break all of these at once."""
    build_broken_image()
    build(TARGET_IMAGE, ROOT, "--file=aegis_infra/docker/target.Dockerfile")
    with BrokenWard(folder) as ward:
        ward.break_all(broken)
        yield ward
