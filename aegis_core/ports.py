"""What the pipeline needs from the world: small protocols that speak the types of the domain.

Each is implemented by adapters and by a fake in `testing`, and both pass the same contract tests.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aegis_core.domain.action import Action
from aegis_core.domain.change import Change, Neighbour
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.events import Draft, Event
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.model import Stored
from aegis_core.domain.notice import Digest, Notice
from aegis_core.domain.policy import History
from aegis_core.domain.postmortem import Words
from aegis_core.domain.release import Release
from aegis_core.domain.signal import Signal
from aegis_core.domain.standing import Standing
from aegis_core.domain.target import TargetRef, TargetState, Usage
from aegis_core.domain.verification import Probe

Clock = Callable[[], datetime]
"""The present moment, aware, in UTC."""


class Stopping(Protocol):
    """Set when what is under way has to end. A `threading.Event` is one."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class Sensor(Protocol):
    """What can be seen of the targets of a runtime.

    Raises RuntimeUnavailable where the runtime does not answer.
    """

    def targets(self) -> Sequence[TargetState]:
        """List every target (opted in or not) without its usage."""

    def usage(self, target: TargetRef) -> Usage | None:
        """Sample CPU and memory now; None where the target does not run. Raises TargetGone."""

    def changes(self, stopping: Stopping) -> Iterator[Change]:
        """Yield what happens to any target (opted in or not) as it happens; block meanwhile.

        A GAP comes first, and again whenever something may have been missed: all the targets have to be listed then.
        Nothing is told twice. Ends within a second once `stopping` is set. Where it raises, it is to be called again.
        """


class EvidenceSource(Protocol):
    """What a runtime knows about the past of one target. Raises TargetGone, RuntimeUnavailable."""

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        """Return the newest lines of its output, cleaned, oldest first."""

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        """Tell what the runtime did with it since then, one short line each, oldest first."""

    def secrets(self, target: TargetRef) -> frozenset[str]:
        """Return the values of its environment, so that they can be masked wherever they turn up."""

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        """Return the targets that it hangs together with, each once by its closest relation, the closest first.

        They are 30 at most, and none of them is the target itself.
        """


class Effector(Protocol):
    """The hands. The target is always one that was observed, never a name out of an answer.

    Raises RuntimeUnavailable where the runtime does not answer or answers with an internal error.
    """

    def find(self, name: str) -> TargetState | None:
        """Observe the target of this name; None where there is none.

        It must not take long: `usage` is the newest sample that is there, and None where there is none yet.
        """

    def observe(self, target: TargetRef) -> TargetState:
        """Observe this very target, as `find` does. Raises TargetGone also when the name now means another one."""

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        """Carry the action out, and return when the runtime says that it is done.

        Of SCALE_UP and ROLLBACK the goal is the one that was planned, and what is there of it already is not done
        again. Raises TargetGone, ActionUnsupported; RuntimeUnavailable leaves open whether it happened.
        """

    def begun(self, target: TargetRef, since: datetime) -> bool:
        """Tell whether the runtime has begun to stop or restart the target after this moment."""


class Reverter(Protocol):
    """What makes SCALE_UP and ROLLBACK safe to try: planned before, and afterwards taken back or made final.

    Each may be asked for again after a crash at any point. Raises RuntimeUnavailable as the Effector does.
    """

    def plan(self, action: Action, before: TargetState, wish: Wish) -> Goal:
        """Say what the action would lead to, and do nothing. Raises ActionUnsupported with the reason why it cannot be
        done, TargetGone."""

    def under_way(self, intent: Intent) -> bool:
        """Tell whether the target is in the middle of it: then it has to be finished or undone, whatever is seen."""

    def undo(self, intent: Intent) -> str:
        """Bring back what was before, and tell it in words; empty where nothing had been done.

        Raises NotUndone with the reason, and then what was done is left as it is.
        """

    def settle(self, intent: Intent) -> None:
        """Give up what was kept for `undo`: the action has proven itself."""


