"""Small real containers for the tests of the Docker adapter, each gone when its test is over."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

IMAGE = "python:3.11-slim"
OBEDIENT = ("sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done")
DEAF = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")


def docker(*arguments: str) -> str:
    """Run the `docker` command as a person would, and return what it prints, stdout and stderr."""
    done = subprocess.run(
        ["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}"
    return done.stdout.strip()


def wait_until(condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
    """Wait for a condition to hold; fail with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)


class SmallContainer:
    """A running container, as the engine itself (and not the adapter) sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.since = datetime.now(UTC)

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(docker("inspect", "--format={{json .State}}", self.name)))

    @property
    def id(self) -> str:
        return docker("inspect", "--format={{.Id}}", self.name)

    def log(self) -> str:
        return docker("logs", self.name)

    def events(self, *kinds: str) -> list[str]:
        """The engine's own record of what happened to it since it was made, such as ["start", "restart"]."""
        filters = [f"--filter=event={kind}" for kind in kinds]
        since, until = str(self.since.timestamp()), str(datetime.now(UTC).timestamp())
        ranged = ("events", f"--since={since}", f"--until={until}", f"--filter=container={self.name}", *filters)
        return docker(*ranged, "--format={{.Action}}").split()


@contextmanager
def running(*options: str, command: tuple[str, ...] = OBEDIENT) -> Iterator[SmallContainer]:
    """Run a container with these options of `docker run`; it is removed at the end, whatever became of it."""
    name = f"aegis-it-{uuid.uuid4().hex[:8]}"
    one = SmallContainer(name)
    try:
        docker("run", "--detach", f"--name={name}", *options, IMAGE, *command)
        if "ready" in command[-1]:
            wait_until(lambda: "ready" in one.log(), f"{name} to be ready")
        yield one
    finally:
        docker("rm", "--force", "--volumes", name)
