"""A real `aegis serve` to measure."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

import psutil

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
def core(folder: Path, **settings: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run a real `aegis serve`, on the process runtime unless told otherwise, with the rules alone for a brain."""
    port = free_port()
    targets = folder / "targets.toml"
    targets.write_text(TARGETS)
    environment = {
        "PATH": os.environ["PATH"],
        "AEGIS_PORT": str(port),
        "AEGIS_DATA_DIR": str(folder / f"data-{port}"),
        "AEGIS_RUNTIME": "process",
        "AEGIS_PROCESSES": str(targets),
        "AEGIS_LOG_LEVEL": "ERROR",
        **settings,
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
