"""Follows incidents over HTTP by asking again and again."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from .client import CoreClient
from .failures import CoreAway
from .wire import Brief, Happening, Seen

EVERY: Final = 0.5  # seconds between two questions
NEWEST: Final = 50

Look = TypeVar("Look")


class Follower:
    """One incident: each look returns the events that are new."""

    def __init__(self, core: CoreClient, incident_id: str) -> None:
        self._core, self._id, self._seen = core, incident_id, 0

    def news(self) -> Sequence[Happening]:
        """Raises CoreAway, CoreRefused."""
        events = [event for event in self._core.events(self._id) if event.version > self._seen]
        self._seen = max((event.version for event in events), default=self._seen)
        return events


class Feed:
    """All incidents: each look returns what is new in any, oldest first. What had ended before is passed over."""

    def __init__(self, core: CoreClient) -> None:
        self._core = core
        self._followed: dict[str, Follower] = {}
        self._ended: dict[str, datetime] = {}
        self._first = True

    def news(self) -> Sequence[tuple[Brief, Happening]]:
        """Raises CoreAway, CoreRefused."""
        listed = {one.incident_id: one for one in self._core.incidents(limit=NEWEST)}
        listed |= {one.incident_id: one for one in self._core.incidents(open="true", limit=500)}
        gone = [one for one in self._followed if one not in listed]
        listed |= {one: self._core.incident(one) for one in gone}
        if self._first:
            self._ended = {one.incident_id: one.updated_at for one in listed.values() if one.closed}
            self._first = False
        found = [(one, event) for one in listed.values() for event in self._new_of(one)]
        return sorted(found, key=lambda row: row[1].at)

    def _new_of(self, one: Brief) -> Sequence[Happening]:
        if self._ended.get(one.incident_id) == one.updated_at:
            return ()
        follower = self._followed.setdefault(one.incident_id, Follower(self._core, one.incident_id))
        events = follower.news()
        if one.closed:
            self._ended[one.incident_id] = one.updated_at
            del self._followed[one.incident_id]
        return events


def target_of(core: CoreClient, name: str) -> Seen | None:
    """How a target is now; None where the agent does not know it (yet)."""
    return next((target for target in core.targets() if target.name == name), None)


def looks(look: Callable[[], Look], away: Callable[[str], None]) -> Iterator[Look]:
    """Look again and again, and yield what was seen. While the agent is away `away` is told once, and it goes on.

    Raises CoreAway where it is away from the beginning.
    """
    yield look()
    missed = False
    while True:
        time.sleep(EVERY)
        try:
            seen = look()
        except CoreAway as error:
            if not missed:
                away(str(error))
            missed = True
            continue
        missed = False
        yield seen
