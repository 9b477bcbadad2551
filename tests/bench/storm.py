"""A storm: 50,000 alerts in Alertmanager's payloads, as fast as they are taken. None may be lost."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue

import psutil
from rich.table import Table

from .core import core, get
from .intake import percentile

ALERTS = 50_000
PER_PAYLOAD = 100
INCIDENTS = 2_000  # distinct troubles among them; the rest are repeats
CONNECTIONS = 4


def payloads() -> list[bytes | None]:
    began = datetime.now(UTC).isoformat()
    return [json.dumps(payload(first, began)).encode() for first in range(0, ALERTS, PER_PAYLOAD)]


def payload(first: int, began: str) -> dict[str, object]:
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "aegis",
        "commonLabels": {},
        "commonAnnotations": {},
        "alerts": [alert(number % INCIDENTS, began) for number in range(first, first + PER_PAYLOAD)],
    }


def alert(number: int, began: str) -> dict[str, object]:
    severity = "critical" if number % 100 == 0 else "warning"
    return {
        "status": "firing",
        "labels": {"alertname": "ContainerHighMemory", "container": f"storm-{number}", "severity": severity},
        "annotations": {"summary": "memory is high"},
        "startsAt": began,
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": f"{number:016x}",
    }


def send(port: int, bodies: list[bytes | None]) -> tuple[list[float], int, float]:
    """Post each payload until it is accepted, as Alertmanager does; returns seconds of each try, repeats, in all."""
    tries, again = Queue[tuple[float, int]](), 0
    took: list[float] = []
    began = time.perf_counter()
    left: Queue[bytes | None] = Queue()
    for body in bodies:
        left.put(body)

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                body = left.get_nowait()
            except Empty:
                return
            started = time.perf_counter()
            connection.request("POST", "/webhook/alertmanager", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            tries.put((time.perf_counter() - started, answer.status))
            if answer.status >= 300:
                time.sleep(float(answer.headers.get("Retry-After", "1")))
                left.put(body)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda _: client(), range(CONNECTIONS)))
    while not tries.empty():
        seconds, status = tries.get()
        took.append(seconds)
        again += status >= 300
    return took, again, time.perf_counter() - began


class Peak:
    """The most memory that a process has had while this was open, in MiB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._over = process, threading.Event()
        self.before = self.most = process.memory_info().rss / 2**20
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.most = max(self.most, self._process.memory_info().rss / 2**20)


def counted(port: int) -> Iterator[int]:
    offset, total = 0, 1
    while offset < total:
        page = json.loads(get(port, f"/incidents?limit=500&offset={offset}")[1])
        total = page["total"]
        yield from (one["signals"] for one in page["items"])
        offset += 500


def measure(folder: Path) -> Table:
    table = Table(f"{ALERTS:,} alerts, {INCIDENTS:,} distinct", "figure")
    bodies = payloads()
    with core(folder) as (port, process), Peak(process) as peak:
        took, again, seconds = send(port, bodies)
        signals = list(counted(port))
        settled = time.perf_counter()
        while json.loads(get(port, "/incidents?open=true&limit=1")[1])["total"]:
            time.sleep(0.2)
        settled = time.perf_counter() - settled
    lost = ALERTS - sum(signals)
    table.add_row("taken in within", f"{seconds:.1f} s, {ALERTS / seconds:,.0f} alerts/s")
    table.add_row("one payload", f"p50 {percentile(took, 0.5):.2f} s, p99 {percentile(took, 0.99):.2f} s")
    table.add_row("payloads that were told to come again", f"{again} of {len(bodies)}, each accepted later")
    table.add_row("lost", f"{max(0, lost)} ({len(signals):,} incidents, {sum(signals):,} signals counted)")
    table.add_row("memory of the core", f"{peak.before:.0f} MiB before, {peak.most:.0f} MiB at the most")
    table.add_row("all incidents closed", f"{settled:.0f} s after the last alert")
    if lost > 0:
        raise SystemExit(f"{lost} alerts are lost")
    return table
