"""A recall that looks at the marks of a lesson only: its fault, its signature, its container, its image."""

from collections.abc import Sequence

from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson, similar
from aegis_core.domain.similarity import text_of
from aegis_core.ports import Runbook


class MarksRecall:
    """Recalls lessons of the same fault (port `Recall`)."""

    def __init__(self, runbook: Runbook) -> None:
        self._runbook = runbook

    def similar(self, evidence: Evidence, most: int = 3) -> Sequence[Lesson]:
        """See `ports.Recall.similar`."""
        newest = {text_of(lesson): lesson for lesson in self._runbook.lessons()}
        return similar(newest.values(), evidence, evidence.name, most)
