"""Deliberate: let policy decide what may be done about the diagnosis."""

from collections.abc import Sequence

from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident
from aegis_core.domain.policy import Decision, Verdict, decide

from .tools import Tools, failed


def deliberate(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Turn a diagnosis into a decision with its reasons.

    ACT goes on to the hands; REST waits and then looks anew; ASK and REFUSE end FAILED, for a person.
    """
    if incident.diagnosis is None:
        return ()
    target = tools.effector.find(incident.target)
    history = tools.incidents.history(incident.target)
    decision = decide(incident.diagnosis, target, history, tools.policy, tools.clock())
    data = {"decision": decision.model_dump(mode="json")}
    return (Draft(type=EventType.DECIDED, agent=Agent.RESOLUTION, data=data), *_what_follows(decision))


def _what_follows(decision: Decision) -> Sequence[Draft]:
    reason = " ".join(decision.reasons)
    if decision.verdict is Verdict.ACT:
        return ()
    if decision.verdict is Verdict.REST and decision.until is not None:
        data = {"until": decision.until.isoformat(), "reason": reason}
        return (Draft(type=EventType.RESTED, agent=Agent.RESOLUTION, data=data),)
    return (failed(Agent.RESOLUTION, reason),)
