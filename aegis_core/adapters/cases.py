"""Reads recorded cases from files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aegis_core.domain.case import Case, case_of
from aegis_core.errors import CaseInvalid

MOST_BYTES: Final = 4 * 2**20  # of one file


def read_cases(path: Path) -> Sequence[Case]:
    """Read every `*.json` below a folder, or one file; each holds a case or a list of cases. Ordered by file name.

    Raises CaseInvalid: with file and key where a case is wrong, and where there is none at all.
    """
    if not path.exists():
        raise CaseInvalid(f"there is no {path}; name a folder of cases (one JSON object a file)")
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    cases = [case for file in files for case in _read(file)]
    if not cases:
        raise CaseInvalid(f"there is no case in {path}: it holds no *.json")
    twice = next((one.id for number, one in enumerate(cases) if one.id in {case.id for case in cases[:number]}), None)
    if twice is not None:
        raise CaseInvalid(f"{path}: two cases have the 'id' {twice}")
    return cases


def _read(file: Path) -> Sequence[Case]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise CaseInvalid(f"{file}: larger than {MOST_BYTES // 2**20} MiB")
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CaseInvalid(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise CaseInvalid(f"{file}: is no JSON in UTF-8 ({error})") from error
    if not isinstance(document, list):
        return [case_of(document, str(file))]
    return [case_of(one, f"{file}[{number}]") for number, one in enumerate(document)]
