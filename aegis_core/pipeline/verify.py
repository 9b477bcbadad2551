"""Verify: look until the target is proven healthy, or has had its time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.impact import assess, tier_of
from aegis_core.domain.incident import Incident
from aegis_core.domain.lograte import PATTERN_LABEL, matching
from aegis_core.domain.policy import attempts_in_window, rests_until
from aegis_core.domain.signal import Fault
from aegis_core.domain.symptom import steady_seconds, thresholds_of
from aegis_core.domain.target import TIER_LABEL, TargetState
from aegis_core.domain.verification import HTTP_OK, Expectation, Judgement, Observation, Probe, judge
from aegis_core.errors import RuntimeProblem, TargetGone

from .tools import Tools, failed

LATENCY_PROBES: Final = 8
LATENCY_PAUSE: Final = 0.4  # seconds; together about 3 s, in which a slow statement or lock shows


def verify(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Judge what the action led to. Healthy closes the incident; else there is another attempt, or a person.

    Raises RuntimeUnavailable when the runtime cannot be asked: the stage is run again.
    """
    decision = incident.decision
    if decision is None or incident.executed_at is None:
        return ()
    intent = incident.intent
    before = intent.before if intent else (incident.evidence.target if incident.evidence else None)
    since = intent.at if intent else incident.executed_at
    expected = _expectation(incident, decision.action, since, before.labels if before else {}, tools)
    judgement = _until_clear(incident, before, expected, tools)
    verified = Draft(
        type=EventType.VERIFIED, agent=Agent.RESOLUTION, data={"judgement": judgement.model_dump(mode="json")}
    )
    return (verified, *_what_follows(incident, judgement, before, tools))


def _expectation(
    incident: Incident, action: Action, since: datetime, labels: Mapping[str, str], tools: Tools
) -> Expectation:
    limits, own = tools.verification, thresholds_of(labels, tools.thresholds)
    return Expectation(
        fault=incident.fault,
        action=action,
        since=since,
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
        if (call.seconds_since_start or 0.0) >= how.limit_seconds:
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


def _seemed_over(incident: Incident) -> bool:
    """Nothing was done because the symptom had gone away: that is believed once."""
    diagnosis = incident.diagnosis
    return diagnosis is not None and diagnosis.category is Category.HEALTHY and not incident.tried


def _look(incident: Incident, expected: Expectation, tools: Tools) -> Observation:
    """One look at the same target that was acted on."""
    try:
        if incident.intent:
            state: TargetState | None = tools.effector.observe(incident.intent.before.ref)
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
        reported_over=over,
    )


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


def _what_follows(
    incident: Incident, judgement: Judgement, before: TargetState | None, tools: Tools
) -> Sequence[Draft]:
    now = tools.clock()
    if judgement.healthy:
        tier = tier_of(before.labels.get(TIER_LABEL, "") if before else "")
        # Without an action of ours nothing was saved, nor where a person has stopped it.
        healed = incident.attempts > 0 and judgement.shows_running
        impact = assess(incident.opened_at.astimezone(), now, tier, tools.rates) if healed else None
        data: dict[str, Any] = {"impact": impact.model_dump(mode="json") if impact else None}
        return (Draft(type=EventType.RESOLVED, agent=Agent.RESOLUTION, data=data),)
    told = "; ".join(judgement.failures)
    if _seemed_over(incident):
        data = {"until": now.isoformat(), "reason": f"It seemed to be over, and is not: {told}."}
        return (Draft(type=EventType.RESTED, agent=Agent.RESOLUTION, data=data),)
    if incident.intent is None:
        cause = incident.diagnosis.root_cause if incident.diagnosis else str(incident.fault)
        return (failed(Agent.RESOLUTION, f"{_sentence(cause)} Nothing that Aegis may do mends this ({told})."),)
    history = tools.incidents.history(incident.target)
    tries = attempts_in_window(history, tools.policy, now)
    if tries >= tools.policy.max_attempts:
        return (failed(Agent.RESOLUTION, f"{incident.intent.action} did not help, {tries} times in a row: {told}."),)
    until = rests_until(history, tools.policy) or now
    rested = {"until": until.isoformat(), "reason": f"{incident.intent.action} did not help: {told}."}
    return (Draft(type=EventType.RESTED, agent=Agent.RESOLUTION, data=rested),)


def _sentence(text: str) -> str:
    """The text with an end: brains write a root cause with a full stop or without."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
