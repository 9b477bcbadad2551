"""Notices: what people are told about an incident, complete in itself, so that it can be delivered later.

A digest is what they are told instead when too much happens at once.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from .impact import Impact
from .lesson import Lesson
from .model import Stored, Value
from .signal import Fault, Severity


class NoticeKind(StrEnum):
    """The transitions that people hear of."""

    RECEIVED = "received"
    APPROVAL = "approval"  # a person is asked, and has until `until` to answer
    ACTING = "acting"
    RESOLVED = "resolved"
    FAILED = "failed"
    LESSON = "lesson"  # not for people: the runbook's own channel


class Notice(Stored):
    """One message. Fields that a kind does not need stay empty."""

    kind: NoticeKind
    incident_id: str
    version: int  # of the event that caused it
    at: datetime
    target: str
    fault: Fault
    severity: Severity
    summary: str  # one sentence
    known: bool = False  # the runtime has such a target; False: nobody has looked yet, or it is somebody's mere name
    action: str = ""
    root_cause: str = ""
    source: str = ""
    confidence: float | None = None
    reason: str = ""
    advice: str = ""  # what a person can do now
    shown: str = ""  # the target as it was when a person was asked: what is approved is that, and nothing else
    votes: tuple[str, ...] = ()  # what each agent would do, in words
    until: datetime | None = None
    seconds: float | None = None
    attempts: int = 0
    log_lines: tuple[str, ...] = ()
    impact: Impact | None = None
    lesson: Lesson | None = None


class Named(Value):
    """A target that a digest names, with the worst of its incidents."""

    target: str
    fault: Fault
    severity: Severity


class Share(Value):
    """Those incidents of a digest that stand alike, counted."""

    incidents: int = 0
    targets: int = 0
    faults: Mapping[Fault, int] = {}
    severities: Mapping[Severity, int] = {}
    worst: tuple[Named, ...] = ()  # a few of the targets, the most critical first


class Digest(Value):
    """What many notices say together. Each incident counts once, as it stands by the newest of them."""

    since: datetime  # of the oldest notice
    at: datetime
    failed: Share = Share()
    asked: Share = Share()  # wait for a person's answer
    resolved: Share = Share()
    under_way: Share = Share()
    singly: int = 0  # critical incidents that were told one by one besides
