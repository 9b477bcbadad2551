"""The exact moments of an incident's way, for tests that have to strike at one of them, and a brain that is sure."""

from collections.abc import Callable, Sequence
from datetime import datetime

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.events import Draft
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident
from aegis_core.ports import Claim, EventLog, Opening


class HookedLog:
    """An event log that says `before:X` and `after:X` around the commit of every event of type X."""

    def __init__(self, inner: EventLog, at: Callable[[str], None]) -> None:
        self._inner, self._at = inner, at

    def open(self, openings: Sequence[Opening], at: datetime) -> Sequence[tuple[Incident, bool]]:
        self._at("before:SignalReceived")
        opened = self._inner.open(openings, at)
        self._at("after:SignalReceived")
        return opened

    def clear(self, keys: Sequence[str], at: datetime) -> Sequence[Incident]:
        return self._inner.clear(keys, at)

    def answer(self, incident_id: str, said: Callable[[Incident], Sequence[Draft]], at: datetime) -> Incident:
        return self._inner.answer(incident_id, said, at)

    def append(self, claim: Claim, drafts: Sequence[Draft], at: datetime) -> Claim:
        for draft in drafts:
            self._at(f"before:{draft.type}")
        written = self._inner.append(claim, drafts, at)
        for draft in drafts:
            self._at(f"after:{draft.type}")
        return written


class RestartsAlways:
    """A brain that wants everything restarted. `asked` is all that it was shown."""

    def __init__(self) -> None:
        self.asked: list[Evidence] = []

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        self.asked.append(evidence)
        return diagnosis(evidence, Action.RESTART)


def diagnosis(evidence: Evidence, action: Action) -> Diagnosis:
    return Diagnosis(
        root_cause="The worker hangs.",
        category=Category.APP_CRASH_BUG,
        action=action,
        confidence=0.99,
        justification="It was told so by the test.",
        evidence=(f"signal: {evidence.fault}",),
        source=Source.RULES,
    )
