"""What stands between a diagnosis and the host: a pure function with its reasons in sentences."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from .action import Action
from .diagnosis import Category, Diagnosis
from .model import Stored
from .target import TargetState, Watch, is_own, opted_in


class Verdict(StrEnum):
    """What may happen now."""

    ACT = "ACT"  # carry the action out (NOOP: carry nothing out, and verify)
    ASK = "ASK"  # a person has to say yes
    REFUSE = "REFUSE"  # not this, not now, not by us
    REST = "REST"  # wait until `until`, then look again


class Autonomy(StrEnum):
    """How far Aegis goes by itself."""

    OBSERVE = "observe"  # never act
    SUGGEST = "suggest"  # always ask
    AUTO = "auto"  # act where policy allows


class Policy(Stored):
    """The settings that bound what Aegis does."""

    watch: Watch = Watch.LABELED
    autonomy: Autonomy = Autonomy.AUTO
    confidence_threshold: float = 0.7
    cooldown_seconds: float = 60.0
    max_attempts: int = 3
    attempt_window_seconds: float = 600.0
    own_names: frozenset[str] = frozenset()


class History(Stored):
    """When actions were begun on a target since it was last verified healthy, and the last one of all."""

    attempts: tuple[datetime, ...] = ()
    last_action_at: datetime | None = None


class Decision(Stored):
    """A verdict with its reasons. `until` is set with REST: when to look again."""

    verdict: Verdict
    action: Action
    confidence: float
    reasons: tuple[str, ...]
    until: datetime | None = None


class _Ruling(NamedTuple):
    verdict: Verdict
    reason: str
    until: datetime | None = None


def decide(
    diagnosis: Diagnosis, target: TargetState | None, history: History, policy: Policy, now: datetime
) -> Decision:
    """Decide what may be done about a diagnosis. The order of the rules is the order of DESIGN §7."""
    respected = target is not None and target.stopped_by_person
    action = Action.NOOP if respected else diagnosis.action
    ruling = (
        _by_recovery(diagnosis)
        or _by_target(target, policy)
        or _by_action(action, respected, diagnosis, policy)
        or _by_history(history, policy, now)
        or _Ruling(Verdict.ACT, f"Opted in, {diagnosis.confidence:.2f} sure, and no limit stands against it.")
    )
    return Decision(
        verdict=ruling.verdict,
        action=action,
        confidence=diagnosis.confidence,
        reasons=(ruling.reason,),
        until=ruling.until,
    )


def forbidden(target: TargetState, policy: Policy) -> str | None:
    """Say why a target must never be touched, or None. Also asked again at the moment of acting."""
    if is_own(target, policy.own_names):
        return f"{target.ref.name} is part of Aegis itself and is never acted on."
    if not opted_in(target.labels, policy.watch):
        return f"{target.ref.name} has not opted in (label aegis.enable=true), so it is never touched."
    return None


def attempts_in_window(history: History, policy: Policy, now: datetime) -> int:
    """Count the attempts since the last verified health that lie inside the window.

    An attempt in the future (the clock was set back) counts: in doubt, do less.
    """
    since = now - timedelta(seconds=policy.attempt_window_seconds)
    return sum(1 for at in history.attempts if at > since)


def _by_recovery(diagnosis: Diagnosis) -> _Ruling | None:
    if diagnosis.category is Category.HEALTHY and diagnosis.action is Action.NOOP:
        return _Ruling(Verdict.ACT, "Nothing is wrong any more: nothing is done, and that is verified.")
    return None


def _by_target(target: TargetState | None, policy: Policy) -> _Ruling | None:
    if target is None:
        return _Ruling(Verdict.REFUSE, "The runtime knows no target of this name, so there is nothing to act on.")
    barred = forbidden(target, policy)
    return _Ruling(Verdict.REFUSE, barred) if barred else None


def _by_action(action: Action, respected: bool, diagnosis: Diagnosis, policy: Policy) -> _Ruling | None:
    if respected:
        return _Ruling(Verdict.ACT, "A person stopped or paused it; that is respected.")
    if action is Action.NOOP:
        return _Ruling(Verdict.ACT, "The diagnosis asks for no action; the outcome is verified all the same.")
    if policy.autonomy is not Autonomy.AUTO:
        return _Ruling(Verdict.ASK, f"Autonomy is '{policy.autonomy}': {action} needs a person.")
    if action is not Action.RESTART:
        return _Ruling(Verdict.ASK, f"{action} needs approval.")
    sure, needed = diagnosis.confidence, policy.confidence_threshold
    if sure < needed:
        return _Ruling(Verdict.ASK, f"The diagnosis is only {sure:.2f} sure; {needed:.2f} is needed to act.")
    return None


def _by_history(history: History, policy: Policy, now: datetime) -> _Ruling | None:
    tries = attempts_in_window(history, policy, now)
    if tries >= policy.max_attempts:
        minutes = policy.attempt_window_seconds / 60
        return _Ruling(
            Verdict.REFUSE,
            f"{tries} attempts within {minutes:g} minutes have not made it healthy; a person has to look.",
        )
    if history.last_action_at is None:
        return None
    until = rests_until(history, policy)
    since = now - history.last_action_at
    if until is None or not timedelta(0) <= since < until - history.last_action_at:
        return None  # over, or the clock was set back: a pause never outlasts that
    reason = f"The last action was {since.total_seconds():.0f} s ago; it rests until {until:%H:%M:%S} UTC."
    return _Ruling(Verdict.REST, reason, until)


def rests_until(history: History, policy: Policy) -> datetime | None:
    """Say until when a target is left alone after its last action; the pause doubles with each attempt in vain."""
    if history.last_action_at is None:
        return None
    pause = policy.cooldown_seconds * 2 ** max(0, len(history.attempts) - 1)
    return history.last_action_at + timedelta(seconds=min(pause, policy.attempt_window_seconds))
