"""In which order waiting notices go out, and which of them are no news any more. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from aegis_core.domain.notice import NoticeKind
from aegis_core.domain.signal import Fault, Severity
from aegis_core.ports import OutboxItem

from .limits import STALE

PROGRESS: Final = frozenset({NoticeKind.RECEIVED, NoticeKind.ACTING})
"""Only of interest while it is going on; how an incident ended is told however late it is."""

OVERTAKEN: Final = PROGRESS | {NoticeKind.APPROVAL}
"""No news any more when something has come after it: a question is then answered, or has expired."""


class Entry(NamedTuple):
    """What has to be known of a notice that waits. A tenth of the notice: a storm of entries fits into memory."""

    id: int
    attempts: int
    kind: NoticeKind
    at: datetime
    incident_id: str
    target: str
    fault: Fault
    severity: Severity
    known: bool


class Plan(NamedTuple):
    """What to deliver, in this order, and what to drop."""

    order: tuple[Entry, ...]
    superseded: tuple[Entry, ...]


def entry(item: OutboxItem) -> Entry:
    """Take out of a notice what the plan needs."""
    notice = item.notice
    return Entry(
        id=item.id,
        attempts=item.attempts,
        kind=notice.kind,
        at=notice.at,
        incident_id=notice.incident_id,
        target=notice.target,
        fault=notice.fault,
        severity=notice.severity,
        known=notice.known,
    )


def plan(waiting: Sequence[Entry], now: datetime) -> Plan:
    """Sort the notices that wait for one channel, given oldest first.

    Notices of one incident keep their order. Incidents whose next notice has failed least often come first, so that
    one notice that the channel chokes on holds up nobody else.
    """
    by_incident: dict[str, list[Entry]] = {}
    superseded: list[Entry] = []
    for one in reversed(waiting):
        later = by_incident.setdefault(one.incident_id, [])
        if _superseded(one, later, now):
            superseded.append(one)
        else:
            later.insert(0, one)
    queues = sorted((queue for queue in by_incident.values() if queue), key=lambda one: (one[0].attempts, one[0].id))
    return Plan(tuple(one for queue in queues for one in queue), tuple(reversed(superseded)))


def _superseded(one: Entry, later: Sequence[Entry], now: datetime) -> bool:
    if one.kind in OVERTAKEN and any(other.kind is not NoticeKind.LESSON for other in later):
        return True
    return one.kind in PROGRESS and now - one.at > STALE
