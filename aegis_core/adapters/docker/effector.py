"""The hands on a Docker engine: the one place where something is done to a container."""

from datetime import datetime

from aegis_core.domain.action import Action
from aegis_core.domain.target import TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, RuntimeUnavailable, TargetGone
from aegis_core.ports import Clock

from .client import Engine, translated
from .containers import Containers
from .past import begins_anew, happenings
from .state import Inspection, moment, name_of, stop_signal, stop_timeout
from .stops import Stops


class DockerEffector:
    """Observes afresh, and restarts."""

    def __init__(self, engine: Engine, containers: Containers, stops: Stops, clock: Clock) -> None:
        self._engine = engine
        self._containers = containers
        self._stops = stops
        self._clock = clock

    def find(self, name: str) -> TargetState | None:
        """Observe the container of exactly this name, with its newest sample; None where there is none.

        Raises RuntimeUnavailable.
        """
        inspection = self._containers.named(name)
        try:
            return self._containers.measured(inspection) if inspection else None
        except TargetGone:
            return None

    def observe(self, target: TargetRef) -> TargetState:
        """Observe this very container, with its newest sample. Raises TargetGone, RuntimeUnavailable."""
        return self._containers.measured(self._containers.same(target))

    def apply(self, action: Action, before: TargetState) -> None:
        """Carry the action out: RESTART (one that does not run is started); NOOP does nothing.

        Returns when the engine says that the container has been started. Raises TargetGone, also where the name now
        means another container; ActionUnsupported; RuntimeUnavailable, which leaves open whether it happened.
        """
        match action:
            case Action.NOOP:
                return
            case Action.RESTART:
                self._restart(self._containers.same(before.ref))
            case _:
                raise ActionUnsupported(f"{action} cannot be carried out on plain Docker; only RESTART can.")

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

    def _restart(self, inspection: Inspection) -> None:
        container, name = inspection["Id"], name_of(inspection)
        self._stops.restart_begins(inspection)
        try:
            with translated(f"restarting {name}", refusal=ActionUnsupported):
                # The SDK waits for the answer as much longer than its own time limit as the stop may take.
                self._engine.restart(container, timeout=round(stop_timeout(inspection)))
        except RuntimeUnavailable as problem:
            raise RuntimeUnavailable(f"{problem}; it may have happened all the same") from problem
        except (TargetGone, ActionUnsupported):
            self._stops.restart_is_over(container)
            raise
        self._stops.restart_is_over(container)
