"""Diagnose: ask the brain. It can only choose; it has no hands. What is over by itself costs no question."""

from collections.abc import Sequence

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import lines_of
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import FORESEEN
from aegis_core.domain.symptom import subsided, thresholds_of

from .tools import Tools


def diagnose(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Have the ladder name the root cause and one action; some rung always answers.

    Nobody is asked about a symptom that has gone away, or that its sender has taken back, before anything was done.
    """
    if incident.diagnosis is not None or incident.evidence is None:
        return ()
    over = _over(incident, tools)
    diagnosis = _recovered(incident, over) if over else tools.brain.diagnose(incident.evidence)
    data = {"diagnosis": diagnosis.model_dump(mode="json")}
    return (Draft(type=EventType.DIAGNOSED, agent=Agent.DIAGNOSIS, data=data),)


def _over(incident: Incident, tools: Tools) -> str | None:
    if incident.tried or incident.evidence is None:
        return None  # it has been taken for over, or was acted on: now it is looked at in earnest
    if incident.cleared_at:
        return "whoever reported it says that it is over"
    if FORESEEN in incident.signal.metrics:
        return None if tools.sightings.forecast(incident.target) else "it no longer grows towards its limit"
    target = incident.evidence.target
    return subsided(incident.fault, target, thresholds_of(target.labels if target else {}, tools.thresholds))


def _recovered(incident: Incident, over: str) -> Diagnosis:
    assert incident.evidence is not None
    return Diagnosis(
        root_cause=f"The {incident.fault.replace('_', ' ')} went away without Aegis: {over}.",
        category=Category.HEALTHY,
        action=Action.NOOP,
        confidence=0.95,
        justification="What is well is left alone; it is verified all the same.",
        evidence=(lines_of(incident.evidence)[1 if incident.evidence.target else 0].text,),
        source=Source.RULES,
        model="observation",
    )
