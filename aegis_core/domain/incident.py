"""An incident: a list of events, folded. The state diagram is in ARCHITECTURE.md."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from .action import Action
from .approval import Approval, Comment, Via
from .diagnosis import Diagnosis
from .events import Agent, Event, EventType
from .evidence import Evidence
from .impact import Impact
from .intent import Intent
from .lesson import Lesson, Outcome, outcome_of
from .model import Stored
from .opinion import Opinion
from .policy import Decision, Verdict
from .signal import PRIORITY, Fault, Severity, Signal
from .target import TargetRef
from .verification import Judgement


class Status(StrEnum):
    """Where an incident stands."""

    RECEIVED = "RECEIVED"  # stored, nobody has looked yet
    ANALYZING = "ANALYZING"  # evidence is there; diagnosis and decision are being made
    DECIDED = "DECIDED"  # policy allows an action (or NOOP)
    AWAITING_APPROVAL = "AWAITING_APPROVAL"  # a person is asked; without an answer in time nothing is done
    EXECUTING = "EXECUTING"  # the intent is committed; the effect may or may not have happened
    VERIFYING = "VERIFYING"  # the action is done; is the target healthy?
    RESOLVED = "RESOLVED"  # verified healthy
    FAILED = "FAILED"  # a person is needed; `error` says why


CLOSED: Final = frozenset({Status.RESOLVED, Status.FAILED})


class Incident(Stored):
    """The fold of an incident's events."""

    id: str
    target: str
    fault: Fault
    severity: Severity
    status: Status
    opened_at: datetime
    updated_at: datetime
    version: int
    head: str  # hash of the newest event
    signal: Signal
    last_signal_at: datetime
    signals: int = 1
    evidence: Evidence | None = None
    diagnosis: Diagnosis | None = None
    opinions: tuple[Opinion, ...] = ()
    distrusted: tuple[Agent, ...] = ()  # whose opinion was set aside once has no vote any more
    decision: Decision | None = None
    approval: Approval | None = None
    intent: Intent | None = None
    executed_at: datetime | None = None
    executed_on: TargetRef | None = None  # the target as the action left it: after a rollback it has another id
    tried: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()  # of every action that was verified
    attempts: int = 0
    last_action: Action | None = None  # the newest one that was begun (and not called off)
    judgement: Judgement | None = None
    undone: str = ""  # what of the last action was taken back, in words
    in_vain: tuple[Action, ...] = ()  # what was taken back because it did not help
    comments: tuple[Comment, ...] = ()
    lesson: Lesson | None = None
    impact: Impact | None = None
    error: str | None = None
    closed_at: datetime | None = None
    wake_at: datetime | None = None  # nothing is to be done before this moment
    cleared_at: datetime | None = None  # who reported it says that it is over since
    waits: int = 0  # how often it has waited for another target that it fails because of
    stumbles: int = 0  # how often in a row the present stage broke
    absences: int = 0  # how often in a row the runtime was not there at all

    @property
    def closed(self) -> bool:
        return self.status in CLOSED

    @property
    def proven(self) -> bool:
        """It was seen healthy and running: what resets the count of attempts (a person's stop does not)."""
        return self.judgement is not None and self.judgement.shows_running

    @property
    def healed(self) -> bool:
        """It was ill, something was done to it, and it was proven healthy afterwards."""
        return self.status is Status.RESOLVED and self.attempts > 0 and self.proven

    @property
    def priority(self) -> int:
        """Lower is worked on first."""
        return PRIORITY[self.severity]

    @property
    def seconds(self) -> float | None:
        """Seconds from the first signal to the end; None while it is open."""
        if self.closed_at is None:
            return None
        return max(0.0, (self.closed_at - self.opened_at).total_seconds())  # the clock may have been set back


Change = Mapping[str, object]


