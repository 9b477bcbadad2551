"""Deliberate: let the four agents vote, and policy decide what may be done about it."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from aegis_core.domain import voices
from aegis_core.domain.action import Action
from aegis_core.domain.approval import Approval
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident
from aegis_core.domain.intent import Goal
from aegis_core.domain.model import Stored
from aegis_core.domain.opinion import Opinion, consensus, lowered
from aegis_core.domain.policy import Circumstances, Decision, Verdict, decide, recovered
from aegis_core.domain.target import without_secrets

from .panel import Heard
from .planning import prospect
from .predict import predict
from .tools import Tools, being_stopped, failed, rested


def deliberate(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Turn a diagnosis into a decision with its reasons, and keep what every agent said.

    ACT goes on to the hands; REST waits and then looks anew; ASK waits for a person; REFUSE ends FAILED, for a person
    to take over. What somebody has begun to stop since it was looked at is looked at anew first.
    """
    diagnosis, evidence = incident.diagnosis, incident.evidence
    if diagnosis is None or evidence is None:
        return ()
    target, seen = tools.effector.find(incident.target), evidence.target
    if target and being_stopped(target) and not (seen and being_stopped(seen)):
        return (rested(tools.clock(), f"Somebody is stopping {incident.target}: how that ends is what counts."),)
    around, now = tools.around(incident.target, target), tools.clock()
    plan = prospect(incident, diagnosis.action, target, tools)
    heard = Heard((), {}) if recovered(diagnosis) else _heard(incident, evidence, around, plan.hindrance, tools)
    opinions = tuple(lowered(one, voices.missing_data(evidence, now)) for one in heard.opinions)
    together = consensus(opinions, incident.target, heard.abstained, incident.distrusted)
    decision = _possible(decide(diagnosis, together, around, tools.policy, now), diagnosis.action, plan.hindrance)
    told = [_event(EventType.OPINION_GIVEN, one.agent, "opinion", one) for one in opinions]
    decided = _event(EventType.DECIDED, Agent.RESOLUTION, "decision", decision)
    goal = plan.goal if decision.action is diagnosis.action else Goal()
    return (*told, decided, *_what_follows(decision, opinions, around, goal, tools))


def _possible(decision: Decision, proposed: Action, hindered: str) -> Decision:
    """What cannot be done is not asked for either: it is refused, with the reason why it cannot."""
    may = decision.verdict in (Verdict.ACT, Verdict.ASK)
    if not hindered or not may or decision.action is not proposed:
        return decision
    return decision.model_copy(update={"verdict": Verdict.REFUSE, "reasons": (hindered,)})


def _heard(incident: Incident, evidence: Evidence, around: Circumstances, hindered: str, tools: Tools) -> Heard:
    assert incident.diagnosis is not None
    diagnosis, proposed, now = incident.diagnosis, incident.diagnosis.action, tools.clock()
    return tools.panel.hear(
        {
            Agent.DETECTION: partial(voices.detection, evidence, proposed, tools.thresholds),
            Agent.DIAGNOSIS: partial(voices.diagnosis, diagnosis),
            Agent.PREDICTION: partial(predict, incident, evidence, proposed, tools),
            Agent.RESOLUTION: partial(
                voices.resolution,
                proposed,
                evidence.target,
                around,
                hindrance=hindered,
                policy=tools.policy,
                now=now,
            ),
        }
    )


def _what_follows(
    decision: Decision, opinions: Sequence[Opinion], around: Circumstances, goal: Goal, tools: Tools
) -> Sequence[Draft]:
    reason = " ".join(decision.reasons)
    match decision.verdict:
        case Verdict.ACT:
            return ()
        case Verdict.ASK:
            return (_question(decision, opinions, around, goal, tools),)
        case Verdict.REST if decision.until:
            return (rested(decision.until, reason),)
        case _:
            return (failed(Agent.RESOLUTION, reason),)


def _question(
    decision: Decision, opinions: Sequence[Opinion], around: Circumstances, goal: Goal, tools: Tools
) -> Draft:
    """Ask people for exactly this change of exactly this target, and show them who thinks what."""
    now = tools.clock()
    change = goal.words(decision.action, around.target) if around.target else ""
    approval = Approval(
        action=decision.action,
        shown=without_secrets(around.target) if around.target else None,
        goal=goal,
        reasons=(*decision.reasons, *((f"It would be {change}.",) if change else ()), *(one.words for one in opinions)),
        asked_at=now,
        expires_at=now + timedelta(seconds=tools.policy.approval_seconds),
    )
    return _event(EventType.APPROVAL_REQUESTED, Agent.COMMUNICATION, "approval", approval)


def _event(kind: EventType, agent: Agent, name: str, value: Stored) -> Draft:
    return Draft(type=kind, agent=agent, data={name: value.model_dump(mode="json")})
