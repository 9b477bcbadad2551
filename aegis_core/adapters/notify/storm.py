"""What to tell when too much happens at once: few critical ends, and questions to people, one by one; all the rest in
one digest. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import NamedTuple

from aegis_core.domain.notice import Digest, Named, NoticeKind, Share
from aegis_core.domain.signal import PRIORITY, Severity

from .limits import NAMED, Storm
from .plan import PROGRESS, Entry


class Parts(NamedTuple):
    """What is told one by one before the digest, what is in it, and what is told one by one after it."""

    before: tuple[Entry, ...]
    together: tuple[Entry, ...]
    after: tuple[Entry, ...]


def is_storm(waiting: Sequence[Entry], storm: Storm) -> bool:
    """Tell whether more waits than people can read. A channel that is given lessons is not one of people."""
    if any(one.kind is NoticeKind.LESSON for one in waiting):
        return False
    ends = sum(one.kind not in PROGRESS for one in waiting)
    return ends > storm.handful or len(waiting) > storm.crowd


def divide(order: Sequence[Entry], most: int) -> Parts:
    """Choose up to `most` notices that are told one by one, out of what waits in the order of the plan.

    These are questions to people, which expire, and the ends of critical incidents of targets that exist, with all
    that waits of the incident. What the
    channel has failed to take before comes after the digest: it may choke on it again, and must not hold it up.
    """
    before, together, after = list[Entry](), list[Entry](), list[Entry]()
    for _, queue in groupby(order, key=lambda one: one.incident_id):
        whole = list(queue)
        if not _worth_a_message(whole[-1]) or len(whole) > most:
            together += whole
            continue
        most -= len(whole)
        (after if whole[0].attempts else before).extend(whole)
    return Parts(tuple(before), tuple(together), tuple(after))


def _worth_a_message(one: Entry) -> bool:
    ended = one.kind not in PROGRESS and one.severity is Severity.CRITICAL and one.known
    return one.kind is NoticeKind.APPROVAL or ended


def digest(told: Sequence[Entry], singly: int, at: datetime) -> Digest:
    """Fold notices into one. An incident of which several wait counts as the newest of them says."""
    incidents = {one.incident_id: one for one in told}.values()  # the plan keeps the order within an incident
    return Digest(
        since=min(one.at for one in told),
        at=at,
        failed=_share(one for one in incidents if one.kind is NoticeKind.FAILED),
        asked=_share(one for one in incidents if one.kind is NoticeKind.APPROVAL),
        resolved=_share(one for one in incidents if one.kind is NoticeKind.RESOLVED),
        under_way=_share(one for one in incidents if one.kind in PROGRESS),
        singly=singly,
    )


def _share(incidents: Iterable[Entry]) -> Share:
    worst_first = sorted(incidents, key=lambda one: (PRIORITY[one.severity], not one.known, one.id))
    by_target: dict[str, Entry] = {}
    for one in worst_first:
        by_target.setdefault(one.target, one)
    return Share(
        incidents=len(worst_first),
        targets=len(by_target),
        faults=dict(Counter(one.fault for one in worst_first).most_common()),
        severities=dict(Counter(one.severity for one in worst_first)),
        worst=tuple(
            Named(target=one.target, fault=one.fault, severity=one.severity)
            for one in islice(by_target.values(), NAMED)
        ),
    )
