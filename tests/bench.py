"""Speed, as ratios within one run: `make bench`.

Absolute figures of two machines, or of two days on one, cannot be compared; what is measured in the same run on the
same machine can. Every figure printed here was measured by this run.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import socket

import psutil
from rich.console import Console
from rich.table import Table

from aegis_core.bootstrap import Agent, Parts, build
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.ports import Filter
from aegis_core.settings import load
from aegis_core.telemetry import configure_logs
from aegis_core.testing import FakeRuntime

CLIENTS = 16
SIGNALS = 4_000
THINKING_SECONDS = 2.0
AT_ONCE = 100
IDLE_SECONDS = 20.0

TARGETS = """
[targets.quiet]
command = ["{python}", "-c", "import time; time.sleep(86400)"]
labels = { "aegis.enable" = "true" }
"""


def free_port() -> int:
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def core(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Run a real `aegis serve` on the process runtime, with nothing but the rules for a brain."""
    port = free_port()
    targets = folder / "targets.toml"
    targets.write_text(TARGETS)
    environment = {
        "PATH": "/usr/bin:/bin",
        "AEGIS_PORT": str(port),
        "AEGIS_DATA_DIR": str(folder / "data"),
        "AEGIS_RUNTIME": "process",
        "AEGIS_PROCESSES": str(targets),
        "AEGIS_LOG_LEVEL": "ERROR",
    }
    with (folder / "core.log").open("wb") as output:
        served = subprocess.Popen(
            [sys.executable, "-m", "aegis_core", "serve"], env=environment, cwd=folder, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: get(port, "/ready")[0] == 200, served)
        yield port, psutil.Process(served.pid)
    finally:
        served.terminate()
        served.wait(timeout=30)


def wait_for(condition: Callable[[], bool], served: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if served.poll() is not None:
            raise SystemExit("the core ended before it was ready")
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the core was not ready within 30 s")


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def hammer(port: int, method: str, path: str, bodies: list[bytes | None]) -> tuple[list[float], int, float]:
    """Send requests over 16 kept connections; returns seconds of each, how many were answered 2xx, seconds in all."""
    took: list[float] = []
    accepted = 0
    lock = threading.Lock()

    def client(mine: list[bytes | None]) -> None:
        nonlocal accepted
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for body in mine:
            began = time.perf_counter()
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            answer.read()
            with lock:
                took.append(time.perf_counter() - began)
                accepted += answer.status < 300
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, [bodies[i::CLIENTS] for i in range(CLIENTS)]))
    return took, accepted, time.perf_counter() - began


def signals(distinct: bool) -> list[bytes | None]:
    """Warnings about targets that the runtime does not know: accepted, looked at, left to a person."""
    shape = {"alert_type": "custom", "severity": "warning", "logs": "ERROR something broke\n" * 5}
    names = [f"nowhere-{i}" if distinct else "nowhere" for i in range(SIGNALS)]
    return [json.dumps({"container_name": name, **shape}).encode() for name in names]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def intake(table: Table, port: int) -> None:
    floor, _, floor_seconds = hammer(port, "GET", "/health", [None] * SIGNALS)
    row(table, ["GET /health (the floor)", ""], floor, floor_seconds, 1.0)
    took, accepted, seconds = hammer(port, "POST", "/webhook", signals(distinct=True))
    stored = json.loads(get(port, "/incidents?limit=1")[1])["total"]
    name = ["POST /webhook, distinct", f"{accepted} × 2xx, {stored} stored"]
    row(table, name, took, seconds, seconds / floor_seconds)
    if stored != accepted:
        raise SystemExit(f"{accepted} signals were accepted, and {stored} incidents are stored")


def row(table: Table, name: list[str], took: list[float], seconds: float, ratio: float) -> None:
    table.add_row(
        name[0],
        f"{statistics.median(took) * 1000:.1f} ms",
        f"{percentile(took, 0.99) * 1000:.1f} ms",
        f"{len(took) / seconds:,.0f}/s",
        f"{ratio:.1f} ×",
        name[1],
    )


class Thinker:
    """A brain that needs 2 s, as a cloud model does."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        time.sleep(THINKING_SECONDS)
        return Diagnosis(
            root_cause="It hangs.",
            category=Category.APP_CRASH_BUG,
            action=Action.RESTART,
            confidence=0.9,
            justification="Measured with a brain that only takes its time.",
            evidence=(f"signal: {evidence.fault}",),
            source=Source.CLOUD,
        )


def healed(agent: Agent, names: list[str]) -> float:
    """Open an incident for each target at once; returns seconds until all of them are resolved."""
    began = time.perf_counter()
    for name in names:
        now = datetime.now(UTC)
        agent.services.submit(
            Signal(target=name, fault=Fault.UNHEALTHY, severity=Severity.CRITICAL, at=now, source="bench")
        )
    wanted = Filter(open=True)
    while agent.services.incidents.list(wanted, 1, 0)[1]:
        time.sleep(0.01)
    return time.perf_counter() - began


def concurrency(folder: Path) -> tuple[float, float]:
    runtime = FakeRuntime(lambda: datetime.now(UTC))
    names = [f"app-{i}" for i in range(AT_ONCE + 1)]
    for name in names:
        runtime.add(name, labels={"aegis.enable": "true"})
    settings = load(data_dir=folder / "at-once", stability_seconds=0.0, sense_seconds=3600, workers=AT_ONCE)
    with build(settings, Parts(runtime=runtime, brain=Thinker())) as agent:
        one, many = healed(agent, names[:1]), healed(agent, names[1:])
        _, resolved = agent.services.incidents.list(Filter(status="RESOLVED"), 1, 0)
        if resolved != len(names):
            raise SystemExit(f"only {resolved} of {len(names)} incidents were healed")
        return one, many


def idle(process: psutil.Process) -> tuple[float, float]:
    """RSS in MiB and CPU in percent of one core, of the core process alone, over 20 s without signals."""
    before = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    after = process.cpu_times()
    busy = (after.user - before.user) + (after.system - before.system)
    return process.memory_info().rss / 2**20, 100 * busy / IDLE_SECONDS


def main() -> None:
    configure_logs("ERROR")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        folder = Path(name)
        with core(folder) as (port, process):
            rss, cpu = idle(process)
            table = Table("Intake, 16 connections", "p50", "p99", "rate", "time against the floor", "")
            intake(table, port)
        console.print(table)
        one, many = concurrency(folder)
    console.print(
        f"{AT_ONCE} incidents at once, brain {THINKING_SECONDS:g} s: {many:.2f} s; one: {one:.2f} s;", end=" "
    )
    console.print(f"ratio {many / one:.2f} (target ≤ 1.5)")
    console.print(f"Idle core over {IDLE_SECONDS:g} s: RSS {rss:.0f} MiB (target ≤ 120), CPU {cpu:.1f} % (target ≤ 3)")


if __name__ == "__main__":
    main()
