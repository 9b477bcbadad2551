"""The nightly export. Its fault: it never deletes old files, and fills the disk."""

import logging
import shutil
import threading
from pathlib import Path

from aegis_infra.target_app.background import Background
from aegis_infra.target_app.disk import DiskSpace
from aegis_infra.target_app.settings import MIB

BLOCK_BYTES = 64 * 1024
FILE_BYTES = 4 * MIB
RETRY_SECONDS = 3.0
ROW = b"2026-11-20;order 4711;item-07;quantity 3;cents 1999\n"

log = logging.getLogger(__name__)


class Exports:
    """While active, writes `rate` MiB/s of export files until the disk is full, and then goes on failing.

    The files survive a restart, as files do; only `stop` removes them.
    """

    def __init__(self, folder: Path, disk: DiskSpace) -> None:
        self._folder = folder
        self._disk = disk
        self._rate = 0.0
        self._thread = Background("nightly-export", self._work)

    @property
    def active(self) -> bool:
        """Also when files of an earlier run still fill the disk."""
        return self._thread.running or self._folder.is_dir()

    def start(self, rate: float) -> bool:
        if self._thread.running:
            return False
        self._rate = rate
        self._folder.mkdir(parents=True, exist_ok=True)
        log.info("nightly export begins, old files are kept")
        self._thread.start()
        return True

    def stop(self) -> None:
        self._thread.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def tell_what_is_left(self) -> None:
        """Logs what an earlier run left behind."""
        used, allowed = self._disk.usage()
        if self._folder.is_dir():
            log.warning("exports of earlier runs are still there: %s", _fill(used, allowed))

    def _work(self, stop: threading.Event) -> None:
        number = sum(1 for _ in self._folder.iterdir())
        while not stop.is_set():
            number += 1
            path = self._folder / f"orders-{number:05}.csv"
            try:
                self._write(path, stop)
            except OSError as error:
                log.error("export of %s failed: %s (%s)", path.name, error, _fill(*self._disk.usage()))
                number -= 1  # the next try takes the same file again
                stop.wait(RETRY_SECONDS)

    def _write(self, path: Path, stop: threading.Event) -> None:
        block = (ROW * (BLOCK_BYTES // len(ROW) + 1))[:BLOCK_BYTES]
        with path.open("ab", buffering=0) as file:
            while file.tell() < FILE_BYTES and not stop.wait(BLOCK_BYTES / (self._rate * MIB)):
                self._disk.claim(len(block), path)
                file.write(block)
        log.info("exported %s, %s", path.name, _fill(*self._disk.usage()))


def _fill(used: int, allowed: int) -> str:
    return f"{used / MIB:.1f} of {allowed / MIB:.1f} MiB used, {100 * used / allowed:.0f} %"
