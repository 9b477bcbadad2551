"""Ends what an earlier agent left behind and nobody wants any more."""

from typing import Final

from aegis_core.errors import RuntimeUnavailable

from .family import sweep_run
from .journal import Record
from .main_process import MainProcess

STOP_SECONDS: Final = 10.0  # where the definition with its own timeout is gone; Docker's default
KILL_SECONDS: Final = 5.0


def end_leftover(record: Record, stop_timeout: float | None) -> None:
    """End the processes of a record, if they are there. Raises RuntimeUnavailable for what survives SIGKILL."""
    if record.pid is None or record.create_time is None:
        return
    process = MainProcess.take_over(record.pid, record.create_time, record.run)
    if process:
        process.terminate()
        if not process.wait(STOP_SECONDS if stop_timeout is None else stop_timeout):
            process.family.kill()
            if not process.wait(KILL_SECONDS):
                raise RuntimeUnavailable(f"Process {record.pid} of an earlier agent does not end, not even by SIGKILL.")
    sweep_run(record.pid, record.run)
