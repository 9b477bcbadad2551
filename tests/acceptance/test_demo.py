"""`aegis demo`, as a newcomer runs it: what it shows, how it ends, and that it leaves nothing behind."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import create_server

import psutil
import pytest

from .scene import ROOT, docker, free_port, until

AEGIS = [sys.executable, "-m", "aegis_core"]
PORTS = ("AEGIS_PORT", "TARGET_APP_PORT", "DASHBOARD_PORT")


class Demo:
    """A demo in a folder of its own; whatever belongs to it carries that folder in its environment or command."""

    def __init__(self, folder: Path) -> None:
        self.data, self.printed = folder / "data", folder / "printed"
        self.ports = {name: free_port() for name in PORTS}
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AEGIS_")},
            **{name: str(port) for name, port in self.ports.items()},
            "AEGIS_DATA_DIR": str(self.data),
            "AEGIS_STABILITY_SECONDS": "3",
            "COLUMNS": "100",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, **env: str) -> subprocess.Popen[bytes]:
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                [*AEGIS, "demo", *options], cwd=ROOT, env={**self.env, **env}, stdout=output, stderr=output
            )
        return self.process

    def text(self) -> str:
        return self.printed.read_text(errors="replace")

    def ended(self, seconds: float = 60.0) -> int:
        assert self.process
        return self.process.wait(seconds)

    def processes(self) -> list[psutil.Process]:
        """What is left of it, beside the demo itself."""
        return [one for one in psutil.process_iter() if self._owns(one)]

    def _owns(self, one: psutil.Process) -> bool:
        try:
            mine = self.process is not None and one.pid == self.process.pid
            told = [*one.cmdline(), *one.environ().values()]
            lives = one.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False
        return lives and not mine and any(str(self.data) in text for text in told)

    def close(self) -> None:
        for one in [*([self.process] if self.process else []), *self.processes()]:
            if one.poll() is None if isinstance(one, subprocess.Popen) else one.is_running():
                one.kill()
        if self.process:
            self.process.wait()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path)
    yield one
    one.close()


def test_the_demo_heals_a_real_leak_shows_its_way_and_stops_everything(demo: Demo) -> None:
    demo.start("--runtime", "process", DEMO_ONCE="1")
    assert demo.ended(120) == 0, demo.text()
    entries = json.loads((demo.data / "runbook.json").read_text())["entries"]
    learned = [one for one in entries if one["source"] != "starter"]
    assert [(one["fix"], one["verified_healthy"]) for one in learned] == [("RESTART", True)]
    told = demo.text()
    for word in ("memory pressure", "diagnosis by rules", "decision ACT", "RESTART is done", "RESOLVED", "$"):
        assert word in told
    assert learned[0]["incident_id"] in told
    assert f"http://127.0.0.1:{demo.ports['DASHBOARD_PORT']}" in told
    assert demo.processes() == []


def test_ctrl_c_in_the_middle_of_the_healing_leaves_nothing_running(demo: Demo) -> None:
    """On a terminal, where a moving display is under way."""
    ours, theirs = pty.openpty()
    demo.process = subprocess.Popen(
        [*AEGIS, "demo", "--runtime", "process"], cwd=ROOT, env={**demo.env, "TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    seen = _read_until(ours, "RESTART is done", 90)
    assert "memory" in seen
    demo.process.send_signal(signal.SIGINT)
    seen = _read_until(ours, "is stopped", 60)
    assert demo.ended() == 130
    assert "Traceback" not in seen
    assert demo.processes() == []


def _read_until(terminal: int, words: str, seconds: float) -> str:
    """What a terminal shows until these words have come."""
    seen, deadline = "", time.monotonic() + seconds
    while words not in seen:
        assert time.monotonic() < deadline, seen
        seen += os.read(terminal, 65_536).decode(errors="replace")
    return seen


def test_sigterm_while_the_services_come_up_leaves_nothing_running(demo: Demo) -> None:
    process = demo.start("--runtime", "process", DEMO_ONCE="1")
    until(demo.processes, "the first child")
    process.terminate()
    assert demo.ended() != 0
    assert demo.processes() == []


def test_an_agent_that_is_killed_ends_the_demo_and_its_target(demo: Demo) -> None:
    demo.start("--runtime", "process", DEMO_ONCE="1")
    until(lambda: "Causing a real fault" in demo.text(), "the fault")
    agent = next(one for one in demo.processes() if "serve" in one.cmdline())
    agent.kill()
    assert demo.ended() == 1
    assert "The agent has ended" in demo.text()
    assert demo.processes() == []


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="the kernel is told by setpriv, which is not there")
def test_a_demo_that_is_killed_takes_its_children_with_it(demo: Demo) -> None:
    process = demo.start("--runtime", "process", DEMO_ONCE="1")
    until(lambda: "Causing a real fault" in demo.text(), "the fault")
    process.kill()
    until(lambda: not demo.processes(), "everything to be gone")


@pytest.mark.parametrize("name", PORTS)
def test_a_port_that_is_taken_is_named_at_once_with_its_setting(demo: Demo, name: str) -> None:
    with create_server(("127.0.0.1", demo.ports[name])):
        demo.start("--runtime", "process", DEMO_ONCE="1")
        assert demo.ended(30) == 2
    assert f"Port {demo.ports[name]} " in demo.text()
    assert name in demo.text()
    assert demo.processes() == []
    assert not demo.data.exists()


def test_two_services_on_one_port_are_noticed_before_anything_is_started(demo: Demo) -> None:
    demo.start("--runtime", "process", DEMO_ONCE="1", DASHBOARD_PORT=str(demo.ports["AEGIS_PORT"]))
    assert demo.ended(30) == 2
    assert "DASHBOARD_PORT" in demo.text()
    assert not demo.data.exists()


@pytest.mark.engine
@pytest.mark.alone
@pytest.mark.timeout(900)
def test_on_docker_the_leak_is_healed_by_exactly_one_restart(demo: Demo, engine: None) -> None:
    since = docker("info", "--format", "{{.SystemTime}}")
    lessons = ROOT / "data" / "runbook.json"
    before = _verified(lessons)
    demo.start("--runtime", "docker", DEMO_ONCE="1")
    assert demo.ended(800) == 0, demo.text()
    told = docker(
        "events", f"--since={since}", f"--until={docker('info', '--format', '{{.SystemTime}}')}",
        "--filter=container=buggy-app-v2", "--filter=event=restart", "--format={{.Action}}",
    )  # fmt: skip
    assert told.split() == ["restart"]
    assert len(_verified(lessons)) == len(before) + 1
    assert docker("ps", "--all", "--quiet", "--filter=name=^(aegis-core|buggy-app-v2|aegis-dashboard)$") == ""


def _verified(runbook: Path) -> list[str]:
    entries = json.loads(runbook.read_text())["entries"] if runbook.exists() else []
    return [one["incident_id"] for one in entries if one["verified_healthy"]]
