"""Deliberate: let policy decide what may be done about the diagnosis."""

from collections.abc import Sequence

from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident
from aegis_core.domain.policy import Decision, Verdict, decide

from .tools import Tools, being_stopped, failed, rested


def deliberate(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Turn a diagnosis into a decision with its reasons.

    ACT goes on to the hands; REST waits and then looks anew; ASK and REFUSE end FAILED, for a person. What somebody has
    begun to stop since it was looked at is looked at anew first.
    """
    if incident.diagnosis is None:
        return ()
    target = tools.effector.find(incident.target)
    seen = incident.evidence.target if incident.evidence else None
    if target and being_stopped(target) and not (seen and being_stopped(seen)):
        return (rested(tools.clock(), f"Somebody is stopping {incident.target}: how that ends is what counts."),)
    history = tools.incidents.history(incident.target)
    decision = decide(incident.diagnosis, target, history, tools.policy, tools.clock())
    data = {"decision": decision.model_dump(mode="json")}
    return (Draft(type=EventType.DECIDED, agent=Agent.RESOLUTION, data=data), *_what_follows(decision))


def _what_follows(decision: Decision) -> Sequence[Draft]:
    reason = " ".join(decision.reasons)
    if decision.verdict is Verdict.ACT:
        return ()
    if decision.verdict is Verdict.REST and decision.until is not None:
        return (rested(decision.until, reason),)
    return (failed(Agent.RESOLUTION, reason),)
