"""The rig of Swarm: a real service of one task, on a swarm of one node, disturbed by files and by `docker service`.

Swarm puts nothing in the place of a task that ends: what has crashed stays down, as in the other rigs.
"""

import shutil
import subprocess
import tempfile
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from aegis_core.adapters.docker import DockerRuntime
from tests.integration.swarm import one_node_swarm

from .docker_rig import IMAGE, PROGRAM, build, docker
from .rigs import CPUS, LABELS, MEMORY_LIMIT_BYTES, SECRET, STOP_TIMEOUT, RigUnavailableError, wait_until

_OF_SERVICE = "--filter=label=com.docker.swarm.service.name={}"


def open_rig(folder: Path) -> "SwarmRig":
    """Start a service for one test. Raises RigUnavailableError where no engine answers."""
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise RigUnavailableError(f"no Docker engine: {error}") from error
    if answer.returncode != 0:
        raise RigUnavailableError(f"no Docker engine answers: {answer.stderr.strip()}")
    return SwarmRig()


class SwarmRig:
    """A service whose only task runs the tiny target, its control folder mounted."""

    def __init__(self) -> None:
        self.name = f"aegis-rig-{uuid.uuid4().hex[:8]}"
        self._opened = ExitStack()
        self._opened.enter_context(one_node_swarm())
        self.runtime = DockerRuntime()
        self.sensor = self.evidence = self.effector = self.reverter = self.runtime
        self._images = [IMAGE]
        self._folder = Path(tempfile.mkdtemp(prefix="aegis-rig-"))
        self._create()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def starts(self) -> int:
        """By the target's own record."""
        record = self._folder / "starts"
        return len(record.read_text().splitlines()) if record.exists() else 0

    def say(self, line: str) -> None:
        self._command("say", line)

    def grow(self, size: int) -> None:
        self._command("grow", str(size))

    def crash(self, exit_code: int) -> None:
        self._write("crash", str(exit_code))
        wait_until(lambda: not self._containers(), "the crash")

    def stop_as_person(self) -> None:
        docker("service", "scale", "--detach", f"{self.name}=0")
        wait_until(lambda: not self._containers(), "the tasks to have ended")

    def start_as_person(self) -> None:
        """By force: of a service whose tasks it must not restart, Swarm takes the one that was scaled away for done."""
        starts = self.starts()
        docker("service", "update", "--quiet", "--detach", "--force", "--replicas=1", self.name)
        wait_until(lambda: self.starts() > starts, "the task to have started")

    def recreate(self) -> None:
        self._remove()
        self._create()

    def release(self) -> None:
        starts = self.starts()
        self._images.append(build(self.name, len(self._images) + 1))
        docker(
            "service", "update", "--quiet", "--detach", "--no-resolve-image", f"--image={self._images[-1]}", self.name
        )
        wait_until(lambda: self.starts() > starts, "the release to have started")

    def close(self) -> None:
        self._remove()
        for image in self._images[1:]:
            subprocess.run(["docker", "rmi", "--force", image], capture_output=True, check=False, timeout=60)
        self.runtime.close()
        self._opened.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create(self) -> None:
        starts = self.starts()
        labels = [f"--label={key}={value}" for key, value in LABELS.items()]
        docker(
            *("service", "create", "--quiet", "--detach", "--no-resolve-image", f"--name={self.name}", *labels),
            *("--restart-condition=none", "--update-monitor=100ms", f"--stop-grace-period={STOP_TIMEOUT}s"),
            *(f"--limit-memory={MEMORY_LIMIT_BYTES}", f"--limit-cpu={CPUS}", f"--env=API_TOKEN={SECRET}"),
            *("--health-cmd=test ! -e /control/unhealthy", "--health-interval=1s", "--health-retries=1"),
            f"--mount=type=bind,src={self._folder},dst=/control",
            f"--mount=type=bind,src={PROGRAM},dst=/tiny_target.py,ro",
            *(self._images[-1], "python", "-u", "/tiny_target.py", "/control"),
        )
        wait_until(lambda: self.starts() > starts, "the target to have started")

    def _remove(self) -> None:
        docker("service", "rm", self.name)
        wait_until(lambda: not self._containers("--all"), "the containers to be gone", 30)

    def _containers(self, *options: str) -> list[str]:
        return docker("ps", "--quiet", *options, _OF_SERVICE.format(self.name)).split()

    def _command(self, command: str, content: str = "") -> None:
        """Write a command, and wait until it is obeyed (or nobody is left who could)."""
        file = self._write(command, content)
        wait_until(lambda: not file.exists() or not self._containers(), f"{command} to be obeyed")

    def _write(self, command: str, content: str = "") -> Path:
        draft, file = self._folder / f".{command}", self._folder / command
        draft.write_text(content, encoding="utf-8")
        return draft.rename(file)
