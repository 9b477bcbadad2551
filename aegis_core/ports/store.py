"""What is kept: the event log, its projections, and what is known and said of targets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aegis_core.domain.events import Draft, Event
from aegis_core.domain.incident import Incident
from aegis_core.domain.model import Stored
from aegis_core.domain.notice import Notice
from aegis_core.domain.policy import History
from aegis_core.domain.release import Release
from aegis_core.domain.signal import Signal
from aegis_core.domain.standing import Standing


class Filter(Stored):
    """Which incidents to list; None means any."""

    status: str | None = None
    target: str | None = None
    fault: str | None = None
    search: str | None = None
    open: bool | None = None


class Incidents(Protocol):
    """The projection of the event log: incidents as they stand."""

    def get(self, incident_id: str) -> Incident:
        """Return one incident. Raises IncidentUnknown."""

    def list(self, wanted: Filter, limit: int, offset: int) -> tuple[Sequence[Incident], int]:
        """Return a page, newest first, and how many there are in all."""

    def events(self, incident_id: str) -> Sequence[Event]:
        """Return the events of one incident in order. Raises IncidentUnknown."""

    def history(self, target: str) -> History:
        """Return when actions were begun on a target since it was last verified healthy."""


class Releases(Protocol):
    """What each target has run healthily with. Raises StoreUnavailable."""

    def of(self, target: str) -> Sequence[Release]:
        """Return the releases of a target, the one that was verified last first."""

    def note(self, release: Release) -> None:
        """Keep a release; one that is known (same target, same image) gets the newer name and moment."""

    def forget(self, target: str, image_id: str) -> None:
        """Go back to this one no more."""


class Standings(Protocol):
    """What people have said about targets."""

    def of(self, target: str) -> Standing:
        """Return what holds for a target: said of it, or of all of them (see standing.combined)."""


class StandingBook(Standings, Protocol):
    """Where people say it. What is said survives a restart of the agent."""

    def all(self) -> Mapping[str, Standing]:
        """Return what is said, by target; under '*' what is said of all of them."""

    def say(self, target: str, change: Callable[[Standing], Standing], at: datetime) -> Standing:
        """Change what is said of a target, or under '*' of all, in one step; returns what is said of it then."""


class Feed(Protocol):
    """The events of all incidents in the order in which they were written. Raises StoreUnavailable."""

    def newest(self) -> int:
        """Return the position of the newest event; 0 where there is none."""

    def after(self, position: int, limit: int) -> Sequence[tuple[int, Event]]:
        """Return up to `limit` events after a position, the oldest first, each with its own.

        Positions only grow: whoever has seen one will never find another event at or below it.
        """


class Opening(Stored):
    """A signal to be stored; a new incident of it is not taken up before `until`."""

    signal: Signal
    until: datetime | None = None


Routes = Callable[[Incident | None, Incident], Iterable[tuple[str, Notice]]]
"""Which notices a change of an incident causes, each with the channel that it goes to. Pure."""


class Claim(Stored):
    """The right to work on an incident: appends carry the fence, and a newer claim makes it invalid."""

    incident: Incident
    fence: int


class EventLog(Protocol):
    """The log that everything is derived from. Raises StoreUnavailable.

    With every change it puts the notices that `Routes` asks for into the outbox, in the same transaction.
    """

    def open(self, openings: Sequence[Opening], at: datetime) -> Sequence[tuple[Incident, bool]]:
        """Store signals: each joins the incident with its id, or its key, or the open one of its target and fault;
        else it opens one.

        Returns for each the incident as it stands and whether this signal opened it. All of them are on disk when
        this returns, or none.
        """

    def clear(self, keys: Sequence[str], at: datetime) -> Sequence[Incident]:
        """Note on the open incidents with these keys that their sender says it is over; those acted on are left out.

        Returns the incidents that it was noted on.
        """

    def append(self, claim: Claim, drafts: Sequence[Draft], at: datetime) -> Claim:
        """Append events in one transaction and return the claim with the incident as it stands then.

        Signals that joined meanwhile are kept. Raises Fenced when somebody else has claimed the incident since.
        """

    def answer(self, incident_id: str, said: Callable[[Incident], Sequence[Draft]], at: datetime) -> Incident:
        """Append what a person said about an incident; `said` sees it as it stands, within the transaction.

        Whoever works on the incident is fenced off when it moves on by that. Raises IncidentUnknown, and what `said`
        raises: then nothing is written.
        """


class WorkQueue(Protocol):
    """Hands out incidents that have something to be done. At most one per target at a time."""

    def claim(self, limit: int, now: datetime) -> Sequence[Claim]:
        """Claim up to `limit` incidents whose time has come, the most urgent and then the oldest first."""

    def release(self, claim: Claim) -> None:
        """Give an incident back, done or to be taken up at its `wake_at`."""

    def recover(self) -> int:
        """Take back whatever an agent that no longer lives had claimed; returns how many. Called once, at the start."""

    def next_wake(self, now: datetime) -> datetime | None:
        """Say when the next incident that sleeps beyond `now` wants to be taken up."""
