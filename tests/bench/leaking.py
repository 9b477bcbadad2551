"""Small real containers that leak, or look a little as if they did."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Semaphore

IMAGE = "python:3.11-slim"
LIMIT_MB = 64
RUNNING = Semaphore(3)

# Memory is held as anonymous maps, so that what is given back is given back to the kernel at once.
PROGRAM = """
import mmap, os, random, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
kind, seconds = sys.argv[1], float(sys.argv[2])
held, chunk, began = [], 1 << 17, time.monotonic()
def hold(megabytes):
    while len(held) * chunk > megabytes * 2**20:
        held.pop().close()
    while len(held) * chunk < megabytes * 2**20:
        held.append(mmap.mmap(-1, chunk))
        held[-1].write(b"x" * chunk)
def once():
    if os.path.exists("/begun"):
        time.sleep(3600)
    open("/begun", "w").close()
if kind == "once":
    once()
while True:
    past = time.monotonic() - began
    if kind in ("leak", "once"):
        hold(60 * past / seconds)
    elif kind == "steady":
        hold(35 + random.uniform(-1, 1))
    elif kind == "sawtooth":
        hold(8 + 28 * (past / seconds % 1))
    elif kind == "steps":
        hold(8 + 8 * min(4, past // seconds))
    elif kind == "start_up":
        hold(42 * (1 - 2.718 ** (-past / seconds)))
    time.sleep(0.05)
"""


@dataclass(frozen=True)
class Kind:
    """What a container does; `seconds` are those to the limit, or of a tooth, a step, a start-up."""

    what: str
    seconds: float


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=90).stdout.strip()


class Leaking:
    """A container, and what the engine itself says became of it."""

    def __init__(self, prefix: str, kind: Kind) -> None:
        self.kind = kind
        self.name = f"{prefix}-{kind.what}-{uuid.uuid4().hex[:6]}"

    def run(self) -> None:
        """Run it, when not too many others are just being run: their start would take part of their time."""
        limits = (f"--memory={LIMIT_MB}m", f"--memory-swap={LIMIT_MB}m")
        program = ("python", "-c", PROGRAM, self.kind.what, str(self.kind.seconds))
        with RUNNING:
            docker("run", "--detach", f"--name={self.name}", *limits, IMAGE, *program)

    @property
    def started_at(self) -> datetime:
        return self._moment("StartedAt")

    @property
    def killed_at(self) -> datetime | None:
        """When the kernel killed it for its memory."""
        return self._moment("FinishedAt") if self._state()["OOMKilled"] else None

    @property
    def running(self) -> bool:
        return bool(self._state()["Running"])

    def _moment(self, name: str) -> datetime:
        return datetime.fromisoformat(self._state()[name][:26].rstrip("Z").ljust(26, "0") + "+00:00")

    def _state(self) -> dict[str, str | bool]:
        return dict(json.loads(docker("inspect", "--format={{json .State}}", self.name)))


@contextmanager
def record(path: Path) -> Iterator[Callable[[str, str], int]]:
    """Write down the engine's events as they happen (it remembers 256 only); gives `how often (event, container)`."""
    wanted = [f"--filter=event={event}" for event in ("oom", "restart")]
    with path.open("w") as output:
        command = ["docker", "events", *wanted, "--format={{.Action}} {{.Actor.Attributes.name}}"]
        listening = subprocess.Popen(command, stdout=output)
    try:
        yield lambda event, name: path.read_text().splitlines().count(f"{event} {name}")
    finally:
        listening.terminate()
        listening.wait(timeout=10)


@contextmanager
def made(prefix: str, kinds: Iterable[Kind]) -> Iterator[list[Leaking]]:
    """Give a container of each kind, to be run; all are removed at the end."""
    ours = [Leaking(prefix, kind) for kind in kinds]
    try:
        yield ours
    finally:
        names = [one.name for one in ours]
        subprocess.run(["docker", "rm", "--force", "--volumes", *names], capture_output=True, check=False)
