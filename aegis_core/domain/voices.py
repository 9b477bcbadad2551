"""The voices of the four agents that vote: each gives an opinion, or says why it abstains (DESIGN §6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from .action import Action
from .diagnosis import Diagnosis
from .events import Agent
from .evidence import Evidence
from .opinion import STALE_AFTER, TERMS, Data, Opinion
from .policy import Circumstances, Policy, forbidden, rests_until
from .signal import FORESEEN, Fault
from .symptom import LOOP_WINDOW, Thresholds, thresholds_of
from .target import Health, RunState, TargetState
from .trust import Trust

Voice = Opinion | str
"""An opinion, or the reason why there is none."""

CANNOT_RUN: Final = frozenset({126, 127})  # exit codes of a shell: what it is told to run is not there, or no program
EVEN: Final = 0.5  # trust from which on an action is more likely to help than not
FORESIGHT: Final = 0.85
IN_VAIN: Final = 0.1  # less sure with each time that the same action has not helped in this incident
_MEASURED: Final = {Fault.MEMORY_PRESSURE: "memory_percent", Fault.CPU_SATURATION: "cpu_percent"}
_FEASIBLE: Final = {Action.NOOP: 0.9, Action.RESTART: 0.9, Action.SCALE_UP: 0.85, Action.ROLLBACK: 0.8}
_COOLING: Final = 0.2  # less sure while the last action is still settling


class Call(NamedTuple):
    """What an observed state calls for: actions, and how surely each would answer it."""

    why: str
    answers: Mapping[Action, float]


def missing_data(evidence: Evidence, now: datetime) -> frozenset[Data]:
    """Tell what the agents have to do without. A log that was read and is empty is not missing."""
    missing = {data for data in Data if any(_unread(told, data) for told in evidence.missing)}
    measure, target = _MEASURED.get(evidence.fault), evidence.target
    if measure and target and target.running and getattr(target.usage, measure, None) is None:
        missing.add(Data.METRICS)
    if now - evidence.at > STALE_AFTER:
        missing.add(Data.FRESHNESS)
    return frozenset(missing)


def _unread(told: str, data: Data) -> bool:
    return told.startswith(f"{data}:") and not told.endswith("has printed nothing")


def detection(evidence: Evidence, proposed: Action, usual: Thresholds) -> Voice:
    """Say whether the observed state itself calls for the proposed action, or what it calls for instead.

    Nothing that a log says counts here: who writes the log does not choose the action.
    """
    state = evidence.target
    if state is None:
        return "the runtime knows no such target"
    call = _of_state(evidence, state) or _of_pressure(evidence, state, usual) or _of_report(evidence, state)
    if call is None:
        return "nothing that can be observed speaks for an action or against it"
    action = proposed if proposed in call.answers else max(call.answers, key=lambda one: call.answers[one])
    times = sum(told.startswith(f"{action}:") for told in evidence.tried)
    why = f"{call.why} {action} has not helped {times}×." if times else call.why
    confidence = round(max(0.0, call.answers[action] - IN_VAIN * times), 2)
    return Opinion(agent=Agent.DETECTION, action=action, confidence=confidence, reason=why)


def _of_state(evidence: Evidence, state: TargetState) -> Call | None:
    """What its run state and its own health check say."""
    back = {Action.ROLLBACK: 0.9} if _released(evidence) else {}
    if state.stopped_by_person:
        return Call("A person stopped or paused it.", {Action.NOOP: 0.95})
    if state.run is RunState.RESTARTING or (evidence.fault is Fault.CRASH_LOOP and not _lasts(state)):
        return Call("It ends again and again soon after its start.", {Action.RESTART: 0.75, **back, **_more(state)})
    if state.run in (RunState.EXITED, RunState.DEAD):
        return _of_end(state, back)
    if state.running and state.health is Health.UNHEALTHY:
        return Call("It runs, and its health check fails.", {Action.RESTART: 0.9, **back})
    return None


def _of_end(state: TargetState, back: Mapping[Action, float]) -> Call | None:
    if state.oom_killed:
        return Call("The kernel killed it for its memory.", {Action.RESTART: 0.9, **_more(state)})
    if not state.exit_code:
        return None  # a job that is done looks the same
    if state.exit_code in CANNOT_RUN:
        return Call("What it is told to run cannot be run.", back or {Action.NOOP: 0.8})
    return Call(f"It ended with exit code {state.exit_code}.", {Action.RESTART: 0.95, **back})


def _more(state: TargetState) -> Mapping[Action, float]:
    return {Action.SCALE_UP: 0.9} if state.oom_killed else {}


def _released(evidence: Evidence) -> bool:
    """Whether its image has changed lately (see definition.differences; the time stands in front)."""
    return any(text.partition(" ")[2].startswith("image ") for text in evidence.changes)


def _lasts(state: TargetState) -> bool:
    return state.running and state.started_at is not None and state.at - state.started_at > LOOP_WINDOW


def _of_pressure(evidence: Evidence, state: TargetState, usual: Thresholds) -> Call | None:
    """What was measured of its memory and CPU says."""
    own, usage = thresholds_of(state.labels, usual), state.usage
    more = {Action.RESTART: 0.9, Action.SCALE_UP: 0.85}
    if usage and usage.memory_percent is not None and usage.memory_percent >= own.memory_percent:
        return Call(f"Memory is at {usage.memory_percent:.0f} % of its limit.", more)
    if FORESEEN in evidence.metrics:
        return Call("Its memory grows steadily towards the limit.", {Action.RESTART: 0.85})
    if usage and usage.cpu_percent is not None and usage.cpu_percent >= own.cpu_percent:
        return Call(f"CPU is at {usage.cpu_percent:.0f} % of its allowance.", more)
    return None


def _of_report(evidence: Evidence, state: TargetState) -> Call | None:
    """What somebody reports, and what the state says to that."""
    contradiction = _contradiction(evidence.fault, state)
    if contradiction:
        return Call(contradiction, {Action.NOOP: 0.8})
    if state.running:
        why = "It was reported, and nothing that can be observed speaks against it."
        return Call(why, {Action.NOOP: 0.7, Action.RESTART: 0.7})
    return None


def _contradiction(fault: Fault, state: TargetState) -> str:
    if not state.running or state.health is Health.STARTING:
        return ""
    measured = getattr(state.usage, _MEASURED[fault], None) if fault in _MEASURED else None
    if measured is not None:
        return f"It was reported, and only {measured:.0f} % are measured."
    if fault in (Fault.CRASHED, Fault.OOM_KILLED, Fault.CRASH_LOOP):
        return "It was reported to have ended, and it runs."
    return "Its health check passes." if fault is Fault.UNHEALTHY and state.health is Health.HEALTHY else ""


def diagnosis(said: Diagnosis) -> Voice:
    """Say what the brain has said, unless it took too long."""
    limit = TERMS[Agent.DIAGNOSIS].limit_seconds
    if said.seconds > limit:
        return f"it took {said.seconds:.1f} s, and has {limit:.0f} s"
    return Opinion(agent=Agent.DIAGNOSIS, action=said.action, confidence=said.confidence, reason=said.root_cause)


def prediction(evidence: Evidence, proposed: Action, trust: Trust | None, foreseen: str) -> Voice:
    """Say what the runbook makes one expect of the proposed action here, else what the forecast calls for.

    `foreseen` tells in words of memory that will reach its limit; it is empty where none will.
    """
    if proposed is not Action.NOOP and trust is not None:
        times = f"{proposed} helped {trust.successes} of {trust.successes + trust.failures} times here"
        if trust.mean < EVEN:
            return _predicts(Action.NOOP, 1 - trust.mean, f"{times}: it is not to be expected to help now.")
        return _predicts(proposed, trust.mean, f"{times}.")
    if foreseen and evidence.fault is Fault.MEMORY_PRESSURE:
        return _predicts(Action.RESTART, FORESIGHT, f"{foreseen[:1].upper()}{foreseen[1:]}.")
    return "there is no forecast, and no verified outcome of this action here"


def _predicts(action: Action, confidence: float, reason: str) -> Opinion:
    return Opinion(agent=Agent.PREDICTION, action=action, confidence=confidence, reason=reason)


def resolution(
    proposed: Action, seen: TargetState | None, around: Circumstances, *, hindrance: str, policy: Policy, now: datetime
) -> Voice:
    """Say whether the proposed action can be carried out on the target as it is now, and safely.

    `seen` is the target as the evidence has it; `hindrance` is why the runtime cannot do it, empty where it can.
    """
    target = around.target
    if target is None:
        return "the runtime knows no such target"
    barred = forbidden(target, policy)
    if barred:
        return barred
    if seen is not None and seen.ref != target.ref:
        hindrance = "It was recreated since it was looked at."
    if proposed is Action.NOOP or hindrance:
        return _resolves(Action.NOOP, _FEASIBLE[Action.NOOP], hindrance or "To do nothing is always possible.")
    until = rests_until(around.history, policy)
    if until and now < until:
        return _resolves(proposed, _FEASIBLE[proposed] - _COOLING, "It can be done, soon after the last action.")
    return _resolves(proposed, _FEASIBLE[proposed], "It can be done here.")


def _resolves(action: Action, confidence: float, reason: str) -> Opinion:
    return Opinion(agent=Agent.RESOLUTION, action=action, confidence=round(confidence, 2), reason=reason)
