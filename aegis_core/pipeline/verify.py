"""Verify: look until the target is proven healthy, or has had its time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.forecast import forecast
from aegis_core.domain.incident import Incident
from aegis_core.domain.intent import Goal
from aegis_core.domain.lograte import PATTERN_LABEL, matching
from aegis_core.domain.signal import Fault
from aegis_core.domain.symptom import steady_seconds, thresholds_of
from aegis_core.domain.target import TargetState
from aegis_core.domain.verification import HTTP_OK, Expectation, Judgement, Observation, Probe, judge
from aegis_core.errors import RuntimeProblem, TargetGone

from .outcome import before_it, concluded
from .tools import Tools

LATENCY_PROBES: Final = 8
LATENCY_PAUSE: Final = 0.4  # seconds; together about 3 s, in which a slow statement or lock shows


def verify(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Judge what the action led to. Healthy closes the incident; else there is another attempt, or a person.

    What can be taken back is judged only, and `undo` concludes.

    Raises RuntimeUnavailable when the runtime cannot be asked: the stage is run again.
    """
    decision, intent = incident.decision, incident.intent
    reversible = intent is not None and intent.reversible
    if decision is None or incident.executed_at is None or (reversible and incident.judgement):
        return ()
    before = before_it(incident)
    since = intent.at if intent else incident.executed_at
    expected = _expectation(incident, decision.action, since, before.labels if before else {}, tools)
    judgement = _until_clear(incident, before, expected, tools)
    verified = Draft(
        type=EventType.VERIFIED, agent=Agent.RESOLUTION, data={"judgement": judgement.model_dump(mode="json")}
    )
    if reversible:  # first it is made final, or taken back
        return (verified,)
    return (verified, *concluded(incident, judgement, tools))


def _expectation(
    incident: Incident, action: Action, since: datetime, labels: Mapping[str, str], tools: Tools
) -> Expectation:
    limits, own = tools.verification, thresholds_of(labels, tools.thresholds)
    return Expectation(
        fault=incident.fault,
        action=action,
        since=since,
        goal=incident.intent.goal if incident.intent else Goal(),
        memory_percent=own.memory_percent,
        cpu_percent=own.cpu_percent,
        latency_seconds=limits.latency_seconds,
        stability_seconds=steady_seconds(incident.fault, incident.signal.metrics, limits.stability_seconds),
    )


def _until_clear(incident: Incident, before: TargetState | None, expected: Expectation, tools: Tools) -> Judgement:
    """Look again with growing pauses until all holds; give up after the attempts, or, while only time is missing,
    after the limit."""
    how = tools.verification

    def enough(call: RetryCallState) -> bool:
        if (call.seconds_since_start or 0.0) >= how.limit_seconds + (before.rollout_seconds if before else 0.0):
            return True
        latest: Judgement | None = call.outcome.result() if call.outcome and not call.outcome.failed else None
        return call.attempt_number >= how.attempts and not (latest and latest.pending)

    looking = Retrying(
        retry=retry_if_result(lambda judgement: not judgement.healthy),
        stop=enough,
        wait=wait_exponential(multiplier=how.wait_seconds, exp_base=how.wait_factor, max=how.most_wait_seconds),
        sleep=tools.wait,
        retry_error_callback=_latest,
    )
    judgement: Judgement = looking(lambda: judge(before, _look(incident, expected, tools), expected))
    return judgement


def _latest(call: RetryCallState) -> Any:
    return call.outcome.result() if call.outcome else None


def _look(incident: Incident, expected: Expectation, tools: Tools) -> Observation:
    """One look at the same target that was acted on, or at the one that the action has put in its place."""
    try:
        if incident.intent:
            target = incident.executed_on or incident.intent.before.ref
            state: TargetState | None = tools.effector.observe(target)
        else:
            state = tools.effector.find(incident.target)
    except TargetGone:
        state = None
    state = tools.measured(state, incident.fault) if state else None
    now = tools.incidents.get(incident.id)
    over = now.cleared_at is not None
    if state is None:
        return Observation(state=None, reported_over=over)
    since = incident.executed_at or expected.since
    return Observation(
        state=state,
        probe=_probed(state, expected, tools),
        errors_since=_errors_since(state, since, tools),
        signals_since=int(now.last_signal_at > since),
        full_in_seconds=_full_in(state, expected, tools),
        reported_over=over,
    )


def _full_in(state: TargetState, expected: Expectation, tools: Tools) -> float | None:
    """Seconds until the memory that it was given is used up, as the watcher's samples tell."""
    if expected.action is not Action.SCALE_UP or state.limits.memory_bytes is None:
        return None
    name = state.ref.name
    samples, hours = tools.sightings.series(name), tools.sightings.hours(name)
    foreseen = forecast(samples, state.limits.memory_bytes, tools.clock(), hours)
    return foreseen.seconds_to_limit if foreseen else None


def _probed(state: TargetState, expected: Expectation, tools: Tools) -> Probe | None:
    """Ask the health URL; where slowness is the symptom, several times, and the worst answer counts.

    What is slow because of a lock or a queue lets every now and then a request through.
    """
    if not state.health_url or not state.running:
        return None
    worst = tools.prober.probe(state.health_url)
    for _ in range(LATENCY_PROBES - 1 if expected.fault is Fault.LATENCY else 0):
        if worst.status != HTTP_OK or worst.seconds > expected.latency_seconds:
            break
        tools.wait(LATENCY_PAUSE)
        worst = max(worst, tools.prober.probe(state.health_url), key=lambda one: (one.status != HTTP_OK, one.seconds))
    return worst


def _errors_since(state: TargetState, since: datetime, tools: Tools) -> int | None:
    """Count the lines that its owner has said to be telling, else those that speak of errors."""
    try:
        return len(matching(tools.source.logs(state.ref, since=since), state.labels.get(PATTERN_LABEL, "*")))
    except RuntimeProblem:
        return None
