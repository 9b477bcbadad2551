"""Targets for the stand-in of the core: calm ones, and such whose memory leaks."""

import math
from datetime import datetime, timedelta
from typing import Any

MIB = 2**20
SAMPLES, PAUSE = 90, 2.0  # how many, and seconds between two
CALM = (  # name, image, memory %, CPU %, memory limit in MiB, health, opted in, own
    ("payments-worker", "payments:5.0.3", 38, 11, 512, "none", True, False),
    ("price-engine", "price-engine:1.8", 44, 31, 512, "healthy", True, False),
    ("shop-web", "shop-web:2026.11", 63, 23, 1024, "healthy", True, False),
    ("stock-db", "postgres:15", 52, 14, 2048, "healthy", False, False),
    ("redis", "redis:7", 12, 3, None, "none", False, False),
    ("aegis-core", "aegis:0.1.0", 31, 2, 256, "healthy", False, True),
)
LEAKS = (  # name, image, memory limit in MiB, memory % now, seconds until the limit, and the interval around them
    ("session-cache", "session-cache:3.2", 512, 71.0, 100.0, (82.0, 131.0)),
    ("mail-queue", "mail-queue:2.0", 1024, 64.0, 31.0, (27.0, 36.0)),
    ("search-index", "search-index:8.1", 2048, 58.0, 19_000.0, (15_400.0, 24_500.0)),
)


def calm(row: tuple[Any, ...], now: datetime) -> dict[str, Any]:
    """A target whose memory and CPU go up and down a little."""
    name, image, memory, cpu, limit, health, opted_in, own = row
    series = []
    for step in range(90):
        at = now - timedelta(seconds=2.0 * (89 - step))
        wave = math.sin(at.timestamp() / 9 + len(name))
        series.append(sample(at, memory + 2 * wave, max(0.2, cpu * (1 + 0.4 * wave)), limit))
    started = now - timedelta(hours=5 * len(name))
    found = target(name, image, series, limit)
    return found | {"health": health, "opted_in": opted_in, "own": own, "started_at": started.isoformat()}


def sample(at: datetime, memory: float, cpu: float, limit: int | None) -> dict[str, Any]:
    used = int(memory * (limit or 256) * MIB / 100)
    percent = round(memory, 1) if limit else None
    return {"at": at.isoformat(), "memory_bytes": used, "memory_percent": percent, "cpu_percent": round(cpu, 1)}


def target(name: str, image: str, series: list[dict[str, Any]], limit: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "id": "4f1c" * 3,
        "run": "running",
        "health": "healthy",
        "image": image,
        "exit_code": None,
        "oom_killed": False,
        "restart_count": 0,
        "opted_in": True,
        "own": False,
        "limits": {"memory_bytes": limit * MIB if limit else None, "cpus": 1.0},
        "usage": series[-1],
        "series": series,
        "open_incident_id": None,
    }


def leaking(row: tuple[Any, ...], now: datetime) -> dict[str, Any]:
    """A target whose memory grows evenly, and the forecast of that."""
    name, image, limit, percent, seconds, (earliest, latest) = row
    slope = (100 - percent) / seconds  # % a second
    series = []
    for step in range(SAMPLES):
        before = PAUSE * (SAMPLES - 1 - step)
        memory = max(24.0, percent - slope * before) + 0.4 * math.sin(step * 1.7)
        series.append(sample(now - timedelta(seconds=before), memory, 14 + 4 * math.sin(step / 4), limit))
    rate = slope * limit * MIB / 100
    words = f"a leak of {rate / MIB:.1f} MiB/s over the last 178 s reaches the limit of {limit} MiB in {seconds:.0f} s"
    forecast = {
        "seconds_to_limit": seconds, "earliest": earliest, "latest": latest, "bytes_per_second": rate,
        "samples": SAMPLES, "span_seconds": PAUSE * (SAMPLES - 1), "limit_bytes": limit * MIB, "words": words,
    }  # fmt: skip
    started = (now - timedelta(hours=7)).isoformat()
    return target(name, image, series, limit) | {"started_at": started, "forecast": forecast}
