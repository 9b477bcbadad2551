"""What stands between a vote and the host: a pure function with its reasons in sentences (DESIGN §7)."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from .action import Action
from .approval import Approval
from .diagnosis import Category, Diagnosis
from .leave import Autonomy, autonomy_of, by_itself
from .model import Stored
from .opinion import LEAST_BACKERS, QUORUM, SURE, VOTERS, Consensus
from .scaling import unbounded
from .spell import Spell, spell_of
from .standing import Standing, maintenance
from .target import TargetState, Watch, is_own, opted_in


class Verdict(StrEnum):
    """What may happen now."""

    ACT = "ACT"  # carry the action out (NOOP: carry nothing out, and verify)
    ASK = "ASK"  # a person has to say yes
    REFUSE = "REFUSE"  # not this, not now, not by us
    REST = "REST"  # wait until `until`, then look again


_STRICTEST_FIRST: Final = (Verdict.REFUSE, Verdict.REST, Verdict.ASK)


class Policy(Stored):
    """The settings that bound what Aegis does."""

    watch: Watch = Watch.LABELED
    autonomy: Autonomy = Autonomy.AUTO
    confidence_threshold: float = SURE
    cooldown_seconds: float = 60.0
    max_attempts: int = 3
    attempt_window_seconds: float = 600.0
    quarantine_seconds: float = 3600.0
    approval_seconds: float = 1800.0
    dry_run: bool = False
    own_names: frozenset[str] = frozenset()


class History(Stored):
    """When actions were begun on a target since it was last verified healthy, and the last one of all."""

    attempts: tuple[datetime, ...] = ()
    last_action_at: datetime | None = None


class Circumstances(Stored):
    """What a decision is made in: the target as it is now, what was done to it lately, what people have said of it."""

    target: TargetState | None
    history: History = History()
    standing: Standing = Standing()


class Decision(Stored):
    """A verdict with its reasons. `until` is set with REST: when to look again."""

    verdict: Verdict
    action: Action
    confidence: float
    reasons: tuple[str, ...]
    until: datetime | None = None
    consensus: Consensus | None = None  # None where nobody had to vote
    quarantined: bool = False  # refused because of that, and people know of it already


class _Ruling(NamedTuple):
    verdict: Verdict
    reason: str
    until: datetime | None = None
    quarantined: bool = False


def decide(
    diagnosis: Diagnosis, consensus: Consensus, around: Circumstances, policy: Policy, now: datetime
) -> Decision:
    """Decide what may be done about a consensus. The order of the rules, and of the reasons, is that of DESIGN §7.

    Of several rules that object the strictest verdict holds: refuse, rest, ask. Doing nothing needs no majority.
    """
    well = recovered(diagnosis)
    person = around.target is not None and around.target.stopped_by_person
    action = Action.NOOP if well or person else consensus.action
    settled = _by_recovery(well) or _by_target(around.target, policy) or _by_person(person)
    settled = settled or _by_standing(around, policy, now) or _by_idleness(action)
    rulings = [settled] if settled else _objections(action, consensus, around, policy, now)
    heard = None if well else consensus
    confidence = diagnosis.confidence if well else consensus.confidence
    return _decision(rulings or [_agreed(consensus)], action, confidence, heard)


def recovered(diagnosis: Diagnosis) -> bool:
    """Tell whether the diagnosis says that nothing is wrong any more: then nobody has to vote."""
    return diagnosis.category is Category.HEALTHY and diagnosis.action is Action.NOOP


def still(
    decision: Decision, approval: Approval | None, around: Circumstances, policy: Policy, now: datetime
) -> Decision:
    """Ask policy once more at the moment of acting: what has changed since the decision, or since people were asked?

    What a person has approved needs no votes, no leave and no cool-down any more; but it has to be what was shown.
    Call it for any action but NOOP. ASK says that a person has to be asked now, who had not to be before.
    """
    yes = approval if approval and approval.approved and approval.action is decision.action else None
    person = around.target is not None and around.target.stopped_by_person
    settled = _by_target(around.target, policy) or _by_stop(person, now) or _by_sight(yes, around.target)
    settled = settled or _by_standing(around, policy, now)
    rulings = [settled] if settled else _objections(decision.action, decision.consensus, around, policy, now)
    if yes:
        rulings = [one for one in rulings if one is settled or one.verdict is Verdict.REFUSE]
    agreed = f"{yes.by} has approved it." if yes else "Policy still agrees."
    rulings = rulings or [_Ruling(Verdict.ACT, agreed)]
    return _decision(rulings, decision.action, decision.confidence, decision.consensus)


def _decision(rulings: Sequence[_Ruling], action: Action, confidence: float, consensus: Consensus | None) -> Decision:
    """Make a decision of the strictest rulings, with the reasons of all that are as strict, in their order."""
    verdict = next((one for one in _STRICTEST_FIRST if any(one is ruling.verdict for ruling in rulings)), Verdict.ACT)
    decisive = [ruling for ruling in rulings if ruling.verdict is verdict]
    return Decision(
        verdict=verdict,
        action=action,
        confidence=confidence,
        reasons=tuple(ruling.reason for ruling in decisive),
        until=max((ruling.until for ruling in decisive if ruling.until), default=None),
        consensus=consensus,
        quarantined=any(ruling.quarantined for ruling in decisive),
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


def rests_until(history: History, policy: Policy) -> datetime | None:
    """Say until when a target is left alone after its last action; the pause doubles with each attempt in vain."""
    if history.last_action_at is None:
        return None
    pause = policy.cooldown_seconds * 2 ** max(0, len(_spell(history, policy).attempts) - 1)
    return history.last_action_at + timedelta(seconds=min(pause, policy.attempt_window_seconds))


def quarantined_until(history: History, standing: Standing, policy: Policy) -> datetime | None:
    """Say until when a target is in quarantine: by hand, or since its last attempts in vain filled the window."""
    ends = (_spell(counted(history, standing), policy).ends, standing.quarantined_until)
    return max((end for end in ends if end is not None), default=None)


def counted(history: History, standing: Standing) -> History:
    """Take what was tried before a release by hand out of account."""
    if standing.released_at is None:
        return history
    return history.model_copy(update={"attempts": tuple(at for at in history.attempts if at > standing.released_at)})


def _spell(history: History, policy: Policy) -> Spell:
    window, quarantine = timedelta(seconds=policy.attempt_window_seconds), timedelta(seconds=policy.quarantine_seconds)
    return spell_of(history.attempts, policy.max_attempts, window, quarantine)


def _by_recovery(well: bool) -> _Ruling | None:
    return _Ruling(Verdict.ACT, "Nothing is wrong any more: nothing is done, and that is verified.") if well else None


def _by_target(target: TargetState | None, policy: Policy) -> _Ruling | None:
    if target is None:
        return _Ruling(Verdict.REFUSE, "The runtime knows no target of this name, so there is nothing to act on.")
    barred = forbidden(target, policy)
    return _Ruling(Verdict.REFUSE, barred) if barred else None


def _by_person(stopped: bool) -> _Ruling | None:
    return _Ruling(Verdict.ACT, "A person stopped or paused it; that is respected.") if stopped else None


def _by_stop(stopped: bool, now: datetime) -> _Ruling | None:
    return (
        _Ruling(Verdict.REST, "A person has stopped or paused it meanwhile; that is respected.", now)
        if stopped
        else None
    )


def _by_sight(yes: Approval | None, target: TargetState | None) -> _Ruling | None:
    """What is approved is what was shown, and nothing else."""
    if yes is None or yes.shown is None or target is None:
        return None
    name = target.ref.name
    if yes.shown.ref != target.ref:
        return _Ruling(
            Verdict.REFUSE, f"{name} was recreated since {yes.by} was asked; the approval was for the old one."
        )
    if yes.shown.definition != target.definition:
        return _Ruling(Verdict.REFUSE, f"{name} was updated since {yes.by} was asked; the approval was for the former.")
    if yes.shown.limits != target.limits:
        return _Ruling(Verdict.REFUSE, f"The limits of {name} were changed since {yes.by} was asked.")
    return None


def _by_standing(around: Circumstances, policy: Policy, now: datetime) -> _Ruling | None:
    paused = maintenance(around.standing, now)
    if paused:
        return _Ruling(Verdict.REST, paused[1], paused[0])
    until = quarantined_until(around.history, around.standing, policy)
    if until and now < until:
        return _Ruling(Verdict.REFUSE, _why_quarantined(around.standing, policy, until), quarantined=True)
    return None


def _by_idleness(action: Action) -> _Ruling | None:
    if action is not Action.NOOP:
        return None
    return _Ruling(Verdict.ACT, "The agents ask for no action; the outcome is verified all the same.")


def _objections(
    action: Action, consensus: Consensus | None, around: Circumstances, policy: Policy, now: datetime
) -> list[_Ruling]:
    """Everything that speaks against the action, in the order of DESIGN §7; nothing where it may be carried out."""
    assert around.target is not None
    rulings = [
        *_by_leave(action, around.target, policy),
        *(_by_votes(consensus, policy) if consensus else ()),
        *_by_cooldown(around.history, policy, now),
    ]
    if not policy.dry_run or any(one.verdict in (Verdict.REFUSE, Verdict.REST) for one in rulings):
        return rulings
    asked = " ".join(one.reason for one in rulings)
    would = f"a person would have been asked: {asked}" if asked else "that would have been done."
    return [_Ruling(Verdict.REFUSE, f"Dry run, so nothing is done. {action} of {around.target.ref.name}: {would}")]


def _by_leave(action: Action, target: TargetState, policy: Policy) -> Iterator[_Ruling]:
    autonomy, said = autonomy_of(target.labels, policy.autonomy)
    if autonomy is Autonomy.OBSERVE:
        yield _Ruling(Verdict.REFUSE, f"{said}, so nothing is done. It would have been {action}.")
    elif autonomy is Autonomy.SUGGEST:
        yield _Ruling(Verdict.ASK, f"{said}: {action} needs a person.")
    if action not in by_itself(target.labels):
        yield _Ruling(Verdict.ASK, f"{action} needs approval.")
    elif action is Action.SCALE_UP and (label := unbounded(target)):
        yield _Ruling(Verdict.ASK, f"SCALE_UP needs approval: no label ({label}) says how far it may go.")


def _by_votes(consensus: Consensus, policy: Policy) -> Iterator[_Ruling]:
    sure, needed = consensus.confidence, policy.confidence_threshold
    if not consensus.quorate:
        told = f"Only {consensus.votes} of {len(VOTERS)} agents have a say in this"
        yield _Ruling(Verdict.ASK, f"{told}; {QUORUM} are needed to act without a person.")
    if sure < needed:
        yield _Ruling(Verdict.ASK, f"Together they are only {sure:.2f} sure; {needed:.2f} is needed to act.")
    if len(consensus.backers) < LEAST_BACKERS:
        yield _Ruling(Verdict.ASK, "One agent alone is for it.")


def _by_cooldown(history: History, policy: Policy, now: datetime) -> Iterator[_Ruling]:
    last, until = history.last_action_at, rests_until(history, policy)
    if last is None or until is None or not timedelta(0) <= now - last < until - last:
        return  # over, or the clock was set back: a pause never outlasts that
    seconds = (now - last).total_seconds()
    yield _Ruling(Verdict.REST, f"The last action was {seconds:.0f} s ago; it rests until {until:%H:%M:%S} UTC.", until)


def _why_quarantined(standing: Standing, policy: Policy, until: datetime) -> str:
    ends = f"until {until:%Y-%m-%d %H:%M} UTC, unless somebody releases it"
    if standing.quarantined_until == until:
        return f"In quarantine ({standing.said_by or 'by hand'}), left alone {ends}."
    minutes = policy.attempt_window_seconds / 60
    return (
        f"In quarantine: {policy.max_attempts} attempts within {minutes:g} minutes have not made it healthy; "
        f"a person has to look. It is left alone {ends}."
    )


def _agreed(consensus: Consensus) -> _Ruling:
    sure = f"{consensus.confidence:.2f} sure together ({', '.join(consensus.backers)})"
    return _Ruling(Verdict.ACT, f"Opted in, {sure}, and no limit stands against it.")
