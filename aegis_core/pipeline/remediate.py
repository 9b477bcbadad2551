"""Remediate: one decision, one effect. The intent is committed first, and whoever resumes observes before acting."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.change import Relation
from aegis_core.domain.correlation import unwell
from aegis_core.domain.definition import scale
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident
from aegis_core.domain.intent import Goal, Intent
from aegis_core.domain.policy import Decision, Verdict, forbidden, still
from aegis_core.domain.target import TargetState, without_secrets
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeAway, RuntimeUnavailable, TargetGone

from .outcome import undone
from .planning import planned
from .tools import Tools, failed, rested

STOP_MARGIN: Final = 15.0  # seconds after its stop timeout within which a restart that has begun must have ended
SETTLE: Final = timedelta(seconds=3)  # a request that a killed agent had sent shows in the runtime's events by then

STALE_AFTER: Final = timedelta(minutes=5)  # older evidence says nothing about now: the agent was away
MOST_TRIES: Final = 3  # of a change that the runtime does not finish; then it is taken back
MOST_TURNS: Final = 5  # how often in one incident a change of the target makes Aegis look anew
_STOPPED: Final = "A person has stopped or paused it meanwhile; that is respected."


def intend(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Commit what is about to happen and what was observed before it. NOOP goes straight to verification.

    The target is looked at once more: it has to be the one that was diagnosed, and policy has to agree still.
    """
    decision = incident.decision
    if decision is None:
        return ()
    if decision.action is Action.NOOP:
        return (_nothing_done(),)
    if incident.cleared_at and not incident.tried:
        return (rested(tools.clock(), "Whoever reported it has said meanwhile that it is over."),)
    before = tools.effector.find(incident.target)
    overtaken = _overtaken(incident, before, tools)
    if overtaken or before is None:
        return _anew(incident, overtaken, tools)
    return _no_longer(incident, decision, before, tools) or _intent(incident, decision.action, before, tools)


def _no_longer(incident: Incident, decision: Decision, before: TargetState, tools: Tools) -> Sequence[Draft]:
    """Ask policy once more: between the decision and now another incident may have acted, or hours gone by.

    Where a person has to be asked by now, it is looked at anew first.
    """
    around, now = tools.around(incident.target, before), tools.clock()
    ruled = still(decision, incident.approval, around, tools.policy, now)
    reason = " ".join(ruled.reasons)
    match ruled.verdict:
        case Verdict.ACT:
            return ()
        case Verdict.REST | Verdict.ASK:
            return (rested(ruled.until or now, reason),)
        case _:
            return _refused(reason)


def _intent(incident: Incident, action: Action, before: TargetState, tools: Tools) -> Sequence[Draft]:
    """What is to come of it is planned now and kept: whoever resumes neither plans nor does it a second time."""
    try:
        goal = planned(incident, action, before, tools)
    except TargetGone as error:
        return _anew(incident, str(error), tools)
    except ActionUnsupported as error:
        return _refused(str(error))
    asked = incident.approval
    if asked and asked.approved and asked.goal != Goal():  # it is done exactly as it was shown
        goal = asked.goal.model_copy(update={"starts": goal.starts})
    intent = Intent(action=action, at=tools.clock(), before=without_secrets(before), goal=goal)
    data = {"intent": intent.model_dump(mode="json")}
    return (Draft(type=EventType.ACTION_INTENDED, agent=Agent.RESOLUTION, data=data),)


