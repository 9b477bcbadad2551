"""Notices: what people are told about an incident, complete in itself, so that it can be delivered later."""

from datetime import datetime
from enum import StrEnum

from .impact import Impact
from .lesson import Lesson
from .model import Stored
from .signal import Fault, Severity


class NoticeKind(StrEnum):
    """The transitions that people hear of."""

    RECEIVED = "received"
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
    action: str = ""
    root_cause: str = ""
    source: str = ""
    confidence: float | None = None
    reason: str = ""
    advice: str = ""  # what a person can do now
    seconds: float | None = None
    attempts: int = 0
    log_lines: tuple[str, ...] = ()
    impact: Impact | None = None
    lesson: Lesson | None = None
