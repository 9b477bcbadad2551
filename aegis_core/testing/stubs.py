"""A brain and a prober that always answer the same."""

from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.verification import Probe


class StubBrain:
    """A brain (port `Brain`) that always says the same to all it is `asked`; before that it raises its `problems`."""

    def __init__(self, answer: Diagnosis) -> None:
        self.answer = answer
        self.asked: list[Evidence] = []
        self.problems: list[Exception] = []

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """See `ports.Brain.diagnose`."""
        self.asked.append(evidence)
        if self.problems:
            raise self.problems.pop(0)
        return self.answer


class StubProber:
    """A prober (port `Prober`) that always gets the same answer. `asked` lists the URLs."""

    def __init__(self, status: int | None = 200, seconds: float = 0.01) -> None:
        self.answer = Probe(status=status, seconds=seconds)
        self.asked: list[str] = []

    def probe(self, url: str) -> Probe:
        """See `ports.Prober.probe`."""
        self.asked.append(url)
        return self.answer
