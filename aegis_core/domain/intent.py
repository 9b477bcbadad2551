"""What is about to be done, and how it is told afterwards whether it has happened."""

from datetime import datetime
from typing import Final

from .action import Action
from .definition import in_words, scale
from .model import Stored, Value
from .release import Release
from .scaling import Resource
from .target import Limits, TargetState

REVERSIBLE: Final = frozenset({Action.SCALE_UP, Action.ROLLBACK})
"""What is taken back when it did not help. A restart changes nothing that could be."""

_CPU_STEP: Final = 0.005  # runtimes keep a CPU limit as a whole number of small parts


class Wish(Value):
    """What is known that an action has to be planned by."""

    resource: Resource | None = None  # what ran out; None: nothing says
    first: Limits = Limits()  # the target's limits before it was ever scaled
    releases: tuple[Release, ...] = ()  # what can be gone back to, the best first


class Goal(Stored):
    """What an action is to lead to, in absolute terms: however often it is asked for, it has one effect."""

    limits: Limits | None = None  # of SCALE_UP: all limits as they are to be
    replicas: int | None = None  # of SCALE_UP of a service
    image: str = ""  # of ROLLBACK: the name that the release was run by
    image_id: str = ""
    starts: bool = False  # the target does not run, or has given up: it is started as well
    definition: str = ""  # of a service: its fingerprint after the action, whichever that is

    def shown_by(self, action: Action, state: TargetState) -> bool:
        """Tell whether the target is defined as this action was to make it; whether it runs is another question."""
        if self.definition:
            return state.definition == self.definition
        match action:
            case Action.SCALE_UP:
                wanted = self.limits or Limits()
                memory = _not_below(state.limits.memory_bytes, wanted.memory_bytes)
                return memory and _not_below(state.limits.cpus, wanted.cpus)
            case Action.ROLLBACK:
                return bool(self.image_id) and state.image_id == self.image_id
            case _:
                return True

    def words(self, action: Action, before: TargetState) -> str:
        """Tell what would change; empty where nothing was planned."""
        if action is Action.ROLLBACK and self.image:
            return f"{before.image} → {self.image}"
        if action is Action.SCALE_UP and (self.limits or self.replicas is not None):
            then = f"{self.replicas} replicas" if self.replicas is not None else in_words(self.limits or Limits())
            return f"{scale(before)} → {then}"
        return ""

    def begins_a_run(self, action: Action) -> bool:
        """Tell whether a new run of the target belongs to the effect."""
        return action in {Action.RESTART, Action.ROLLBACK} or self.starts


class Intent(Stored):
    """An action about to happen, with what was observed before it."""

    action: Action
    at: datetime
    before: TargetState
    goal: Goal = Goal()

    @property
    def reversible(self) -> bool:
        return self.action in REVERSIBLE

    def reached(self, state: TargetState) -> bool:
        """Tell whether the target shows the effect. It may have been somebody else's doing: it is not done again."""
        begins = self.goal.begins_a_run(self.action)
        return self.goal.shown_by(self.action, state) and (not begins or _started_since(self.before, state))


def _started_since(before: TargetState, state: TargetState) -> bool:
    earlier = before.started_at
    return state.started_at is not None and (earlier is None or state.started_at > earlier)


def _not_below(limit: float | None, wanted: float | None) -> bool:
    """No limit at all is above every other."""
    return limit is None or (wanted is not None and limit >= wanted - _CPU_STEP)
