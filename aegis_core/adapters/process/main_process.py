"""The main process of a target: one that we started, or one that an earlier agent started and we took over."""

import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import psutil

from .config import TargetSpec
from .family import RUN_VARIABLE, Family, carries

# A new process waits here until it is in the journal. When the agent dies first the pipe closes, and nothing has run:
# so there is never a copy of a target that no journal knows of. What is let go leaves its mark in the file that it is
# told, so that a run which ended is told from one which never was. `exec` keeps the pid.
_GATE: Final = (
    "/bin/sh",
    "-c",
    'read -r AEGIS_GO || exit 1; echo "$AEGIS_RUN" >"$AEGIS_GO"; exec "$@" </dev/null',
    "sh",
)
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what Docker gives a container
_SAME_PROCESS_SECONDS: Final = 0.5  # create times are computed from the clock, which may be corrected a little
_LOOK_SECONDS: Final = 0.02


class MainProcess:
    """A process with its exit code (where we are its parent) and its family."""

    def __init__(self, process: psutil.Process, child: subprocess.Popen[bytes] | None) -> None:
        self._process = process
        self._child = child
        self.family = Family(process)

    @classmethod
    def spawn(cls, spec: TargetSpec, run: str, output: int) -> Self:
        """Start a process that waits for `release`. Raises OSError where the machine refuses another process."""
        child = subprocess.Popen(  # noqa: S603 - running the owner's own commands is the purpose
            [*_GATE, *spec.command],
            cwd=spec.cwd,
            env=_environment(spec.env, run),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        return cls(psutil.Process(child.pid), child)

    @classmethod
    def take_over(cls, pid: int, create_time: float, run: str) -> Self | None:
        """Take over a process that an earlier agent left behind; None where it has ended.

        The creation time tells it from a stranger that got its pid; where the clock was set meanwhile, its mark does.
        """
        try:
            process = psutil.Process(pid)
            same = abs(process.create_time() - create_time) < _SAME_PROCESS_SECONDS or carries(process, run)
            return cls(process, None) if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def create_time(self) -> float:
        return self._process.create_time()

    @property
    def exit_code(self) -> int | None:
        """128 + signal for a signal, as shells and Docker tell it; None where it lives or was taken over."""
        code = self._child.returncode if self._child else None
        return 128 - code if code is not None and code < 0 else code

    @property
    def paused(self) -> bool:
        """Somebody has sent SIGSTOP."""
        try:
            return self._process.status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    def release(self, mark: Path) -> None:
        """Let a spawned process go on to its command; it writes its run into this file."""
        gate = self._child.stdin if self._child else None
        assert gate is not None, "only what was spawned waits at the gate"
        try:
            gate.write(f"{mark}\n".encode())
            gate.close()
        except BrokenPipeError:  # killed at the gate: it is seen as ended
            return

    def ended(self) -> bool:
        """Tell whether it is gone; safe to ask from many threads."""
        if self._child:
            return self._child.poll() is not None
        try:
            return not self._process.is_running() or self._process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False when it has not come in time."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def terminate(self) -> None:
        """Ask it to end, as Docker does: SIGTERM to the main process only."""
        for number in (signal.SIGTERM, signal.SIGCONT):  # a stopped process hears nothing before it goes on
            try:
                self._process.send_signal(number)
            except psutil.NoSuchProcess:
                return


def _environment(env: Mapping[str, str], run: str) -> dict[str, str]:
    return {"PATH": _PATH, **env, RUN_VARIABLE: run}
