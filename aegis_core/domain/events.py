"""The events of an incident and the hash chain that ties each one to the one before."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from .model import Stored

GENESIS: Final = "0" * 64
"""What stands in `prev_hash` of the first event of an incident."""


class Agent(StrEnum):
    """Who did it: the five agents of DESIGN §2."""

    DETECTION = "detection"
    DIAGNOSIS = "diagnosis"
    PREDICTION = "prediction"
    RESOLUTION = "resolution"
    COMMUNICATION = "communication"


class EventType(StrEnum):
    """What happened."""

    SIGNAL_RECEIVED = "SignalReceived"  # opens the incident
    SIGNAL_JOINED = "SignalJoined"  # the same symptom again while the incident is open
    SIGNAL_CLEARED = "SignalCleared"  # who reported it says that it is over
    EVIDENCE_GATHERED = "EvidenceGathered"
    DIAGNOSED = "Diagnosed"
    OPINION_GIVEN = "OpinionGiven"  # what one agent would do
    DECIDED = "Decided"
    APPROVAL_REQUESTED = "ApprovalRequested"  # nothing is done before a person has said yes
    APPROVED = "Approved"
    DECLINED = "Declined"  # a person has said no
    RESTED = "Rested"  # nothing is done until `until`; then the evidence is gathered anew
    ACTION_INTENDED = "ActionIntended"  # committed before the effect, with what was observed
    ACTION_EXECUTED = "ActionExecuted"
    ACTION_FAILED = "ActionFailed"
    VERIFIED = "Verified"
    UNDONE = "Undone"  # what did not help was taken back
    COMMENTED = "Commented"  # a person said something about it
    LESSON_LEARNED = "LessonLearned"
    RESOLVED = "Resolved"
    FAILED = "Failed"
    STAGE_FAILED = "StageFailed"  # the stage broke and is tried again later


class Draft(Stored):
    """An event as a stage writes it: without its place in the log."""

    type: EventType
    agent: Agent
    data: Mapping[str, Any] = {}


class Event(Draft):
    """An event in the log. `version` counts from 1 within the incident."""

    incident_id: str
    version: int
    at: datetime
    prev_hash: str
    hash: str


def canonical(data: Mapping[str, Any]) -> str:
    """Write data as the one JSON text that is stored and hashed."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(draft: Draft, incident_id: str, version: int, at: datetime, prev_hash: str) -> str:
    """SHA-256 over the event, its place in the log and the hash of the one before, as 64 hex digits."""
    moment = at.astimezone(UTC).isoformat()  # the same in whichever zone a database gives it back
    head = "\n".join([prev_hash, incident_id, str(version), draft.type, moment, draft.agent])
    return hashlib.sha256(f"{head}\n{canonical(draft.data)}".encode()).hexdigest()


def chain(drafts: Iterable[Draft], incident_id: str, at: datetime, version: int, prev_hash: str) -> tuple[Event, ...]:
    """Turn drafts into events that follow version `version`, whose hash was `prev_hash`."""
    events: list[Event] = []
    for draft in drafts:
        version += 1
        mark = digest(draft, incident_id, version, at, prev_hash)
        place = {"incident_id": incident_id, "version": version, "at": at, "prev_hash": prev_hash, "hash": mark}
        events.append(Event(type=draft.type, agent=draft.agent, data=draft.data, **place))
        prev_hash = mark
    return tuple(events)


def first_broken(events: Iterable[Event]) -> Event | None:
    """Walk one incident's chain in order and name the first event that does not fit; None when all do."""
    previous, version = GENESIS, 0
    for event in events:
        mark = digest(event, event.incident_id, version + 1, event.at, previous)
        if event.version != version + 1 or event.prev_hash != previous or event.hash != mark:
            return event
        previous, version = event.hash, event.version
    return None
