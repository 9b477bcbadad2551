"""What follows from a verification: the end, another attempt, or a person."""

from collections.abc import Sequence
from typing import Any

from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.impact import assess, tier_of
from aegis_core.domain.incident import Incident
from aegis_core.domain.policy import attempts_in_window, quarantined_until, rests_until
from aegis_core.domain.target import TIER_LABEL, TargetState
from aegis_core.domain.verification import Judgement

from .tools import Tools, failed


def before_it(incident: Incident) -> TargetState | None:
    """The target as it was before anything was done."""
    if incident.intent:
        return incident.intent.before
    return incident.evidence.target if incident.evidence else None


def concluded(incident: Incident, judgement: Judgement, tools: Tools) -> Sequence[Draft]:
    """Close a healed incident; else let it rest until the next attempt, or give it to a person."""
    now, before = tools.clock(), before_it(incident)
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
    history = tools.around(incident.target, None).history
    tries = attempts_in_window(history, tools.policy, now)
    if tries >= tools.policy.max_attempts:
        told = f"{incident.intent.action} did not help, {tries} times in a row: {told}."
        return (failed(Agent.RESOLUTION, f"{told}{_left_alone(incident, tools)}"),)
    until = rests_until(history, tools.policy) or now
    rested = {"until": until.isoformat(), "reason": f"{incident.intent.action} did not help: {told}."}
    return (Draft(type=EventType.RESTED, agent=Agent.RESOLUTION, data=rested),)


def undone(seen: str, reason: str = "") -> Draft:
    """The draft that says what was taken back, and why where no verification has told."""
    data = {"seen": seen, "reason": reason} if reason else {"seen": seen}
    return Draft(type=EventType.UNDONE, agent=Agent.RESOLUTION, data=data)


def _left_alone(incident: Incident, tools: Tools) -> str:
    around = tools.around(incident.target, None)
    until = quarantined_until(around.history, around.standing, tools.policy)
    return f" It is in quarantine until {until:%Y-%m-%d %H:%M} UTC, unless somebody releases it." if until else ""


def _sentence(text: str) -> str:
    """The text with an end: brains write a root cause with a full stop or without."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _seemed_over(incident: Incident) -> bool:
    """Nothing was done because the symptom had gone away: that is believed once."""
    diagnosis = incident.diagnosis
    return diagnosis is not None and diagnosis.category is Category.HEALTHY and not incident.tried