def _joined(incident: Incident, event: Event) -> Change:
    signal = Signal.model_validate(event.data["signal"])
    worst = min(incident.severity, signal.severity, key=PRIORITY.__getitem__)
    return {
        "signals": incident.signals + int(event.data.get("count", 1)),
        "last_signal_at": event.at,
        "severity": worst,
        "cleared_at": None,  # it was not over after all
    }


def _cleared(_: Incident, event: Event) -> Change:
    return {"cleared_at": event.at}


def _evidence(_: Incident, event: Event) -> Change:
    return {"status": Status.ANALYZING, "evidence": Evidence.model_validate(event.data["evidence"])}


def _diagnosed(_: Incident, event: Event) -> Change:
    return {"status": Status.ANALYZING, "diagnosis": Diagnosis.model_validate(event.data["diagnosis"])}


def _opined(incident: Incident, event: Event) -> Change:
    return {"opinions": (*incident.opinions, Opinion.model_validate(event.data["opinion"]))}


def _decided(incident: Incident, event: Event) -> Change:
    decision = Decision.model_validate(event.data["decision"])
    status = Status.DECIDED if decision.verdict is Verdict.ACT else incident.status
    aside = decision.consensus.set_aside if decision.consensus else ()
    return {"status": status, "decision": decision, "distrusted": tuple(dict.fromkeys((*incident.distrusted, *aside)))}


def _asked(_: Incident, event: Event) -> Change:
    approval = Approval.model_validate(event.data["approval"]).model_copy(update={"version": event.version})
    return {"status": Status.AWAITING_APPROVAL, "approval": approval, "wake_at": approval.expires_at}


def _answered(incident: Incident, event: Event) -> Change:
    approved = event.type is EventType.APPROVED
    status = Status.DECIDED if approved else incident.status
    answer = {"approved": approved, "by": str(event.data["by"]), "via": Via(event.data["via"])}
    said = {"comment": str(event.data.get("comment", "")), "answered_at": event.at}
    approval = incident.approval.model_copy(update={**answer, **said}) if incident.approval else None
    return {"status": status, "approval": approval}


def _commented(incident: Incident, event: Event) -> Change:
    return {"comments": (*incident.comments, Comment.model_validate(event.data["comment"]))}


def _undone(incident: Incident, event: Event) -> Change:
    actions = (incident.intent.action,) if incident.intent else ()
    reasons = [f"{action}: {event.data['reason']}" for action in actions if event.data.get("reason")]
    return {
        "undone": str(event.data["seen"]),
        "in_vain": (*incident.in_vain, *actions),
        "tried": (*incident.tried, *reasons),  # else its verification has told
    }


def _rested(incident: Incident, event: Event) -> Change:
    until = datetime.fromisoformat(event.data["until"])
    waits = incident.waits + ("waits_for" in event.data)
    anew = dict.fromkeys(
        ("evidence", "diagnosis", "decision", "approval", "intent", "executed_at", "executed_on", "judgement")
    )
    return {"status": Status.ANALYZING, "wake_at": until, "waits": waits, "opinions": (), "undone": "", **anew}


def _intended(incident: Incident, event: Event) -> Change:
    intent = Intent.model_validate(event.data["intent"])
    attempts = incident.attempts + 1
    return {"status": Status.EXECUTING, "intent": intent, "attempts": attempts, "last_action": intent.action}


def _executed(_: Incident, event: Event) -> Change:
    on = event.data.get("target")
    target = TargetRef.model_validate(on) if on else None
    return {"status": Status.VERIFYING, "executed_at": event.at, "executed_on": target}


def _failed_action(incident: Incident, event: Event) -> Change:
    tried: Change = {"tried": (*incident.tried, str(event.data["reason"]))}
    if incident.status is not Status.EXECUTING:
        return tried
    attempts = incident.attempts - 1  # what was intended was not done
    return {**tried, "attempts": attempts, "last_action": incident.last_action if attempts else None}


