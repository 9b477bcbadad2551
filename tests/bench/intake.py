"""Intake: every 2xx is stored; how fast, against an endpoint that does nothing."""

import http.client
import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rich.table import Table

from .core import get

CLIENTS = 16
SIGNALS = 4_000


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


def measure(port: int) -> Table:
    table = Table("Intake, 16 connections", "p50", "p99", "rate", "time against the floor", "")
    floor, _, floor_seconds = hammer(port, "GET", "/health", [None] * SIGNALS)
    row(table, ["GET /health (the floor)", ""], floor, floor_seconds, 1.0)
    took, accepted, seconds = hammer(port, "POST", "/webhook", signals(distinct=False))
    counted = json.loads(get(port, "/incidents?target=nowhere&limit=500")[1])["items"]
    told = f"{accepted} × 2xx, {sum(one['signals'] for one in counted)} counted in {len(counted)} incidents"
    row(table, ["POST /webhook, the same", told], took, seconds, seconds / floor_seconds)
    before = json.loads(get(port, "/incidents?limit=1")[1])["total"]
    took, accepted, seconds = hammer(port, "POST", "/webhook", signals(distinct=True))
    stored = json.loads(get(port, "/incidents?limit=1")[1])["total"] - before
    name = ["POST /webhook, distinct", f"{accepted} × 2xx, {stored} stored"]
    row(table, name, took, seconds, seconds / floor_seconds)
    if stored != accepted:
        raise SystemExit(f"{accepted} signals were accepted, and {stored} incidents are stored")
    return table


def row(table: Table, name: list[str], took: list[float], seconds: float, ratio: float) -> None:
    table.add_row(
        name[0],
        f"{statistics.median(took) * 1000:.1f} ms",
        f"{percentile(took, 0.99) * 1000:.1f} ms",
        f"{len(took) / seconds:,.0f}/s",
        f"{ratio:.1f} ×",
        name[1],
    )