class Prober(Protocol):
    """Asks a health URL."""

    def probe(self, url: str) -> Probe:
        """GET the URL once. Never raises for what the other side does: that is the answer."""


class Brain(Protocol):
    """Something that can diagnose: one rung, or the ladder over all of them."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Name the root cause and one action. Raises BrainError; the ladder as a whole never does."""


class Writer(Protocol):
    """Puts what happened into words for people."""

    def write(self, facts: str) -> Words:
        """Write a paragraph out of these facts (Markdown), and say who wrote it. Raises BrainError, also when late."""


class Runbook(Protocol):
    """The lessons. Raises RunbookError."""

    def lessons(self) -> Sequence[Lesson]:
        """Return every lesson, oldest first."""

    def add(self, lesson: Lesson) -> None:
        """Append a lesson durably; one that is there already (same incident) is left as it is."""


class Releases(Protocol):
    """What each target has run healthily with. Raises StoreUnavailable."""

    def of(self, target: str) -> Sequence[Release]:
        """Return the releases of a target, the one that was verified last first."""

    def note(self, release: Release) -> None:
        """Keep a release; one that is known (same target, same image) gets the newer name and moment."""

    def forget(self, target: str, image_id: str) -> None:
        """Go back to this one no more."""


class Recall(Protocol):
    """Finds the lessons that resemble an incident."""

    def similar(self, evidence: Evidence, most: int = 3) -> Sequence[Lesson]:
        """Return at most so many lessons that may help, the closest first. Raises RunbookError."""


class Channel(Protocol):
    """Somewhere a notice can be delivered to, or a digest of many."""

    name: str

    def deliver(self, notice: Notice | Digest) -> None:
        """Deliver once. Raises DeliveryDeferred (try again later) or DeliveryRejected (never will)."""


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


class EventLog(Protocol):
    """The log that everything is derived from. Raises StoreUnavailable.

    With every change it puts the notices that `Routes` asks for into the outbox, in the same transaction.
    """

    def open(self, openings: "Sequence[Opening]", at: datetime) -> Sequence[tuple[Incident, bool]]:
        """Store signals: each joins the incident with its id, or its key, or the open one of its target and fault;
        else it opens one.

        Returns for each the incident as it stands and whether this signal opened it. All of them are on disk when
        this returns, or none.
        """

    def clear(self, keys: Sequence[str], at: datetime) -> Sequence[Incident]:
        """Note on the open incidents with these keys that their sender says it is over; those acted on are left out.

        Returns the incidents that it was noted on.
        """

    def append(self, claim: "Claim", drafts: Sequence[Draft], at: datetime) -> "Claim":
        """Append events in one transaction and return the claim with the incident as it stands then.

        Signals that joined meanwhile are kept. Raises Fenced when somebody else has claimed the incident since.
        """

    def answer(self, incident_id: str, said: "Callable[[Incident], Sequence[Draft]]", at: datetime) -> Incident:
        """Append what a person said about an incident; `said` sees it as it stands, within the transaction.

        Whoever works on the incident is fenced off when it moves on by that. Raises IncidentUnknown, and what `said`
        raises: then nothing is written.
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


class OutboxItem(Stored):
    """A notice waiting for one channel."""

    id: int
    channel: str
    notice: Notice
    attempts: int
    created_at: datetime


class Outbox(Protocol):
    """Notices that were committed together with the events that caused them."""

    def due(self, channel: str, now: datetime, limit: int = 10, after: int = 0) -> Sequence[OutboxItem]:
        """Return undelivered notices of a channel whose time has come, oldest first; only ids above `after`."""

    def delivered(self, ids: Collection[int], at: datetime, outcome: str = "delivered") -> None:
        """Strike notices off; `outcome` says how they were told."""

    def deferred(self, ids: Collection[int], until: datetime, reason: str) -> None:
        """Count one more attempt of each, and try again at `until`."""

    def dropped(self, ids: Collection[int], at: datetime, reason: str) -> None:
        """Give notices up, and keep why."""
