"""Planning: what an action would lead to here, and whether it can be done at all. Nothing is done by it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aegis_core.domain.action import Action
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.intent import REVERSIBLE, Goal, Wish
from aegis_core.domain.release import Release, former
from aegis_core.domain.scaling import resource_of
from aegis_core.domain.target import Limits, TargetState
from aegis_core.errors import ActionUnsupported, TargetGone
from aegis_core.ports import Filter

from .outcome import before_it
from .tools import Tools

MOST_FORMER: Final = 100  # incidents that are looked through for what the limits were at first


def planned(incident: Incident, action: Action, target: TargetState, tools: Tools) -> Goal:
    """Say what the action is to lead to. What was taken back once is not tried on the same target again.

    Raises ActionUnsupported with the reason why it cannot be done, TargetGone, RuntimeUnavailable, StoreUnavailable.
    """
    if action is Action.NOOP:
        return Goal()
    if action not in REVERSIBLE:
        return tools.reverter.plan(action, target, Wish())
    if action in incident.in_vain:
        raise ActionUnsupported(f"{action} was tried already, did not help, and was taken back.")
    former = _tried_in_vain(incident, action, target, tools)
    if former:
        when = f"{former.updated_at:%Y-%m-%d %H:%M} UTC ({former.id})"
        raise ActionUnsupported(f"{action} did not help and was taken back, the last time at {when}.")
    return tools.reverter.plan(action, target, _wish(incident, action, target, tools))


class Prospect(NamedTuple):
    """What an action would lead to here, or why it cannot be done."""

    goal: Goal = Goal()
    hindrance: str = ""


def prospect(incident: Incident, action: Action, target: TargetState | None, tools: Tools) -> Prospect:
    """Look whether an action can be done. Raises RuntimeUnavailable, StoreUnavailable."""
    if target is None:
        return Prospect()
    try:
        return Prospect(planned(incident, action, target, tools))
    except (ActionUnsupported, TargetGone) as error:
        return Prospect(hindrance=str(error))


def _tried_in_vain(incident: Incident, action: Action, target: TargetState, tools: Tools) -> Incident | None:
    """The newest earlier incident in which the action was taken back from this very target, as it is now."""
    past, _ = tools.incidents.list(Filter(target=incident.target), MOST_FORMER, 0)
    seen = [one for one in past if action in one.in_vain and one.id != incident.id]
    return next((one for one in seen if _same(before_it(one), target)), None)


def _same(former: TargetState | None, target: TargetState) -> bool:
    """A service stays the same target with another image."""
    return former is not None and (former.ref, former.image_id) == (target.ref, target.image_id)


def _wish(incident: Incident, action: Action, target: TargetState, tools: Tools) -> Wish:
    if action is Action.ROLLBACK:
        return Wish(releases=tuple(_releases(incident, target, tools)))
    category = incident.diagnosis.category if incident.diagnosis else None
    resource = resource_of(incident.fault, category, target)
    return Wish(resource=resource, first=_first_limits(incident, target, tools))


def _releases(incident: Incident, target: TargetState, tools: Tools) -> Sequence[Release]:
    return former(tools.releases.of(incident.target), target.image_id)


def _first_limits(incident: Incident, target: TargetState, tools: Tools) -> Limits:
    """The limits that this very target had before it was ever scaled up: the least that are remembered."""
    resolved = Filter(target=incident.target, status=Status.RESOLVED)
    past, _ = tools.incidents.list(resolved, MOST_FORMER, 0)
    scaled = [one.intent for one in past if one.intent and one.intent.action is Action.SCALE_UP]
    known = [target.limits, *(one.before.limits for one in scaled if one.before.ref == target.ref)]
    memory = [one.memory_bytes for one in known if one.memory_bytes]
    cpus = [one.cpus for one in known if one.cpus]
    return Limits(memory_bytes=min(memory, default=None), cpus=min(cpus, default=None))
