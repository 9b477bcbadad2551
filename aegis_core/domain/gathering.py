"""What a log becomes as evidence: the same for an incident that is investigated and for a recorded case."""

from collections.abc import Sequence
from typing import Final

from .evidence import Evidence
from .logs import fold

LOG_LINES: Final = 200  # the newest ones are read
MOST_TEMPLATES: Final = 60
TAIL_LINES: Final = 40
SILENT: Final = "logs: the target has printed nothing"


def with_log(evidence: Evidence, lines: Sequence[str], happened: Sequence[str] = (), missing: str = "") -> Evidence:
    """Put clean and masked log lines into the evidence, oldest first, with what the runtime did meanwhile.

    `missing` says what could not be had, and why.
    """
    return evidence.model_copy(
        update={
            "templates": fold(lines)[:MOST_TEMPLATES],
            "tail": tuple(lines[-TAIL_LINES:]),
            "happenings": tuple(happened),
            "missing": (*evidence.missing, *([missing] if missing else [])),
        }
    )
