"""The recorded cases as questions, with all the evidence that was gathered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from aegis_core.adapters.cases import read_cases
from aegis_core.domain.trial import Question, question_of

RECORDED = Path(__file__).with_name("recorded")


def read_recorded(folder: Path = RECORDED) -> Sequence[Question]:
    """Read what `tests.evals.record` has written, ordered by name."""
    return [question_of(case, datetime.now(UTC)) for case in read_cases(folder)]
