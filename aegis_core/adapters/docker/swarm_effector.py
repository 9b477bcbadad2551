"""The hands on Swarm services: each action is one change of what a service is to be, and Swarm does the rest.

The goal is the whole definition that the action leads to. Swarm takes a change only from whoever has seen the newest
version of the service: what is asked for twice, or by two, is done once. Where the service is neither what it was when
the action was planned nor what it was to become, somebody else has changed it, and nothing is done to it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.release import Release
from aegis_core.domain.scaling import MAX_REPLICAS_LABEL, replicas_ceiling
from aegis_core.domain.target import TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeUnavailable, TargetGone

from .state import moment
from .swarm import Service, Spec, Swarm
from .swarm_services import Services
from .swarm_spec import container_of, definition, release, replicas_of, started_anew, with_image, with_replicas
from .swarm_tasks import begun_at

_TURNS: Final = 5  # looks at a service that is being changed by others at the same time; its update counts as one


class _Way(NamedTuple):
    """One change, and whether it is Swarm's own way back."""

    spec: Spec
    back: bool = False


class ServiceEffector:
    """Observes afresh, acts, and takes back."""

    def __init__(self, swarm: Swarm, services: Services) -> None:
        self._swarm = swarm
        self._services = services

    def find(self, name: str) -> TargetState | None:
        """See `ports.Effector.find`."""
        return self._services.find(name)

    def observe(self, target: TargetRef) -> TargetState:
        """See `ports.Effector.observe`."""
        return self._services.observe(target)

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        """See `ports.Effector.apply`. Returns when Swarm has taken the change: it carries it out task by task."""
        if action is Action.NOOP:
            return
        if action is Action.RESTART and not goal.definition:
            goal = self.plan(action, before, Wish())
        if not goal.definition:
            raise ActionUnsupported(f"No {action} was planned for {before.ref.name}.")
        for _ in range(_TURNS):
            service = self._services.same(before.ref)
            if definition(service["Spec"]) == goal.definition or _taken_back_by_swarm(service, before):
                return
            way = self._way(action, service, before, goal)
            if self._swarm.redefine(service, way.spec, back=way.back):
                return
        raise RuntimeUnavailable(f"The service {before.ref.name} is being changed by somebody else.")

    def begun(self, target: TargetRef, since: datetime) -> bool:
        """Tell whether the service was changed after this moment; what its tasks do by themselves does not count."""
        try:
            service = self._services.same(target)
        except TargetGone:
            return False
        changed = begun_at(service) or moment(service["UpdatedAt"])
        return changed is not None and changed > since

    def plan(self, action: Action, before: TargetState, wish: Wish) -> Goal:
        """See `ports.Reverter.plan`."""
        service = self._services.same(before.ref)
        if definition(service["Spec"]) != before.definition:
            raise _changed(before)
        match action:
            case Action.RESTART:
                return Goal(definition=definition(started_anew(service["Spec"])))
            case Action.SCALE_UP:
                return _more(service, before)
            case Action.ROLLBACK:
                return _former(service, before, wish)
            case _:
                return Goal()

    def under_way(self, intent: Intent) -> bool:  # noqa: ARG002 - a change is one call: there is no middle of it
        """See `ports.Reverter.under_way`."""
        return False

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`."""
        if not intent.reversible:
            return ""
        for _ in range(_TURNS):
            service = self._services.same(intent.before.ref)
            way = _back(service, intent)
            if way is None:
                return ""
            if self._swarm.redefine(service, way.spec, back=way.back):
                return f"The service {intent.before.ref.name} is told to be as before: {_in_words(intent)}."
        raise RuntimeUnavailable(f"The service {intent.before.ref.name} is being changed by somebody else.")

    def settle(self, intent: Intent) -> None:
        """See `ports.Reverter.settle`. Swarm itself keeps what a service was before, and nothing else is kept."""

    def _way(self, action: Action, service: Service, before: TargetState, goal: Goal) -> _Way:
        """The change that leads from what is there to the goal. Raises TargetGone where what is there has changed."""
        if definition(service["Spec"]) != before.definition:
            raise _changed(before)
        for way in _ways(action, service, goal):
            if definition(way.spec) == goal.definition:
                return way
        raise _changed(before)


def _ways(action: Action, service: Service, goal: Goal) -> Iterator[_Way]:
    spec = service["Spec"]
    match action:
        case Action.RESTART:
            yield _Way(started_anew(spec))
        case Action.SCALE_UP if goal.replicas is not None:
            yield _Way(with_replicas(spec, goal.replicas))
        case Action.ROLLBACK:
            yield from _ways_back(service, goal.image)


def _ways_back(service: Service, image: str) -> Iterator[_Way]:
    """Swarm's own way back first; but that leads one step back only, and a restart was a step."""
    former = service.get("PreviousSpec")
    if former and _own_labels(former) == _own_labels(service["Spec"]):
        yield _Way(former, back=True)
    yield _Way(with_image(service["Spec"], image))


def _own_labels(spec: Spec) -> Mapping[str, str]:
    """What its owner tells Aegis by labels: going back must not take that back as well."""
    return {name: value for name, value in (spec.get("Labels") or {}).items() if name.startswith("aegis.")}


def _more(service: Service, before: TargetState) -> Goal:
    name, now = before.ref.name, replicas_of(service["Spec"])
    if now is None:
        raise ActionUnsupported(f"{name} runs once on every node: there is no number of replicas to raise.")
    if not before.running or now == 0:
        raise ActionUnsupported(f"{name} does not run: one more of it would not either.")
    top = replicas_ceiling(before.labels)
    if top is not None and now >= top:
        raise ActionUnsupported(f"{name} is at its ceiling of {top} replicas already ({MAX_REPLICAS_LABEL}).")
    return Goal(replicas=now + 1, definition=definition(with_replicas(service["Spec"], now + 1)))


def _former(service: Service, before: TargetState, wish: Wish) -> Goal:
    """Of what the service is known to have run healthily as, the first that there is a way to."""
    known = [one for one in wish.releases if one.image_id != before.image_id]
    for one in known:
        for way in _ways_back(service, one.image):
            if release(way.spec) == one.image_id:
                return Goal(image=_image(way), image_id=one.image_id, definition=definition(way.spec))
    raise ActionUnsupported(_no_way(before, known))


def _no_way(before: TargetState, known: list[Release]) -> str:
    if not known:
        return f"{before.ref.name} is not known to have run healthily as anything else."
    return (
        f"What {before.ref.name} ran healthily as ({known[0].image}) is neither what it was before its last change, "
        "nor another image alone."
    )


def _back(service: Service, intent: Intent) -> _Way | None:
    """The change that takes the action back; None where nothing of it is there. Raises NotUndone."""
    spec, before, goal = service["Spec"], intent.before, intent.goal
    if definition(spec) == before.definition:
        return None
    if intent.action is Action.SCALE_UP:  # whoever has set another number since, wants that
        taken = goal.replicas is not None and replicas_of(spec) == goal.replicas
        return _Way(with_replicas(spec, before.replicas or 1)) if taken else None
    former = service.get("PreviousSpec")
    if definition(spec) != goal.definition:
        return None
    if former is None or definition(former) != before.definition:
        raise NotUndone(f"Swarm does not remember any more what {before.ref.name} was before.")
    return _Way(former, back=True)


def _taken_back_by_swarm(service: Service, before: TargetState) -> bool:
    """Tell whether Swarm has gone back by itself from a change that failed, as the service's settings may say."""
    going_back = str((service.get("UpdateStatus") or {}).get("State") or "").startswith("rollback")
    begun = begun_at(service)
    same = definition(service["Spec"]) == before.definition
    return same and going_back and begun is not None and begun > before.at


def _image(way: _Way) -> str:
    return str(container_of(way.spec).get("Image") or "")


def _in_words(intent: Intent) -> str:
    before = intent.before
    return before.image if intent.action is Action.ROLLBACK else f"{before.replicas} replicas"


def _changed(before: TargetState) -> TargetGone:
    return TargetGone(f"The service {before.ref.name} was updated since it was looked at.")
