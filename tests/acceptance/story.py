"""An incident from its signal to its end in an agent of this process, where a test can strike at the exact moment."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aegis_core.bootstrap import Parts, build
from aegis_core.domain.events import EventType
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.ports import Brain
from aegis_core.settings import load

from .moments import HookedLog
from .served_agent import until
from .ward import Patient, Ward


class Story:
    """One incident about a container of a ward, disturbed once at a moment. `old` is the id that it began with."""

    def __init__(self, ward: Ward, patient: Patient, folder: Path, brain: Brain, **settings: Any) -> None:
        self.patient = patient
        self.old = self.patient.id
        self._ward, self._folder, self._brain, self._settings = ward, folder, brain, settings

    def tell(self, moment: str, disturb: Callable[[], object]) -> None:
        """Let it all happen in an agent of this process; `disturb` is called at the first such moment."""
        due = [disturb]

        def at(place: str) -> None:
            if place == moment and due:
                due.pop()()

        settings = load(
            data_dir=self._folder, runtime="docker", docker_host=self._ward.engine.url, sense_seconds=3600,
            debounce_seconds=0, stability_seconds=1, verify_wait_seconds=0.3, **self._settings,
        )  # fmt: skip
        with build(settings, Parts(brain=self._brain, events=lambda log: HookedLog(log, at))) as agent:
            signal = Signal(
                target=self.patient.name, fault=Fault.UNHEALTHY, severity=Severity.CRITICAL, at=datetime.now(UTC),
                source="test", incident_id="one",
            )  # fmt: skip
            agent.services.submit(signal)
            until(lambda: agent.services.incidents.get("one").closed, "the incident to end", 30)
            self.incident: Incident = agent.services.incidents.get("one")
            self.events = list(agent.services.incidents.events("one"))
        assert not due, f"{moment} never came"

    def told(self, kind: EventType) -> list[Any]:
        return [event.data for event in self.events if event.type is kind]

    @property
    def looked_at(self) -> list[str | None]:
        """The ids of the containers that evidence was gathered of."""
        targets = [data["evidence"]["target"] for data in self.told(EventType.EVIDENCE_GATHERED)]
        return [target and target["ref"]["id"] for target in targets]
