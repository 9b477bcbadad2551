"""Values that many tests need, each valid as it is; a test names only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aegis_core.domain.action import Action
from aegis_core.domain.approval import Approval, Comment, Via
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.events import GENESIS, Agent, Draft, Event, EventType, chain
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident, fold
from aegis_core.domain.intent import Intent
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.opinion import Opinion
from aegis_core.domain.policy import Decision, Verdict
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.domain.target import RunState, TargetRef, TargetState
from aegis_core.domain.verification import Condition, Judgement
from aegis_core.ports import EventLog, Opening

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LABELS = {"aegis.enable": "true"}


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def signal(target: str = "web", **known: Any) -> Signal:
    fields = {"fault": Fault.MEMORY_PRESSURE, "severity": Severity.CRITICAL, "at": NOON, "source": "native"}
    return Signal(target=target, **{**fields, **known})


def state(name: str = "web", id: str = "a1", **known: Any) -> TargetState:
    fields = {"at": NOON, "run": RunState.RUNNING, "started_at": later(-3600), "labels": LABELS}
    return TargetState(ref=TargetRef(name=name, id=id), **{**fields, **known})


def diagnosis(action: Action = Action.RESTART, confidence: float = 0.9, **known: Any) -> Diagnosis:
    fields = {
        "root_cause": "A cache grows without bound.",
        "category": Category.OOM,
        "justification": "The memory is at 93 % of its limit.",
        "evidence": ("measured: memory at 93 % of its limit",),
        "source": Source.RULES,
    }
    return Diagnosis(action=action, confidence=confidence, **{**fields, **known})


def decision(verdict: Verdict = Verdict.ACT, action: Action = Action.RESTART) -> Decision:
    return Decision(verdict=verdict, action=action, confidence=0.9, reasons=("No limit stands against it.",))


def judgement(healthy: bool, name: str = "running") -> Judgement:
    return Judgement(conditions=(Condition(name=name, holds=healthy, seen="as seen"),))


def lesson(incident_id: str = "inc-1", **known: Any) -> Lesson:
    fields = {
        "timestamp": NOON,
        "container": "web",
        "fault": Fault.MEMORY_PRESSURE,
        "issue": "memory at 93 % of its limit",
        "fix": Action.RESTART,
        "root_cause": "A cache grows without bound.",
        "source": Source.RULES,
        "verified_healthy": True,
        "seconds": 12.4,
        "signature": "0123456789abcdef",
    }
    return Lesson(incident_id=incident_id, **{**fields, **known})


def received(**known: Any) -> Draft:
    data = {"signal": signal(**known).model_dump(mode="json")}
    return Draft(type=EventType.SIGNAL_RECEIVED, agent=Agent.DETECTION, data=data)


def joined(**known: Any) -> Draft:
    return received(**known).model_copy(update={"type": EventType.SIGNAL_JOINED})


def gathered(target: TargetState | None = None, **known: Any) -> Draft:
    fields = {"fault": Fault.MEMORY_PRESSURE, "severity": Severity.CRITICAL, "at": NOON, "target": target or state()}
    data = {"evidence": Evidence(**{**fields, **known}).model_dump(mode="json")}
    return Draft(type=EventType.EVIDENCE_GATHERED, agent=Agent.DETECTION, data=data)


def diagnosed(one: Diagnosis | None = None) -> Draft:
    data = {"diagnosis": (one or diagnosis()).model_dump(mode="json")}
    return Draft(type=EventType.DIAGNOSED, agent=Agent.DIAGNOSIS, data=data)


def decided(one: Decision | None = None) -> Draft:
    return _done(EventType.DECIDED, decision=(one or decision()).model_dump(mode="json"))


def rested(until: datetime) -> Draft:
    return _done(EventType.RESTED, until=until.isoformat(), reason="It rests.")


def intended(before: TargetState | None = None, action: Action = Action.RESTART, at: datetime = NOON) -> Draft:
    intent = Intent(action=action, at=at, before=before or state())
    return _done(EventType.ACTION_INTENDED, intent=intent.model_dump(mode="json"))


def executed(action: Action = Action.RESTART) -> Draft:
    return _done(EventType.ACTION_EXECUTED, action=action, seen="running")


def called_off(reason: str = "It is gone.") -> Draft:
    return _done(EventType.ACTION_FAILED, reason=reason)


def verified(healthy: bool, name: str = "running") -> Draft:
    return _done(EventType.VERIFIED, judgement=judgement(healthy, name).model_dump(mode="json"))


def resolved() -> Draft:
    return _done(EventType.RESOLVED, impact=None)


def failed(reason: str = "It did not help.") -> Draft:
    return _done(EventType.FAILED, reason=reason)


def learned(incident_id: str = "inc-1") -> Draft:
    return _done(EventType.LESSON_LEARNED, lesson=lesson(incident_id).model_dump(mode="json"))


def stage_failed(until: datetime) -> Draft:
    return _done(EventType.STAGE_FAILED, stage="verify", reason="no answer", until=until.isoformat())


def opined(agent: Agent = Agent.DIAGNOSIS, action: Action = Action.RESTART, confidence: float = 0.9) -> Draft:
    opinion = Opinion(agent=agent, action=action, confidence=confidence, reason="It hangs.")
    return Draft(type=EventType.OPINION_GIVEN, agent=agent, data={"opinion": opinion.model_dump(mode="json")})


def approval(action: Action = Action.ROLLBACK, **known: Any) -> Approval:
    fields = {"shown": state(), "reasons": ("It needs a person.",), "asked_at": NOON, "expires_at": later(1800)}
    return Approval(action=action, **{**fields, **known})


def asked(one: Approval | None = None) -> Draft:
    return _done(EventType.APPROVAL_REQUESTED, approval=(one or approval()).model_dump(mode="json"))


def approved(by: str = "ann", via: Via = Via.API, comment: str = "") -> Draft:
    return _done(EventType.APPROVED, by=by, via=via, comment=comment)


def declined(by: str = "ann", via: Via = Via.API, comment: str = "") -> Draft:
    return _done(EventType.DECLINED, by=by, via=via, comment=comment)


def commented(text: str = "I am on it.", by: str = "ann") -> Draft:
    return _done(EventType.COMMENTED, comment=Comment(by=by, text=text, at=NOON).model_dump(mode="json"))


def undone(seen: str = "the old limits are back") -> Draft:
    return _done(EventType.UNDONE, seen=seen)


def _done(kind: EventType, **data: Any) -> Draft:
    return Draft(type=kind, agent=Agent.RESOLUTION, data=data)


def events_of(*drafts: Draft, incident_id: str = "inc-1", at: datetime = NOON) -> tuple[Event, ...]:
    return chain(drafts, incident_id, at, 0, GENESIS)


def incident(*drafts: Draft, incident_id: str = "inc-1", at: datetime = NOON) -> Incident:
    """The fold of these drafts; without a first signal among them, one is put in front."""
    first = () if drafts and drafts[0].type is EventType.SIGNAL_RECEIVED else (received(),)
    return fold(events_of(*first, *drafts, incident_id=incident_id, at=at))


def after(incident: Incident, drafts: Sequence[Draft], at: datetime = NOON) -> Incident:
    """The incident once these drafts are written."""
    return fold(chain(drafts, incident.id, at, incident.version, incident.head), incident)


def opened(log: EventLog, signal: Signal, at: datetime) -> tuple[Incident, bool]:
    """Store one signal, as the inbox would; returns its incident and whether it is new."""
    [taken] = log.open([Opening(signal=signal)], at)
    return taken