def _verified(incident: Incident, event: Event) -> Change:
    judgement = Judgement.model_validate(event.data["judgement"])
    done = outcome_of(incident.intent.action, judgement, incident.diagnosis) if incident.intent else ()
    seen: Change = {"judgement": judgement, "outcomes": (*incident.outcomes, *done)}
    if judgement.healthy:
        return seen
    action = incident.intent.action if incident.intent else Action.NOOP
    outcome = f"{action}: not healthy afterwards ({'; '.join(judgement.failures)})"
    return {**seen, "tried": (*incident.tried, outcome)}


def _learned(_: Incident, event: Event) -> Change:
    return {"lesson": Lesson.model_validate(event.data["lesson"])}


def _resolved(_: Incident, event: Event) -> Change:
    impact = event.data.get("impact")
    return {
        "status": Status.RESOLVED,
        "closed_at": event.at,
        "impact": Impact.model_validate(impact) if impact else None,
    }


def _failed(_: Incident, event: Event) -> Change:
    return {"status": Status.FAILED, "closed_at": event.at, "error": str(event.data["reason"])}


def _stage_failed(incident: Incident, event: Event) -> Change:
    until = datetime.fromisoformat(event.data["until"])
    if event.data.get("away"):  # nobody's fault here: it stands for one stumble however long it lasts
        return {"wake_at": until, "stumbles": max(1, incident.stumbles), "absences": incident.absences + 1}
    return {"wake_at": until, "stumbles": incident.stumbles + 1}


_ASIDE: Final = frozenset({EventType.SIGNAL_JOINED, EventType.COMMENTED})  # they move nothing on and wake nobody

_APPLY: Final[Mapping[EventType, Callable[[Incident, Event], Change]]] = {
    EventType.SIGNAL_JOINED: _joined,
    EventType.SIGNAL_CLEARED: _cleared,
    EventType.EVIDENCE_GATHERED: _evidence,
    EventType.DIAGNOSED: _diagnosed,
    EventType.OPINION_GIVEN: _opined,
    EventType.DECIDED: _decided,
    EventType.APPROVAL_REQUESTED: _asked,
    EventType.APPROVED: _answered,
    EventType.DECLINED: _answered,
    EventType.RESTED: _rested,
    EventType.ACTION_INTENDED: _intended,
    EventType.ACTION_EXECUTED: _executed,
    EventType.ACTION_FAILED: _failed_action,
    EventType.VERIFIED: _verified,
    EventType.UNDONE: _undone,
    EventType.COMMENTED: _commented,
    EventType.LESSON_LEARNED: _learned,
    EventType.RESOLVED: _resolved,
    EventType.FAILED: _failed,
    EventType.STAGE_FAILED: _stage_failed,
}


def _opened(event: Event) -> Incident:
    signal = Signal.model_validate(event.data["signal"])
    until = event.data.get("until")
    return Incident(
        id=event.incident_id,
        target=signal.target,
        fault=signal.fault,
        severity=signal.severity,
        status=Status.RECEIVED,
        opened_at=event.at,
        updated_at=event.at,
        version=event.version,
        head=event.hash,
        signal=signal,
        last_signal_at=event.at,
        wake_at=datetime.fromisoformat(until) if until else None,
    )


def fold(events: Iterable[Event], incident: Incident | None = None) -> Incident:
    """Fold events, in order, onto an incident (None: from the beginning).

    Raises ValueError when the first event does not open an incident.
    """
    for event in events:
        if incident is None:
            if event.type is not EventType.SIGNAL_RECEIVED:
                raise ValueError(f"incident {event.incident_id} begins with {event.type}")
            incident = _opened(event)
            continue
        place = {"version": event.version, "head": event.hash, "updated_at": event.at}
        if event.type not in _ASIDE:
            place |= {"stumbles": 0, "absences": 0, "wake_at": None}
        incident = incident.model_copy(update={**place, **_APPLY[event.type](incident, event)})
    if incident is None:
        raise ValueError("an incident has at least one event")
    return incident
