"""What happens to the targets, told to whoever listens."""

import threading
from collections.abc import Iterator
from datetime import datetime

from aegis_core.adapters.feed import Feed
from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.target import Health, TargetRef
from aegis_core.ports import Clock, Stopping

from .journal import Asked, Phase, Record


def changes_between(target: TargetRef, before: Record, after: Record) -> Iterator[Change]:
    """Tell what has happened between two records of a target, in order."""
    if after.oom_killed and not before.oom_killed:
        yield Change(kind=ChangeKind.OOM, at=after.happenings[-1].at, target=target)
    if after.phase is Phase.STOPPING and before.phase is not Phase.STOPPING and after.begun_at:
        yield Change(kind=ChangeKind.STOPPED, at=after.begun_at, target=target)
    if after.phase is Phase.EXITED and after.finished_at and after.finished_at != before.finished_at:
        if after.asked is Asked.OUTSIDE:  # who sent the signal to the process is not seen, only what came of it
            yield Change(kind=ChangeKind.STOPPED, at=after.finished_at, target=target)
        yield Change(kind=ChangeKind.DIED, at=after.finished_at, target=target, exit_code=after.exit_code)
    if after.phase is Phase.RUNNING and after.run != before.run and after.started_at:
        yield Change(kind=ChangeKind.STARTED, at=after.started_at, target=target)


def health_change(target: TargetRef, health: Health, at: datetime) -> Change:
    """Tell what the check has come to."""
    kind = ChangeKind.HEALTHY if health is Health.HEALTHY else ChangeKind.UNHEALTHY
    return Change(kind=kind, at=at, target=target)


def pause_change(target: TargetRef, paused: bool, at: datetime) -> Change:
    """Tell that somebody has paused it, or let it go on."""
    return Change(kind=ChangeKind.STOPPED if paused else ChangeKind.STARTED, at=at, target=target)


class Changes:
    """Everybody who listens hears a GAP first, and from then on every change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._listeners: tuple[Feed[Change], ...] = ()

    def tell(self, change: Change) -> None:
        """Tell a change to all. Never waits for anybody."""
        for feed in self._listeners:
            feed.put(change)

    def tell_removed(self, target: TargetRef) -> None:
        """Tell that a target is no more."""
        self.tell(Change(kind=ChangeKind.REMOVED, at=self._clock(), target=target))

    def follow(self, stopping: Stopping) -> Iterator[Change]:
        """See `ports.Sensor.changes`."""
        feed: Feed[Change] = Feed()
        with self._lock:
            self._listeners = (*self._listeners, feed)
        try:
            yield self._gap()
            while not stopping.is_set():
                change = feed.take()
                if feed.lost():
                    yield self._gap()
                if change:
                    yield change
        finally:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not feed)

    def _gap(self) -> Change:
        return Change(kind=ChangeKind.GAP, at=self._clock())
