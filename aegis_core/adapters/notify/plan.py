"""In which order waiting notices go out, and which of them are no news any more. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from aegis_core.domain.notice import NoticeKind
from aegis_core.ports import OutboxItem

from .limits import STALE

PROGRESS: Final = frozenset({NoticeKind.RECEIVED, NoticeKind.ACTING})
"""Only of interest while it is going on; how an incident ended is told however late it is."""


class Plan(NamedTuple):
    """What to deliver, in this order, and what to drop."""

    order: tuple[OutboxItem, ...]
    superseded: tuple[OutboxItem, ...]


def plan(waiting: Sequence[OutboxItem], now: datetime) -> Plan:
    """Sort the notices that wait for one channel, given oldest first.

    Notices of one incident keep their order. Incidents whose next notice has failed least often come first, so that
    one notice that the channel chokes on holds up nobody else.
    """
    by_incident: dict[str, list[OutboxItem]] = {}
    superseded: list[OutboxItem] = []
    for item in reversed(waiting):
        later = by_incident.setdefault(item.notice.incident_id, [])
        if _superseded(item, later, now):
            superseded.append(item)
        else:
            later.insert(0, item)
    queues = sorted((queue for queue in by_incident.values() if queue), key=lambda one: (one[0].attempts, one[0].id))
    return Plan(tuple(item for queue in queues for item in queue), tuple(reversed(superseded)))


def _superseded(item: OutboxItem, later: Sequence[OutboxItem], now: datetime) -> bool:
    if item.notice.kind not in PROGRESS:
        return False
    overtaken = any(one.notice.kind is not NoticeKind.LESSON for one in later)
    return overtaken or now - item.notice.at > STALE
