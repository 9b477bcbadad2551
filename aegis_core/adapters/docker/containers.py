"""Looking at one container: by name or by id, always afresh."""

import re
from collections.abc import Mapping
from typing import Any, Final

from aegis_core.domain.target import TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, TargetGone
from aegis_core.ports import Clock

from .client import Engine, translated
from .meter import Meter
from .state import Host, Inspection, name_of, to_state
from .stops import Stops

SERVICE_NAME_LABEL: Final = "com.docker.swarm.service.name"  # on the container of every task of a Swarm service
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")  # the engine's own rule


def refuse_task(target: TargetRef, labels: Mapping[str, str]) -> None:
    """Raise ActionUnsupported for a task of a Swarm service: whatever is done to that, Swarm undoes."""
    service = labels.get(SERVICE_NAME_LABEL)
    if service:
        told = f"{target.name} is a task of the Swarm service {service}: only the service can be acted on."
        raise ActionUnsupported(told)


class Containers:
    """Inspects containers and describes what it sees."""

    def __init__(self, engine: Engine, host: Host, meter: Meter, stops: Stops, clock: Clock) -> None:
        self._engine = engine
        self._host = host
        self._meter = meter
        self._stops = stops
        self._clock = clock

    def inspected(self, container: str, name: str) -> Inspection:
        """Inspect by id; `name` is for the message. Raises TargetGone, RuntimeUnavailable."""
        with translated(f"inspecting {name}"):
            answer: Mapping[str, Any] = self._engine.inspect_container(container)
            return answer

    def named(self, name: str) -> Inspection | None:
        """Inspect the container of exactly this name; None where there is none. Raises RuntimeUnavailable.

        The engine would also take (the beginning of) an id for a name, and a path for anything.
        """
        if not _NAME.fullmatch(name):
            return None
        try:
            inspection = self.inspected(name, name)
        except TargetGone:
            return None
        return inspection if name_of(inspection) == name else None

    def same(self, target: TargetRef) -> Inspection:
        """Inspect this very target. Raises TargetGone also where its name now means another container, or nothing."""
        inspection = self.inspected(target.id, target.name)
        if name_of(inspection) != target.name:
            raise TargetGone(f"{target.name} is no longer the name of container {target.id[:12]}.")
        return inspection

    def own(self, target: TargetRef) -> Inspection:
        """Inspect this very target, to act on it. Raises TargetGone as `same` does, ActionUnsupported as
        `refuse_task`."""
        inspection = self.same(target)
        refuse_task(target, inspection["Config"].get("Labels") or {})
        return inspection

    def described(self, inspection: Inspection) -> TargetState:
        """Describe a container, without its usage. Raises RuntimeUnavailable."""
        return to_state(inspection, self._clock(), self._host, None, self._stops.by_person(inspection))

    def measured(self, inspection: Inspection) -> TargetState:
        """Describe a container, with the newest sample of its usage. Raises TargetGone, RuntimeUnavailable.

        One that is being stopped counts as stopped by a person already.
        """
        usage = self._meter.newest(inspection) if inspection["State"]["Running"] else None
        state = self.described(inspection)
        stopped = state.stopped_by_person or self._stops.under_way(inspection)
        return state.model_copy(update={"usage": usage, "stopped_by_person": stopped})
