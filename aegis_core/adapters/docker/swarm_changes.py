"""What happens to services, told by what happens to their containers on this node and by Swarm itself."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.symptom import LOOP_WINDOW
from aegis_core.domain.target import TargetRef

from .changes import FILTERS, change_of
from .containers import SERVICE_NAME_LABEL
from .past import Happening
from .swarm import SERVICE_ID_LABEL, TASK_NAME_LABEL, Swarm, is_service

_MOST_REMEMBERED: Final = 1_024  # containers, and places of tasks
_OF_SERVICE: Final[Mapping[str, ChangeKind]] = {"create": ChangeKind.STARTED, "remove": ChangeKind.REMOVED}
# How Swarm says that an update, or the way back from one, is over.
_OUTCOMES: Final[Mapping[str, ChangeKind]] = {
    "completed": ChangeKind.HEALTHY,
    "rollback_completed": ChangeKind.HEALTHY,
    "paused": ChangeKind.UNHEALTHY,
    "rollback_paused": ChangeKind.UNHEALTHY,
}


class ServiceChanges:
    """Puts happenings in our words, those of a task as ones of its service. One for each who follows.

    A service is taken to have ended as often as that place in it that has ended most often: ten tasks that end once
    each are no loop. The ends that follow from an update that has failed already are not told one by one.
    """

    def __init__(self, swarm: Swarm, has_stalled: Callable[[str], bool]) -> None:
        self._swarm = swarm
        self._has_stalled = has_stalled
        self._asked: deque[str] = deque(maxlen=_MOST_REMEMBERED)  # containers whose end somebody has asked for
        self._unhealthy: deque[str] = deque(maxlen=_MOST_REMEMBERED)  # Swarm is about to end these for that
        self._ends: dict[tuple[str, str], list[datetime]] = {}  # by service and place

    def filters(self) -> Mapping[str, Sequence[str]]:
        """What to ask the engine for."""
        if not self._swarm.managed:
            return FILTERS
        more = {"type": ["container", "service"], "event": sorted({*FILTERS["event"], "create", "update", "remove"})}
        return {**FILTERS, **more}

    def change_of(self, happening: Happening) -> Change | None:
        """Put a happening in our words; None for one that is nothing to us."""
        if is_service(happening.container):
            return self._of_service(happening)
        change = change_of(happening)
        service = happening.attributes.get(SERVICE_ID_LABEL)
        if change is None or not service or not self._swarm.managed:
            return change
        kind = self._of_task(change, happening, service)
        ref = TargetRef(name=happening.attributes.get(SERVICE_NAME_LABEL, ""), id=service)
        return change.model_copy(update={"kind": kind, "target": ref}) if kind and ref.name else None

    def _of_service(self, happening: Happening) -> Change | None:
        name, outcome = happening.attributes.get("name"), happening.attributes.get("updatestate.new", "")
        if not name:
            return None
        # Whoever changes a service has asked for what its tasks do now.
        kind = _OF_SERVICE.get(happening.what) or _OUTCOMES.get(outcome, ChangeKind.STOPPED)
        return Change(kind=kind, at=happening.at, target=TargetRef(name=name, id=happening.container))

    def _of_task(self, change: Change, happening: Happening, service: str) -> ChangeKind | None:
        container = happening.container
        match change.kind:
            case ChangeKind.UNHEALTHY:
                self._unhealthy.append(container)
            case ChangeKind.STOPPED if container in self._unhealthy:
                return None
            case ChangeKind.STOPPED:
                self._asked.append(container)
                self._forget(service)
            case ChangeKind.DIED if container in self._asked:
                return ChangeKind.STOPPED
            case ChangeKind.DIED:
                return change.kind if self._counts(happening, service) else None
            case ChangeKind.REMOVED:  # Swarm clears away what has ended long ago
                return None
        return change.kind

    def _counts(self, happening: Happening, service: str) -> bool:
        """Tell whether the service has ended once more by this, as explained above."""
        if self._has_stalled(service):
            return False
        key = (service, _place(happening))
        before = max((len(self._lately(one, happening.at)) for one in list(self._ends) if one[0] == service), default=0)
        self._ends[key] = [*self._lately(key, happening.at), happening.at]
        if len(self._ends) > _MOST_REMEMBERED:
            del self._ends[next(iter(self._ends))]
        return len(self._ends[key]) > before

    def _lately(self, key: tuple[str, str], now: datetime) -> list[datetime]:
        return [at for at in self._ends.get(key, ()) if now - at < LOOP_WINDOW]

    def _forget(self, service: str) -> None:
        for key in [one for one in self._ends if one[0] == service]:
            del self._ends[key]


def _place(happening: Happening) -> str:
    """The slot or node in the name of the task: `shop.2.v8z…`."""
    return happening.attributes.get(TASK_NAME_LABEL, "").rpartition(".")[0]
