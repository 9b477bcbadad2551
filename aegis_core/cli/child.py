"""A child process of `aegis demo`: in a session of its own, printing to a file, ended with all that it has started."""

import os
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from .failures import ChildDied
from .words import short

KILL_SECONDS: Final = 5.0
LAST_LINES: Final = 12
LINE_BYTES: Final = 4096


class Child:
    """One process, by what it is to people (`name`), and the file that it prints to."""

    def __init__(self, name: str, command: Sequence[str], log: Path, cwd: Path | None = None) -> None:
        self.name, self.log = name, log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                [*_bound_to_us(), *command],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal reaches the demo alone, which ends its parts in order
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise ChildDied when it has ended."""
        code = self.exit_code
        if code is not None:
            raise ChildDied(f"The {self.name} has ended with exit code {code}. {told_by(self.log)}")

    def stop(self, seconds: float) -> bool:
        """End it, and after `seconds` kill it; tells whether it ended by itself."""
        orderly = self._signal_and_wait(signal.SIGTERM, seconds)
        self._signal_and_wait(signal.SIGKILL, KILL_SECONDS)  # also what it left behind in its session
        return orderly

    def _signal_and_wait(self, number: signal.Signals, seconds: float) -> bool:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def _bound_to_us() -> Sequence[str]:
    """Have the kernel end it when the demo itself is killed, where the system has the command for that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def last_line(log: Path) -> str:
    """The newest line of a log file, cut to a few words; empty where there is none."""
    try:
        lines = log.read_bytes()[-LINE_BYTES:].decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((short(line, 60) for line in reversed(lines) if line.strip()), "")


def told_by(log: Path) -> str:
    """The last lines of a log file, for people."""
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            lines = [short(line, 300) for line in deque(file, maxlen=LAST_LINES) if line.strip()]
    except OSError as error:
        return f"Its log {log} cannot be read ({error.strerror})."
    if not lines:
        return "It has printed nothing."
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in lines)])
