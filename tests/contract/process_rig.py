"""The rig of the embedded process runtime."""

import json
import os
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path

import tomli_w

from aegis_core.adapters.process.runtime import ProcessRuntime

from .rigs import CPUS, LABELS, MEMORY_LIMIT_BYTES, MIB, SECRET, STOP_TIMEOUT, wait_until

PROGRAM = Path(__file__).with_name("tiny_target.py")


def open_rig(folder: Path) -> "ProcessRig":
    return ProcessRig(folder)


class ProcessRig:
    """A runtime of its own with one child, told what to do by files."""

    name = "tiny"

    def __init__(self, folder: Path) -> None:
        self._control = folder / "control"
        self._control.mkdir()
        self._state = folder / "state"
        self._config = folder / "processes.toml"
        self._generation = self._release = 1
        self._others: dict[str, dict[str, list[str]]] = {}
        self._port = _free_port()
        self._describe()
        self.runtime = ProcessRuntime(self._config, self._state, self.now)
        self.sensor = self.evidence = self.effector = self.reverter = self.runtime
        self.runtime.start()
        wait_until(lambda: self.starts() == 1, "the first start")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def starts(self) -> int:
        record = self._control / "starts"
        return len(record.read_text().splitlines()) if record.exists() else 0

    def say(self, line: str) -> None:
        self._tell("say", line)

    def grow(self, size: int) -> None:
        self._tell("grow", str(size))

    def burn(self) -> None:
        self._tell("burn")

    def turn_unhealthy(self) -> None:
        self._tell("unhealthy")

    def turn_deaf(self) -> None:
        self._tell("deaf")
        wait_until(lambda: not (self._control / "deaf").exists(), "the target to turn deaf")

    def crash(self, exit_code: int) -> None:
        self._tell("crash", str(exit_code))

    def stop_as_person(self) -> None:
        os.kill(self.pid(), signal.SIGTERM)

    def start_as_person(self) -> None:
        self.runtime.run(self.name)

    def recreate(self) -> None:
        before = self.starts()
        self._generation += 1
        self._describe()
        self.runtime.reload()
        wait_until(lambda: self.starts() == before + 1, "the start of the new target")

    def release(self) -> None:
        self._release += 1
        self.recreate()

    def drop_releases(self) -> None:
        for known in (self._state / "programs").iterdir():
            known.unlink()

    def befriend(self) -> str:
        self._others = {"db": {"command": ["sleep", "600"]}}
        self.recreate()
        return "db"

    def close(self) -> None:
        self.runtime.close()

    def pid(self) -> int:
        """The process id by the runtime's journal."""
        return int(json.loads((self._state / f"{self.name}.json").read_text())["pid"])

    def _tell(self, command: str, content: str = "") -> None:
        draft = self._control / "draft"
        draft.write_text(content, encoding="utf-8")
        draft.rename(self._control / command)

    def _describe(self) -> None:
        target = {
            "command": ["{python}", str(PROGRAM), str(self._control), str(self._port), f"release-{self._release}"],
            "env": {"API_TOKEN": SECRET, "GENERATION": self._generation},
            "memory_limit_mb": MEMORY_LIMIT_BYTES / MIB,
            "cpus": CPUS,
            "health_url": f"http://127.0.0.1:{self._port}/",
            "health_interval": 0.2,
            "health_retries": 2,
            "labels": LABELS,
            "stop_timeout": STOP_TIMEOUT,
            "depends_on": list(self._others),
        }
        self._config.write_text(tomli_w.dumps({"targets": {self.name: target, **self._others}}), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
