"""Diagnose: ask the brain. It can only choose; it has no hands."""

from collections.abc import Sequence

from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident

from .tools import Tools


def diagnose(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Have the ladder name the root cause and one action; some rung always answers."""
    if incident.diagnosis is not None or incident.evidence is None:
        return ()
    diagnosis = tools.brain.diagnose(incident.evidence)
    data = {"diagnosis": diagnosis.model_dump(mode="json")}
    return (Draft(type=EventType.DIAGNOSED, agent=Agent.DIAGNOSIS, data=data),)
