"""Evaluations as files, one each, so that they can be compared, kept and thrown away like any file."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from aegis_core.domain.evaluation import Evaluation

MOST: Final = 20  # the newest ones are read
_log = structlog.get_logger(__name__)


class EvaluationFolder:
    """A folder of evaluations. May be read while another process writes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[Path, tuple[int, Evaluation | None]] = {}  # by file: when it was changed, and what it holds

    def add(self, evaluation: Evaluation) -> Path:
        """Write one; returns its file. Raises OSError."""
        self._path.mkdir(parents=True, exist_ok=True)
        file = self._path / f"{evaluation.at:%Y%m%dT%H%M%S.%fZ}-{evaluation.brain}.json"
        write(file, evaluation)
        return file

    def all(self) -> Sequence[Evaluation]:
        """Return the newest ones, newest first; what cannot be read is passed over."""
        files = sorted(self._path.glob("*.json"), reverse=True)[:MOST]
        known = {file: self._known(file) for file in files}
        self._read = known
        return [found for _, found in known.values() if found]

    def _known(self, file: Path) -> tuple[int, Evaluation | None]:
        try:
            changed = file.stat().st_mtime_ns
            kept = self._read.get(file)
            if kept and kept[0] == changed:
                return kept
            return changed, Evaluation.model_validate_json(file.read_bytes())
        except OSError as error:
            _log.warning("an evaluation cannot be read", file=str(file), error=str(error))
            return 0, None
        except ValidationError as error:
            _log.warning("a file is no evaluation", file=str(file), errors=error.error_count())
            return changed, None


def write(file: Path, evaluation: Evaluation) -> None:
    """Write an evaluation to a file; who reads it finds the old one or the new one, and no half. Raises OSError."""
    if file.exists() and not file.is_file():  # /dev/stdout and the like cannot be replaced
        file.write_text(_text(evaluation), encoding="utf-8")
        return
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(_text(evaluation), encoding="utf-8")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _text(evaluation: Evaluation) -> str:
    return evaluation.model_dump_json(indent=1) + "\n"
