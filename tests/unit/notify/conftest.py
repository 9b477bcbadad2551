"""Notices as the pipeline writes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from aegis_core.domain.impact import Rates, Tier, assess
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.notice import Digest, Named, Notice, NoticeKind, Share
from aegis_core.domain.signal import Fault, Severity

AT = datetime(2026, 11, 20, 2, 12, 5, tzinfo=UTC)
CAUSE = "Memory is at 93 % of its limit and grows steadily: something is only ever added to."

LESSON = Lesson(
    timestamp=AT,
    incident_id="inc-20261120-021150-3fa9c1",
    container="buggy-app-v2",
    fault=Fault.MEMORY_PRESSURE,
    issue="memory_pressure on buggy-app-v2",
    fix="RESTART",
    root_cause=CAUSE,
    source="rules",
    verified_healthy=True,
    seconds=14.2,
    signature="0123456789abcdef",
)

COMMON: dict[str, object] = {
    "incident_id": "inc-20261120-021150-3fa9c1",
    "version": 7,
    "at": AT,
    "target": "buggy-app-v2",
    "fault": Fault.MEMORY_PRESSURE,
    "severity": Severity.CRITICAL,
    "summary": "buggy-app-v2: memory_pressure reported by native.",
}
DIAGNOSED: dict[str, object] = {"action": "RESTART", "root_cause": CAUSE, "source": "rules", "confidence": 0.92}
BY_KIND: dict[NoticeKind, dict[str, object]] = {
    NoticeKind.RECEIVED: {},
    NoticeKind.APPROVAL: {
        **DIAGNOSED,
        "action": "ROLLBACK",
        "reason": "ROLLBACK needs approval.",
        "shown": "running, shop:2.1, started at 02:11:50 UTC",
        "votes": ("diagnosis: ROLLBACK (0.92). The new image leaks.", "prediction: RESTART (0.60). It helped before."),
        "until": AT + timedelta(minutes=30),
    },
    NoticeKind.ACTING: {
        **DIAGNOSED,
        "reason": "Opted in, 0.92 sure, and no limit stands against it.",
        "attempts": 1,
    },
    NoticeKind.RESOLVED: {
        **DIAGNOSED,
        "seconds": 14.2,
        "attempts": 1,
        "impact": assess(AT - timedelta(seconds=14.2), AT, Tier.IMPORTANT, Rates()),
        "lesson": LESSON,
    },
    NoticeKind.FAILED: {
        **DIAGNOSED,
        "reason": "3 attempts within 10 minutes have not made it healthy; a person has to look.",
        "advice": "Raise its memory limit, or find out what holds on to the memory.",
        "seconds": 402.0,
        "attempts": 3,
        "log_lines": ("INFO cache: 84211 entries", "ERROR MemoryError"),
    },
    NoticeKind.LESSON: {"lesson": LESSON},
}

DIGEST = Digest(
    since=AT - timedelta(seconds=130),
    at=AT,
    failed=Share(
        incidents=37,
        targets=30,
        faults={Fault.CRASHED: 30, Fault.MEMORY_PRESSURE: 7},
        severities={Severity.CRITICAL: 2, Severity.WARNING: 35},
        worst=(
            Named(target="db", fault=Fault.MEMORY_PRESSURE, severity=Severity.CRITICAL),
            Named(target="web-1", fault=Fault.CRASHED, severity=Severity.WARNING),
        ),
    ),
    resolved=Share(
        incidents=12,
        targets=1,
        faults={Fault.CRASHED: 12},
        severities={Severity.WARNING: 12},
        worst=(Named(target="cache", fault=Fault.CRASHED, severity=Severity.WARNING),),
    ),
    singly=5,
)

MakeNotice = Callable[..., Notice]


@pytest.fixture
def make_notice() -> MakeNotice:
    """`make_notice(kind, **changes)`: a complete notice of this kind."""

    def make(kind: NoticeKind | str, **changes: object) -> Notice:
        return Notice.model_validate({**COMMON, **BY_KIND[NoticeKind(kind)], "kind": kind, **changes})

    return make


@pytest.fixture
def digest() -> Digest:
    """A digest of a storm: 37 incidents need a person, 12 are resolved."""
    return DIGEST