def remediate(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Make the intended effect happen exactly once, whatever happened to the agent or the reply in between.

    Raises RuntimeUnavailable when the outcome is not known: the stage is run again, and observes first.
    """
    intent = incident.intent
    if intent is None:
        return ()
    try:
        return (_change_once if intent.reversible else _restart_once)(incident, intent, tools)
    except TargetGone as error:
        return _taken_back(intent, str(error), tools) or _anew(incident, str(error), tools)
    except ActionUnsupported as error:
        return _taken_back(intent, str(error), tools) or _refused(str(error))
    except RuntimeAway:
        raise
    except RuntimeUnavailable as error:
        if not intent.reversible or incident.stumbles < MOST_TRIES:
            raise
        return _taken_back(intent, str(error), tools) or _refused(str(error))


def _restart_once(incident: Incident, intent: Intent, tools: Tools) -> Sequence[Draft]:
    target = intent.before.ref
    begun = _begun(incident, intent, tools)
    state = _settled(intent, tools) if begun and _asked(incident, intent, tools) else tools.effector.observe(target)
    if not (begun and intent.reached(state)):
        hindered = _hindered(incident, state, tools)  # also where the stop that was begun is not the half of a restart
        if hindered:
            return hindered
        tools.effector.apply(intent.action, intent.before, intent.goal)
        state = tools.effector.observe(target)
    return (_done(intent, state, tools),)


def _change_once(incident: Incident, intent: Intent, tools: Tools) -> Sequence[Draft]:
    """SCALE_UP, ROLLBACK: their goal is absolute, so that it is reached or not, however often it was asked for.

    In the middle of a change, what is seen of the target says nothing: it is finished.
    """
    state = _look(intent, tools)
    if state is None or not intent.reached(state):
        if not tools.reverter.under_way(intent):
            hindered = _hindered(incident, tools.effector.observe(intent.before.ref), tools)
            if hindered:
                return _taken_back(intent, "It was called off.", tools) or hindered
        tools.effector.apply(intent.action, intent.before, intent.goal)
        state = _look(intent, tools)
    if state is None:
        raise TargetGone(f"{intent.before.ref.name} is gone.")
    return (_done(intent, state, tools),)


def _look(intent: Intent, tools: Tools) -> TargetState | None:
    """A rollback puts another target of the same name in the place of the old one."""
    if intent.action is Action.ROLLBACK:
        return tools.effector.find(intent.before.ref.name)
    return tools.effector.observe(intent.before.ref)


def _hindered(incident: Incident, state: TargetState, tools: Tools) -> Sequence[Draft]:
    """Ask at the moment of acting whether it may still be acted on."""
    if state.stopped_by_person:
        return _anew(incident, _STOPPED, tools)
    barred = forbidden(state, tools.policy)
    return _refused(barred) if barred else ()


def _taken_back(intent: Intent, reason: str, tools: Tools) -> Sequence[Draft]:
    """Undo what was done of a change that cannot be finished, and give it to a person; nothing where nothing was."""
    if not intent.reversible:
        return ()
    try:
        seen = tools.reverter.undo(intent)
    except TargetGone:  # and with it all that was done
        return ()
    except (NotUndone, ActionUnsupported) as error:
        told = f"{intent.action} could not be finished ({reason}) and not be undone: {error}"
        return (failed(Agent.RESOLUTION, told),)
    return (undone(seen, reason), failed(Agent.RESOLUTION, reason)) if seen else ()


def _followers(parent: TargetState, tools: Tools) -> Sequence[str]:
    """Restart what lives in the target's network namespace: it went with the old one (DESIGN §7).

    Looking before acting makes this safe to run again: whoever has started after the target is left alone.
    """
    told = []
    for neighbour in tools.source.neighbours(parent.ref):
        child = neighbour.state
        if neighbour.relation is not Relation.NETWORK_CHILD or not _left_behind(child, parent):
            continue
        barred = forbidden(child, tools.policy)
        if barred:
            told.append(f"{child.ref.name} shares its network and was left as it is: {barred}")
            continue
        with suppress(TargetGone):  # removed meanwhile: nothing to restart
            _follow(child, parent, tools)
            told.append(f"{child.ref.name} restarted after it, for it shares its network")
    return told


def _left_behind(child: TargetState, parent: TargetState) -> bool:
    """Tell whether it runs, or should run, in a network that is no more; what has done its work is not begun anew."""
    stale = child.started_at is None or parent.started_at is None or child.started_at < parent.started_at
    return stale and not child.stopped_by_person and (child.running or unwell(child) is not None)


def _follow(child: TargetState, parent: TargetState, tools: Tools) -> None:
    """Restart it once, also where an agent was killed in the middle of that."""
    intent = Intent(action=Action.RESTART, at=parent.started_at or tools.clock(), before=child)
    if not (tools.effector.begun(child.ref, intent.at) and intent.reached(_settled(intent, tools))):
        tools.effector.apply(Action.RESTART, child)


def _begun(incident: Incident, intent: Intent, tools: Tools) -> bool:
    """Ask the runtime's own record whether the effect was begun.

    After a crash or a lost reply the request may still be on its way: then it is given a moment to show.
    """
    target = intent.before.ref
    if tools.effector.begun(target, intent.at):
        return True
    if not _asked(incident, intent, tools):
        return False
    rest = (intent.at + SETTLE - tools.clock()).total_seconds()
    if rest > 0:
        tools.wait(min(rest, SETTLE.total_seconds()))
    return tools.effector.begun(target, intent.at)


def _asked(incident: Incident, intent: Intent, tools: Tools) -> bool:
    """Tell whether an earlier try, or another agent, may have asked for the effect already: not of an intent of just
    now."""
    fresh = intent.at >= tools.born and tools.clock() - intent.at < SETTLE
    return incident.stumbles > 0 or not fresh


def _settled(intent: Intent, tools: Tools) -> TargetState:
    """Watch a stop that is under way until it has ended, or has had all the time that it may take."""
    return tools.watch(
        lambda: tools.effector.observe(intent.before.ref),
        enough=intent.reached,
        seconds=intent.before.stop_timeout + STOP_MARGIN,
    )


def _overtaken(incident: Incident, before: TargetState | None, tools: Tools) -> str:
    """Say what has happened since the evidence was gathered that makes the decision one about the past."""
    if before is None:
        return f"{incident.target} no longer exists."
    approved = incident.approval is not None and incident.approval.approved
    if incident.evidence and not approved and tools.clock() - incident.evidence.at > STALE_AFTER:
        return "The decision rests on evidence from too long ago."
    seen = incident.evidence.target if incident.evidence else None
    if seen and seen.ref != before.ref:
        return f"{incident.target} was recreated since it was looked at; the decision was about the old one."
    if seen and seen.definition != before.definition:
        return f"{incident.target} was updated since it was looked at; the decision was about what it was before."
    if seen and _restarted(seen, before):
        return (
            f"Somebody has restarted {incident.target} since it was looked at; the decision was about the time before."
        )
    return _STOPPED if before.stopped_by_person else ""


def _restarted(seen: TargetState, now: TargetState) -> bool:
    """By somebody: the restarts that a restart policy makes by itself are counted, and are part of the trouble."""
    if seen.started_at is None or now.started_at is None:
        return False
    return now.started_at > seen.started_at and now.restart_count <= seen.restart_count


def _nothing_done() -> Draft:
    data = {"action": Action.NOOP, "seen": "nothing was done"}
    return Draft(type=EventType.ACTION_EXECUTED, agent=Agent.RESOLUTION, data=data)


def _done(intent: Intent, state: TargetState, tools: Tools) -> Draft:
    """Say what was reached, and on which target it can be verified; whoever lives in its network follows it."""
    followed = _followers(state, tools) if intent.goal.begins_a_run(intent.action) else ()
    told = [f"{state.run}, {state.started}", *_defined(intent, state), *followed]
    data = {"action": intent.action, "seen": "; ".join(told), "target": state.ref.model_dump()}
    return Draft(type=EventType.ACTION_EXECUTED, agent=Agent.RESOLUTION, data=data)


def _defined(intent: Intent, state: TargetState) -> Sequence[str]:
    match intent.action:
        case Action.SCALE_UP:
            return (f"{scale(intent.before)} → {scale(state)}",)
        case Action.ROLLBACK:
            return (f"{intent.before.image} → {intent.goal.image}",)
        case _:
            return ()


def _refused(reason: str) -> Sequence[Draft]:
    return (_not_done(reason), failed(Agent.RESOLUTION, reason))


def _anew(incident: Incident, reason: str, tools: Tools) -> Sequence[Draft]:
    """Nothing was done, because things have changed: gather the evidence again, but not for ever."""
    if len(incident.tried) >= MOST_TURNS:
        return _refused(reason)
    return (_not_done(reason), rested(tools.clock(), reason))


def _not_done(reason: str) -> Draft:
    return Draft(type=EventType.ACTION_FAILED, agent=Agent.RESOLUTION, data={"reason": reason})
