"""The targets, as a runtime shows and changes them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from aegis_core.domain.action import Action
from aegis_core.domain.change import Change, Neighbour
from aegis_core.domain.intent import Goal, Intent, Wish
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
