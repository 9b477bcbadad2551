"""The runbook as one JSON file that people and any tool can read (port `Runbook`).

Writers take turns by a file lock and replace the file as a whole, so that readers need no lock and never see half of
it, also when a writer is killed or the disk is full. What people add to the file by hand stays in it.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from filelock import FileLock

from aegis_core.domain.lesson import Lesson
from aegis_core.errors import RunbookError, StoreError
from aegis_core.ports import Clock

from .page import Page, PageError, read_page

MOST_ENTRIES: Final = 5_000
LOCK_SECONDS: Final = 10.0  # a writer holds the lock for well under a second
SECOND_LOOK_SECONDS: Final = 0.2  # an editor that saves in place may be half-way through

_log = structlog.get_logger(__name__)
_Stamp = tuple[int, int, int]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RunbookFile:
    """Lessons in `path`. Nothing is touched before the first call.

    A missing file is begun with the starter lessons and with whatever `recall` returns (the lessons that the event
    log knows); a corrupt one is set aside as `<name>.corrupt-<time>` and begun anew in the same way. At most
    `most_entries` are kept, the oldest lessons go first.
    """

    def __init__(
        self,
        path: Path,
        starter: bool = True,
        recall: Callable[[], Iterable[Lesson]] = tuple,
        clock: Clock = _utc_now,
        most_entries: int = MOST_ENTRIES,
    ) -> None:
        self._path = path.resolve()  # a link is followed: it must not be replaced by the file
        self._starter = starter
        self._recall = recall
        self._clock = clock
        self._most = most_entries
        self._lock = FileLock(f"{self._path}.lock", timeout=LOCK_SECONDS)
        self._cached: tuple[_Stamp, tuple[Lesson, ...]] | None = None

    def lessons(self) -> Sequence[Lesson]:
        """See `ports.Runbook.lessons`. Entries that are no lessons are passed over. Raises RunbookError."""
        with _translated(f"reading {self._path}"):
            with suppress(FileNotFoundError, PageError):
                return self._read()
            self._include(())
            try:
                return self._read()
            except PageError as error:
                raise RunbookError(f"reading {self._path}: {error}") from error

    def add(self, lesson: Lesson) -> None:
        """See `ports.Runbook.add`. It is on disk when this returns. Raises RunbookError."""
        self._include((lesson,))

    def rebuild(self, lessons: Iterable[Lesson]) -> None:
        """Add those of the lessons that are missing; whatever else is in the file stays. Raises RunbookError."""
        self._include(lessons)

    def _include(self, lessons: Iterable[Lesson]) -> None:
        with _translated(f"writing {self._path}"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                page, damage = self._load()
                if page.add(lessons) or page.begun:
                    page.trim(self._most)
                    self._replace(page.encoded(), damage)

    def _read(self) -> tuple[Lesson, ...]:
        cached = self._cached
        if cached and cached[0] == _stamp(self._path.stat()):
            return cached[1]
        with self._path.open("rb") as file:
            stamp = _stamp(os.fstat(file.fileno()))
            lessons = read_page(file.read()).lessons()
        self._cached = (stamp, lessons)
        return lessons

    def _load(self) -> tuple[Page, str]:
        """Read the file, or begin a new page; then also say what is wrong with the old one."""
        damage = ""
        for pause in (SECOND_LOOK_SECONDS, 0.0):
            try:
                return read_page(self._path.read_bytes()), ""
            except FileNotFoundError:
                damage = ""
                break
            except PageError as error:
                damage = str(error)
                time.sleep(pause)
        try:
            return Page.begin(self._starter, self._recall()), damage
        except StoreError as error:
            raise RunbookError(f"{self._path} has to be rebuilt, and the event log is away: {error}") from error

    def _replace(self, content: bytes, damage: str) -> None:
        # The lock makes the one name enough, and what a killed writer left behind is overwritten by the next.
        temporary = self._path.with_name(f"{self._path.name}.tmp")
        try:
            _write(temporary, content, like=self._path)
            if damage:
                self._set_aside(damage)
            temporary.replace(self._path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self._path.parent)

    def _set_aside(self, damage: str) -> None:
        name = f"{self._path.name}.corrupt-{self._clock():%Y%m%dT%H%M%S.%fZ}"
        aside = self._path.with_name(name)
        while aside.exists():
            aside = aside.with_name(f"{aside.name}+")
        self._path.rename(aside)
        _log.warning(f"The runbook was unreadable ({damage}). It is kept as {aside}, and a new one was begun.")


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # the lock's Timeout is one, too
        raise RunbookError(f"{doing}: {error.strerror or error}") from error


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _write(path: Path, content: bytes, like: Path) -> None:
    with path.open("wb") as file:
        with suppress(FileNotFoundError):
            os.fchmod(file.fileno(), like.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
