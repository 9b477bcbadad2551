"""What the runtime remembers of a target, on disk before it is acted on.

One JSON file per target, replaced as a whole (temporary file, fsync, rename, fsync of the folder). After a `kill -9`
of the agent the next one reads here which processes it has to take up and which stop was begun and not finished.
"""

import fcntl
import os
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from pydantic import ValidationError

from aegis_core.domain.model import Stored
from aegis_core.errors import AlreadyRunning, ConfigError

MOST_HAPPENINGS: Final = 50
SHUTDOWN: Final = timedelta(seconds=10)  # a host that goes down gives everybody about as long before it kills
LOCK_SECONDS: Final = 1.0  # an agent that was killed while it forked holds the lock until that child has got going
OOM_EXIT_CODE: Final = 137  # 128 + SIGKILL: what the kernel's OOM killer leaves of a container
NOT_STARTED_EXIT_CODE: Final = 127  # a shell's word for a command that could not be run
_OUTSIDE_EXIT_CODES: Final = frozenset({0, 130, 143})  # ended on purpose; 128 + SIGINT; 128 + SIGTERM


class Phase(StrEnum):
    """Where a target stands in the journal."""

    CREATED = "created"  # never started
    RUNNING = "running"
    STOPPING = "stopping"  # a stop was begun; the process may or may not be there still
    EXITED = "exited"


class Asked(StrEnum):
    """Who wanted the target to end."""

    NOBODY = "nobody"  # it runs, or it crashed
    AEGIS = "Aegis"  # the stop of a restart
    PERSON = "a person"  # through the runtime
    OUTSIDE = "somebody outside"  # not through the runtime: told by the exit code
    AGENT = "the end of the agent"  # to be started again with the next agent


_BY_PERSON: Final = frozenset({Asked.PERSON, Asked.OUTSIDE})


class Happening(Stored):
    """Something that the runtime did or saw, in Docker's words for events. Times are told in UTC."""

    at: datetime
    text: str

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.text}"


