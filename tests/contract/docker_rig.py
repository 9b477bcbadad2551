"""The rig of Docker: a real container on the real engine, disturbed by files and by the `docker` command."""

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aegis_core.adapters.docker import DockerRuntime
from tests.contract.rigs import CPUS, LABELS, MEMORY_LIMIT_BYTES, SECRET, STOP_TIMEOUT, RigUnavailableError, wait_until

PROGRAM = Path(__file__).with_name("tiny_target.py")
IMAGE = "python:3.11-slim"


def docker(*arguments: str) -> str:
    """Run the `docker` command as a person would, and return what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def build(name: str, number: int) -> str:
    """Build another release: the same image with something else in its environment. Returns its tag."""
    tag = f"{name}:{number}"
    recipe = f"FROM {IMAGE}\nENV RELEASE={number}\nLABEL release={number}\n"
    command = ("docker", "build", "--quiet", f"--tag={tag}", "-")
    subprocess.run(command, input=recipe, text=True, check=True, capture_output=True, timeout=60)
    return tag


def open_rig(folder: Path) -> "DockerRig":
    """Start a container for one test. Raises RigUnavailableError where no engine answers."""
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise RigUnavailableError(f"no Docker engine: {error}") from error
    if answer.returncode != 0:
        raise RigUnavailableError(f"no Docker engine answers: {answer.stderr.strip()}")
    rig = DockerRig()
    wait_until((rig.control / "starts").exists, "the target to have started")
    return rig


class DockerRig:
    """A container that runs the tiny target, its control folder mounted."""

    def __init__(self) -> None:
        self.name = f"aegis-rig-{uuid.uuid4().hex[:8]}"
        self.runtime = DockerRuntime()
        self.sensor = self.evidence = self.effector = self.reverter = self.runtime
        self._others: list[str] = []
        self._images = [IMAGE]
        self._folder = Path(tempfile.mkdtemp(prefix="aegis-rig-"))
        self._record = self._folder / "engine-starts"
        self._recorder = self._record_starts()
        self._create()

    @property
    def control(self) -> Path:
        """The folder of the target's commands and of its own record."""
        return self._folder

    def now(self) -> datetime:
        return datetime.now(UTC)

    def starts(self) -> int:
        """Count Docker's own start events, the one of the present run surely among them."""
        started_at = self._inspect("{{.State.StartedAt}}")[:19]
        wait_until(lambda: self._starts() and self._starts()[-1][:19] >= started_at, "the event of the last start")
        return len(self._starts())

    def say(self, line: str) -> None:
        self._command("say", line)

    def grow(self, size: int) -> None:
        self._command("grow", str(size))

    def burn(self) -> None:
        self._command("burn")

    def turn_unhealthy(self) -> None:
        self._write("unhealthy")

    def turn_deaf(self) -> None:
        self._command("deaf")

    def crash(self, exit_code: int) -> None:
        self._write("crash", str(exit_code))
        wait_until(lambda: not self._running(), "the crash")

    def stop_as_person(self) -> None:
        docker("stop", self.name)

    def start_as_person(self) -> None:
        docker("start", self.name)

    def recreate(self) -> None:
        docker("rm", "--force", self.name)
        self._create()

    def release(self) -> None:
        starts = self.control / "starts"
        before = len(starts.read_text().splitlines())
        self._images.append(build(self.name, len(self._images) + 1))
        self.recreate()
        wait_until(lambda: len(starts.read_text().splitlines()) > before, "the release to have started")

    def drop_releases(self) -> None:
        """The first one is the base of the others, and stays: as another image it is one that never was a release."""
        for image in self._images[1:-1]:
            docker("rmi", "--force", image)

    def befriend(self) -> str:
        other = f"{self.name}-db"
        self._others.append(other)
        docker("run", "--detach", "--init", f"--name={other}", *self._compose_labels("db"), IMAGE, "sleep", "600")
        return other

    def close(self) -> None:
        named = docker("ps", "--all", "--format={{.Names}}", f"--filter=name=^{self.name}").split()
        docker("rm", "--force", "--volumes", *{self.name, *named, *self._others})
        for image in self._images[1:]:
            subprocess.run(["docker", "rmi", "--force", image], capture_output=True, check=False, timeout=60)
        self._recorder.kill()
        self._recorder.wait()
        self.runtime.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create(self) -> None:
        labels = [f"--label={key}={value}" for key, value in LABELS.items()]
        docker(
            *("run", "--detach", f"--name={self.name}", f"--stop-timeout={STOP_TIMEOUT}", f"--cpus={CPUS}", *labels),
            *self._compose_labels("tiny", depends_on="db:service_started:false"),
            *(f"--memory={MEMORY_LIMIT_BYTES}", f"--memory-swap={MEMORY_LIMIT_BYTES}", f"--env=API_TOKEN={SECRET}"),
            *("--health-cmd=test ! -e /control/unhealthy", "--health-interval=1s", "--health-retries=1"),
            *(f"--volume={self._folder}:/control", f"--volume={PROGRAM}:/tiny_target.py:ro"),
            *(self._images[-1], "python", "-u", "/tiny_target.py", "/control"),
        )

    def _compose_labels(self, service: str, depends_on: str = "") -> list[str]:
        """What `docker compose` would write onto the container of a service."""
        labels = {"project": self.name, "service": service, "depends_on": depends_on}
        return [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]

    def _record_starts(self) -> subprocess.Popen[bytes]:
        # A lasting subscription: the engine itself remembers no more than 256 events, health checks included.
        events = ("docker", "events", "--filter=event=start", f"--filter=container={self.name}")
        with self._record.open("wb") as record:
            since = str(datetime.now(UTC).timestamp())
            return subprocess.Popen([*events, f"--since={since}", "--format={{.TimeNano}}"], stdout=record)

    def _starts(self) -> list[str]:
        return [datetime.fromtimestamp(int(nano) / 1e9, UTC).isoformat() for nano in self._record.read_text().split()]

    def _inspect(self, template: str) -> str:
        return docker("inspect", "--format", template, self.name)

    def _running(self) -> bool:
        return self._inspect("{{.State.Running}}") == "true"

    def _command(self, command: str, content: str = "") -> None:
        """Write a command, and wait until it is obeyed (or nobody is left who could)."""
        file = self._write(command, content)
        self._wait(lambda: not file.exists() or not self._running(), command)

    def _write(self, command: str, content: str = "") -> Path:
        draft, file = self._folder / f".{command}", self._folder / command
        draft.write_text(content, encoding="utf-8")
        return draft.rename(file)

    @staticmethod
    def _wait(condition: Callable[[], object], command: str) -> None:
        wait_until(condition, f"{command} to be obeyed")
