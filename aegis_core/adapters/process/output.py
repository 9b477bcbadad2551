"""What a target prints: a file that it writes to by itself, so that output goes on while no agent is there.

The lines carry no times. So whoever looks leaves marks, "at this time the file was this long", next to the file; a
question for the lines since a moment is answered from the newest mark that is not younger than that moment. The answer
may hold a little more than was asked for (at most what was printed between two marks), never less.
"""

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from aegis_core.domain.logs import clean_lines
from aegis_core.ports import Clock

MOST_BYTES: Final = 8 * 1024 * 1024  # of the current file; one older file of this size is kept
READ_BYTES: Final = 1024 * 1024  # looked at for one answer: 200 lines of 2 KiB, and as much again in cut ones
MARK_SECONDS: Final = 0.5


class _Mark(NamedTuple):
    at: float  # seconds since the epoch
    position: int  # bytes from the start of the current file; negative: in the older one


class OutputLog:
    """The output of one target: `NAME.log`, the older `NAME.log.1`, and `NAME.marks`."""

    def __init__(self, folder: Path, name: str, clock: Clock, most_bytes: int = MOST_BYTES) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{name}.log"
        self._older = folder / f"{name}.log.1"
        self._marks_path = folder / f"{name}.marks"
        self._clock = clock
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._marks = self._load_marks()

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Open the file for a process to print to, as a descriptor that is closed afterwards."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def mark(self, least_seconds: float = 0.0) -> None:
        """Mark how long the file is now, unless it has not grown or the last mark is younger than that."""
        with self._lock:
            # The size comes first: what is printed between the two readings then counts as printed after the mark.
            size, now = _size(self._path), self._clock().timestamp()
            last = self._marks[-1] if self._marks else None
            if last is None or (size != last.position and abs(now - last.at) >= least_seconds):
                self._marks.append(_Mark(now, size))
                # On a full disk the mark holds as long as this agent lives.
                with suppress(OSError), self._marks_path.open("a", encoding="ascii") as file:
                    file.write(f"{now!r} {size}\n")

    def trim(self) -> None:
        """Set the file aside when it has grown too big. What is printed in that very moment may be lost."""
        if _size(self._path) <= self._most_bytes:
            return
        with self._lock:
            draft = self._older.with_suffix(".draft")
            shutil.copyfile(self._path, draft)
            os.replace(draft, self._older)
            os.truncate(self._path, 0)
            moved = _size(self._older)
            marks = [_Mark(mark.at, mark.position - moved) for mark in self._marks]
            self._marks = [mark for mark in marks if mark.position >= -moved]
            self._save_marks()

    def clear(self) -> None:
        """Forget everything: the target is another one now."""
        with self._lock:
            for path in (self._path, self._older, self._marks_path):
                path.unlink(missing_ok=True)
            self._marks = []

    def tail(self, most: int, since: datetime | None = None) -> Sequence[str]:
        """Return at most this many of the newest lines, cleaned, oldest first."""
        if most <= 0:
            return ()
        self.mark()
        with self._lock:
            end, first = _size(self._path), -_size(self._older)
            asked = first if since is None else self._position_at(since.timestamp(), first)
            start = max(asked, end - READ_BYTES)
            raw = self._read(start, end)
        if start > asked:  # begun in the middle of a line
            raw = raw.partition(b"\n")[2] or raw
        return clean_lines(raw, most)

    def _position_at(self, moment: float, first: int) -> int:
        return next((mark.position for mark in reversed(self._marks) if mark.at <= moment), first)

    def _read(self, start: int, end: int) -> bytes:
        raw = b""
        if start < 0:
            raw = _slice(self._older, _size(self._older) + start, -start)
        return raw + _slice(self._path, max(0, start), end - max(0, start))

    def _load_marks(self) -> list[_Mark]:
        size, older, marks = _size(self._path), _size(self._older), []
        try:
            lines = self._marks_path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            at, _, position = line.partition(" ")
            try:
                mark = _Mark(float(at), int(position))
            except ValueError:  # torn by a crash
                continue
            if -older <= mark.position <= size:
                marks.append(mark)
        return marks

    def _save_marks(self) -> None:
        text = "".join(f"{mark.at!r} {mark.position}\n" for mark in self._marks)
        self._marks_path.write_text(text, encoding="ascii")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _slice(path: Path, start: int, length: int) -> bytes:
    if length <= 0:
        return b""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