class Record(Stored):
    """One target in the journal. Each method gives the record that follows; nothing changes in place."""

    id: str
    definition: str
    phase: Phase = Phase.CREATED
    run: str = ""  # marks the processes of this run, in their environment
    pid: int | None = None
    create_time: float | None = None  # of the process, seconds since the epoch
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None  # None also where nobody was there to see it
    oom_killed: bool = False
    asked: Asked = Asked.NOBODY
    begun_at: datetime | None = None  # when a stop or restart was begun last
    memory_bytes: int | None = None  # the limit that was put in the place of the definition's
    command: tuple[str, ...] = ()  # the command that was put in the place of the definition's
    happenings: tuple[Happening, ...] = ()

    @property
    def stopped_by_person(self) -> bool:
        return self.asked in _BY_PERSON

    def begun_since(self, since: datetime) -> bool:
        """Tell whether a stop or restart was begun at or after this moment."""
        return self.begun_at is not None and self.begun_at >= since

    def ended_by_shutdown(self, now: datetime) -> bool:
        """Tell, at the end of the agent, whether the host that goes down has ended the target already.

        It sends SIGTERM to everybody, so that what ended by it just before the agent was not stopped by a person.
        """
        ended = self.finished_at if self.asked is Asked.OUTSIDE else None
        return ended is not None and now - ended < SHUTDOWN

    def noting(self, at: datetime, text: str) -> Self:
        """Add a happening; the oldest are forgotten."""
        happenings = (*self.happenings, Happening(at=at, text=text))
        return self.model_copy(update={"happenings": happenings[-MOST_HAPPENINGS:]})

    def starting(self, at: datetime, run: str, pid: int, create_time: float) -> Self:
        """A process is there, and waits to be let go."""
        fresh = {"phase": Phase.RUNNING, "run": run, "pid": pid, "create_time": create_time, "started_at": at}
        cleared = {"finished_at": None, "exit_code": None, "oom_killed": False, "asked": Asked.NOBODY}
        return self.model_copy(update={**fresh, **cleared}).noting(at, f"start (pid {pid})")

    def not_started(self, at: datetime, reason: str) -> Self:
        """The machine could not make a process of it."""
        end = {"phase": Phase.EXITED, "finished_at": at, "exit_code": NOT_STARTED_EXIT_CODE, "asked": Asked.NOBODY}
        return self.model_copy(update=end).noting(at, f"start failed ({reason})")

    def stopping(self, at: datetime, asked: Asked, running: bool) -> Self:
        """A stop, or the stop of a restart, is about to begin."""
        phase = Phase.STOPPING if running else self.phase
        record = self.model_copy(update={"begun_at": at, "asked": asked, "phase": phase})
        return record.noting(at, f"kill (signal 15, asked for by {asked})") if running else record

    def limited(self, at: datetime, memory_bytes: int | None) -> Self:
        """From now on this is its limit; None: the definition's."""
        told = f"{memory_bytes // 2**20} MiB" if memory_bytes else "as it is defined"
        return self.model_copy(update={"memory_bytes": memory_bytes}).noting(at, f"update (memory limit {told})")

    def commanded(self, at: datetime, command: tuple[str, ...]) -> Self:
        """From the next start on this is its command; none: the definition's."""
        return self.model_copy(update={"command": command}).noting(at, "update (command)")

    def never_ran(self) -> Self:
        """The agent died before it let the process go."""
        return self.model_copy(update={"phase": Phase.CREATED, "asked": Asked.NOBODY})

    def killing_for_memory(self, at: datetime, used: int, limit: int) -> Self:
        """It has passed its memory limit and is about to be killed."""
        text = f"oom ({used // 2**20} MiB used, limit {limit // 2**20} MiB)"
        return self.model_copy(update={"oom_killed": True}).noting(at, text)

    def ended(self, at: datetime, exit_code: int | None) -> Self:
        """The process is gone. Without a stop of ours the exit code tells a person's stop from a crash.

        Whoever sends SIGTERM (143) or SIGINT (130), or ends the program from inside (0), wants it to end. SIGKILL from
        outside (137) is what the kernel and a failing watchdog send: a crash, as is every other code.
        """
        if self.oom_killed:
            exit_code = OOM_EXIT_CODE
        if self.phase is Phase.STOPPING:
            asked = self.asked
        else:
            wanted = not self.oom_killed and exit_code in _OUTSIDE_EXIT_CODES
            asked = Asked.OUTSIDE if wanted else Asked.NOBODY
        told = "unknown" if exit_code is None else exit_code
        end = {"phase": Phase.EXITED, "finished_at": at, "exit_code": exit_code, "asked": asked}
        return self.model_copy(update=end).noting(at, f"die (exit code {told})")


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Journal:
    """The folder of records. One runtime at a time holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None

    def acquire(self) -> None:
        """Make this agent the only one on the folder; ends with the process. Raises AlreadyRunning."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + LOCK_SECONDS
        while not _locked(lock):
            if time.monotonic() > deadline:
                os.close(lock)
                raise AlreadyRunning(f"Another agent runs the processes of {self._folder}.")
            time.sleep(0.02)
        self._lock = lock

    def release(self) -> None:
        """Let another agent have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def names(self) -> Iterable[str]:
        """Name every target that has a record."""
        return sorted(file.stem for file in self._folder.glob("*.json"))

    def load(self, name: str) -> Record | None:
        """Read a record; None where there is none. Raises ConfigError for a file that is not one."""
        path = self._path(name)
        try:
            return Record.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise ConfigError(
                f"{path} cannot be understood. End the process of {name} if there is one, remove the file, start again."
            ) from error

    def save(self, name: str, record: Record) -> None:
        """Write a record; it is on disk when this returns. Raises OSError, and then the old record is still there."""
        path = self._path(name)
        draft = path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(record.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        self._sync()

    def mark(self, name: str) -> Path:
        """The file in which a process of the target leaves the mark of its run when it is let go."""
        return self._folder.resolve() / f"{name}.run"

    def has_run(self, name: str, run: str) -> bool:
        """Tell whether the processes of this run were ever let go."""
        try:
            return self.mark(name).read_text(encoding="ascii").strip() == run
        except (FileNotFoundError, UnicodeDecodeError):
            return False

    def remove(self, name: str) -> None:
        """Forget a target."""
        self._path(name).unlink(missing_ok=True)
        self.mark(name).unlink(missing_ok=True)
        self._sync()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
