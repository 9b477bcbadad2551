"""The hands on a Docker engine: the one place where something is done to a container."""

from collections.abc import Callable
from datetime import datetime

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.target import TargetRef, TargetState
from aegis_core.errors import TargetGone
from aegis_core.ports import Clock

from .client import Engine
from .containers import Containers, refuse_task
from .listing import out_of_sight
from .past import begins_anew, happenings
from .rollback import Rollback
from .runs import Runs
from .scaling import Scaling
from .state import moment, stop_signal


class DockerEffector:
    """Observes afresh, acts, and takes back."""

    def __init__(
        self,
        engine: Engine,
        containers: Containers,
        runs: Runs,
        scaling: Scaling,
        rollback: Rollback,
        *,
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        """`changed` is told the id of every container whose definition was changed."""
        self._engine = engine
        self._containers = containers
        self._runs = runs
        self._scaling = scaling
        self._rollback = rollback
        self._clock = clock
        self._changed = changed

    def find(self, name: str) -> TargetState | None:
        """Observe the container of exactly this name, with its newest sample; None where there is none.

        Raises RuntimeUnavailable.
        """
        inspection = None if out_of_sight(name) else self._containers.named(name)
        try:
            return self._containers.measured(inspection) if inspection else None
        except TargetGone:
            return None

    def observe(self, target: TargetRef) -> TargetState:
        """Observe this very container, with its newest sample. Raises TargetGone, RuntimeUnavailable."""
        return self._containers.measured(self._containers.same(target))

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        """Carry the action out: see `ports.Effector.apply`. RESTART starts one that does not run; NOOP does nothing.

        Returns when the engine says that it is done. Raises TargetGone, also where the name now means another
        container; ActionUnsupported; RuntimeUnavailable, which leaves open whether it happened.
        """
        match action:
            case Action.NOOP:
                return
            case Action.RESTART:
                self._runs.restart(self._containers.own(before.ref))
            case Action.SCALE_UP:
                self._scaling.carry_out(Intent(action=action, at=before.at, before=before, goal=goal))
                self._changed(before.ref.id)
            case Action.ROLLBACK:
                self._rollback.carry_out(Intent(action=action, at=before.at, before=before, goal=goal))

    def begun(self, target: TargetRef, since: datetime) -> bool:
        """Tell whether the container was stopped, killed, restarted or started after this moment.

        A crash alone does not count. Raises RuntimeUnavailable.
        """
        try:
            inspection = self._containers.inspected(target.id, target.name)
        except TargetGone:
            return False
        started = moment(inspection["State"]["StartedAt"])
        if started and started > since:
            return True
        past = happenings(self._engine, target.id, since, self._clock())
        return begins_anew([happening for happening in past if happening.at > since], stop_signal(inspection))

    def plan(self, action: Action, before: TargetState, wish: Wish) -> Goal:
        """See `ports.Reverter.plan`."""
        refuse_task(before.ref, before.labels)
        match action:
            case Action.SCALE_UP:
                return self._scaling.plan(before, wish)
            case Action.ROLLBACK:
                return self._rollback.plan(before, wish)
            case _:
                return Goal()

    def under_way(self, intent: Intent) -> bool:
        """See `ports.Reverter.under_way`."""
        return intent.action is Action.ROLLBACK and self._rollback.under_way(intent)

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`."""
        match intent.action:
            case Action.SCALE_UP:
                told = self._scaling.undo(intent)
                self._changed(intent.before.ref.id)
                return told
            case Action.ROLLBACK:
                return self._rollback.undo(intent)
            case _:
                return ""

    def settle(self, intent: Intent) -> None:
        """See `ports.Reverter.settle`."""
        if intent.action is Action.ROLLBACK:
            self._rollback.settle(intent)
