"""The processes of a target: the main process, its descendants, and what of them outlived their parents.

A target is started in a session of its own, so that its processes are found again when the kernel has given them
another parent. One that leaves the session (a daemon) is still found as a descendant while its parents live, and is
remembered from then on.
"""

import os
import time
from collections.abc import Iterable, Sequence
from typing import Final

import psutil

RUN_VARIABLE: Final = "AEGIS_RUN"
"""Names the run in the environment of a target's processes, so that they are told from strangers with a reused pid."""

_LOOK_SECONDS: Final = 1.0  # reading the process table is the dear part of a sample
_SWEEP_SECONDS: Final = 3.0


class Family:
    """The processes of one run."""

    def __init__(self, leader: psutil.Process) -> None:
        self._leader = leader
        self._known: Sequence[psutil.Process] = (leader,)
        self._looked_at = 0.0

    def memory_bytes(self) -> int:
        """Resident memory of all of them together; pages that they share count for each."""
        return sum(_rss(process) for process in self._members())

    def cpu_seconds(self) -> float:
        """CPU time of all of them together since they began, that of children which have ended included."""
        return sum(_cpu_seconds(process) for process in self._members())

    def kill(self) -> None:
        """Kill them all, the main process first. Returns at once."""
        for process in (self._leader, *self._look()):
            _kill(process)

    def sweep(self) -> bool:
        """Kill what the main process has left behind; True when nothing of it is left."""
        deadline = time.monotonic() + _SWEEP_SECONDS
        while left := [process for process in self._look() if process != self._leader and _alive(process)]:
            for process in left:
                _kill(process)
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _members(self) -> Sequence[psutil.Process]:
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._look()
        return self._known

    def _look(self) -> Sequence[psutil.Process]:
        """Read the process table anew. Who was a member once and lives stays one."""
        found = {process.pid: process for process in self._known if _alive(process)}
        for process in (*_descendants(self._leader), *in_session(self._leader.pid)):
            found.setdefault(process.pid, process)
        self._known = tuple(found.values())
        self._looked_at = time.monotonic()
        return self._known


def in_session(leader: int) -> Iterable[psutil.Process]:
    """Find every process of the session that this pid began."""
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == leader:
                yield psutil.Process(pid)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue


def sweep_run(leader: int, run: str) -> None:
    """Kill what is left of a run that ended while nobody watched. Only processes that carry its mark are touched."""
    left = [process for process in in_session(leader) if carries(process, run)]
    for process in left:
        _kill(process)
    psutil.wait_procs(left, timeout=_SWEEP_SECONDS)


def carries(process: psutil.Process, run: str) -> bool:
    """Tell whether a process was started by this run."""
    try:
        return process.environ().get(RUN_VARIABLE) == run
    except (psutil.Error, OSError):
        return False


def _descendants(process: psutil.Process) -> Sequence[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return ()


def _rss(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has ended meanwhile, or is about to
        return 0


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return
