"""What it costs while nothing happens."""

import json
import subprocess
import time
import uuid
from pathlib import Path

import psutil

from .core import core, get

IDLE_SECONDS = 20.0
WATCHED = 200


def idle(process: psutil.Process) -> tuple[float, float]:
    """RSS in MiB and CPU in percent of one core, of the core process alone, over 20 s without signals."""
    before = process.cpu_times()
    time.sleep(IDLE_SECONDS)
    after = process.cpu_times()
    busy = (after.user - before.user) + (after.system - before.system)
    return process.memory_info().rss / 2**20, 100 * busy / IDLE_SECONDS


def watching(folder: Path) -> str:
    """RSS and CPU with 200 real containers that opted in and do nothing."""
    prefix = f"aegis-watched-{uuid.uuid4().hex[:6]}"
    run = f"docker run --detach --label=aegis.enable=true --memory=32m --network=none --name={prefix}-$0"
    one = f"{run} python:3.11-slim sleep 86400"
    numbers = "\n".join(str(number) for number in range(WATCHED))
    crowd = ["xargs", "-P", "4", "-n", "1", "sh", "-c", one]
    try:
        subprocess.run(crowd, input=numbers, text=True, check=True, capture_output=True, timeout=300)
        with core(folder, AEGIS_RUNTIME="docker") as (port, process):
            while len(seen := json.loads(get(port, "/targets")[1])["items"]) < WATCHED:
                time.sleep(0.2)
            time.sleep(IDLE_SECONDS)  # every one has its first samples
            rss, cpu = idle(process)
    finally:
        names = subprocess.run(
            ["docker", "ps", "-aq", f"--filter=name={prefix}"], capture_output=True, text=True, check=False
        )
        subprocess.run(["xargs", "-n", "20", "docker", "rm", "-f"], input=names.stdout, text=True, check=False)
    return f"{len(seen)} containers watched: RSS {rss:.0f} MiB (target ≤ 120), CPU {cpu:.1f} % of a core (target ≤ 3)"
