"""The recorded cases as questions: with all the evidence that was gathered, and not with the log alone."""

import json
from collections.abc import Sequence
from pathlib import Path

from aegis_core.domain.case import case_of
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.trial import Question, question_of

RECORDED = Path(__file__).with_name("recorded")


def read_recorded(folder: Path = RECORDED) -> Sequence[Question]:
    """Read what `tests.evals.record` has written, ordered by name."""
    return [_question(path) for path in sorted(folder.glob("*.json"))]


def _question(path: Path) -> Question:
    document = json.loads(path.read_text(encoding="utf-8"))
    evidence = Evidence.model_validate(document["gathered"])
    return question_of(case_of(document, path.name), evidence.at).model_copy(update={"evidence": evidence})
