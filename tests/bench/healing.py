"""From Docker's own `unhealthy` event to the container's next start: Aegis, plain pollers, and the bare restart.

The engine's own timestamps are the judge; the containers are the same for all of them.
"""

import json
import statistics
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from .core import core, get

IMAGE = "python:3.11-slim"
ROUNDS = 5
TAUGHT = 3  # heals of the same trouble after which the next one is a reflex
PATIENT = "rm -f /tmp/bad; trap 'exit 0' TERM; while :; do sleep 0.05; done"
HEALTH = ("--health-cmd=test ! -e /tmp/bad", "--health-interval=500ms", "--health-retries=1", "--health-timeout=5s")


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


class Patient:
    """A container whose health check fails as soon as it is told to, until it is started anew."""

    def __init__(self) -> None:
        self.name = f"aegis-bench-{uuid.uuid4().hex[:8]}"
        labels = ("--label=aegis.enable=true",)
        docker("run", "--detach", f"--name={self.name}", *labels, *HEALTH, IMAGE, "sh", "-c", PATIENT)

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.name)

    def healthy(self) -> bool:
        return docker("inspect", "--format={{.State.Health.Status}}", self.name) == "healthy"

    def fall_ill(self) -> float:
        """Let it turn unhealthy and wait until it is started again; returns the seconds between, by the engine."""
        since = time.time()
        docker("exec", self.name, "touch", "/tmp/bad")
        ill = self._event("health_status: unhealthy", since)
        return self._event("start", ill) - ill

    def bare_restart(self) -> float:
        """Seconds from asking for a restart until it is started, by the engine."""
        since = time.time()
        docker("restart", self.name)
        return self._event("start", since) - since

    def _event(self, action: str, since: float) -> float:
        """The moment of the first such event after a moment; waits for it, at most a minute."""
        command = ["docker", "events", f"--since={since:.9f}", f"--until={time.time() + 60:.0f}"]
        filters = [f"--filter=container={self.name}", "--format={{json .}}"]
        with subprocess.Popen([*command, *filters], stdout=subprocess.PIPE, text=True) as told:
            assert told.stdout
            try:
                for line in told.stdout:
                    event = json.loads(line)
                    if event["Action"] == action and event["timeNano"] / 1e9 > since:
                        return float(event["timeNano"] / 1e9)
            finally:
                told.terminate()
        raise SystemExit(f"{self.name}: no '{action}' within a minute")


@contextmanager
def polling(patient: Patient, seconds: float) -> Iterator[None]:
    """The usual shell loop: restart whatever is unhealthy, every so many seconds."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(seconds):
            for name in docker("ps", "--filter=health=unhealthy", "--format={{.Names}}").split():
                if name == patient.name:
                    docker("restart", name)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def aegis(folder: Path) -> Iterator[int]:
    """An agent that has learned nothing yet; gives its port."""
    settings = {"AEGIS_RUNTIME": "docker", "AEGIS_COOLDOWN_SECONDS": "0", "AEGIS_STABILITY_SECONDS": "1"}
    with core(folder, **settings) as (port, _):
        time.sleep(3)  # its first list and samples are done: what is measured is a reaction, not a start
        yield port


def answered_by(port: int, patient: Patient) -> list[str]:
    """Which rung answered each incident of the patient, the oldest first; waits until all have ended."""
    while True:
        told = json.loads(get(port, "/incidents?limit=100")[1])["items"]
        mine = [one for one in reversed(told) if one["container_name"] == patient.name]
        if all(one["closed_at"] for one in mine):
            return [one["source"] for one in mine]
        time.sleep(0.2)


def rounds(patient: Patient, ill: Callable[[], float], pause: float = 3.0, times: int = ROUNDS) -> list[float]:
    took = []
    for _ in range(times):
        while not patient.healthy():
            time.sleep(0.1)
        time.sleep(pause)
        took.append(ill())
    return took


def by_rules(folder: Path, patient: Patient) -> list[float]:
    """As long as the rules answer: every agent is a new one before it has a reflex."""
    took: list[float] = []
    while len(took) < ROUNDS:
        with aegis(folder) as port:
            took += rounds(patient, patient.fall_ill, times=min(TAUGHT, ROUNDS - len(took)))
            answered = answered_by(port, patient)
            assert set(answered) == {"rules"}, answered
    return took


def by_reflex(folder: Path, patient: Patient) -> list[float]:
    """One agent, once it has been taught."""
    with aegis(folder) as port:
        rounds(patient, patient.fall_ill, times=TAUGHT)
        took = rounds(patient, patient.fall_ill)
        answered = answered_by(port, patient)
        assert answered == ["rules"] * TAUGHT + ["runbook"] * ROUNDS, answered
    return took


def reflex(folder: Path) -> Table:
    """The reflex beside the rules and the bare restart, which is measured before and after them."""
    patient = Patient()
    try:
        floor = rounds(patient, patient.bare_restart, 0.5)
        named = {
            "aegis, rules": by_rules(folder, patient),
            "aegis, reflex (target ≤ 1.25 ×)": by_reflex(folder, patient),
        }
        floor += rounds(patient, patient.bare_restart, 0.5)
    finally:
        patient.remove()
    return _table({"bare docker restart (the floor)": floor, **named})


def _table(named: Mapping[str, Sequence[float]]) -> Table:
    """The first row is what the others are compared with."""
    table = Table(f"unhealthy → started again, {ROUNDS} rounds or more", "median", "worst", "against the bare restart")
    bare = statistics.median(next(iter(named.values())))
    for name, took in named.items():
        median = statistics.median(took)
        table.add_row(name, f"{median:.2f} s", f"{max(took):.2f} s", f"{median / bare:.2f} ×")
    return table


def measure(folder: Path) -> Table:
    patient = Patient()
    try:
        floor = rounds(patient, patient.bare_restart, 0.5)
        ours = by_rules(folder, patient)
        with polling(patient, 1.0):
            often = rounds(patient, patient.fall_ill, 0.3)
        with polling(patient, 5.0):
            seldom = rounds(patient, patient.fall_ill, 0.3)
    finally:
        patient.remove()
    named = {"bare docker restart (the floor)": floor, "aegis, rules (target ≤ 1.5 ×)": ours}
    return _table({**named, "polling every 1 s": often, "polling every 5 s": seldom})
