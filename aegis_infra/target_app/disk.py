"""The space of the data directory: a quota of our own, or the file system where that is smaller."""

import errno
import os
from pathlib import Path


class DiskSpace:
    """Counts the files of `folder` against `quota_bytes`; on a smaller file system that one's own figures count."""

    def __init__(self, folder: Path, quota_bytes: int) -> None:
        self._folder = folder
        self._quota_bytes = quota_bytes

    def usage(self) -> tuple[int, int]:
        """Bytes used and bytes allowed."""
        system = os.statvfs(self._folder)
        size = system.f_blocks * system.f_frsize
        if 0 < size <= self._quota_bytes:
            return size - system.f_bavail * system.f_frsize, size
        return sum(_size(file) for file in self._folder.rglob("*")), self._quota_bytes

    def claim(self, count: int, path: Path) -> None:
        """Raises OSError (EDQUOT) where `count` more bytes for `path` do not fit into the quota.

        A file system that is smaller than the quota is left to say so itself, at the write.
        """
        used, allowed = self.usage()
        if allowed == self._quota_bytes and used + count > allowed:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(path))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # it has just been removed
        return 0
