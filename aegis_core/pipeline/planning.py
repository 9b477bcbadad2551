"""Planning: what an action would lead to here, and whether it can be done at all. Nothing is done by it."""

from collections.abc import Sequence
from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.intent import REVERSIBLE, Goal, Wish
from aegis_core.domain.release import Release, former
from aegis_core.domain.scaling import resource_of
from aegis_core.domain.target import Limits, TargetState
from aegis_core.errors import ActionUnsupported, TargetGone
from aegis_core.ports import Filter

from .tools import Tools

MOST_FORMER: Final = 100  # incidents that are looked through for what the limits were at first


def planned(incident: Incident, action: Action, target: TargetState, tools: Tools) -> Goal:
    """Say what the action is to lead to. What was taken back once in this incident is not tried again.

    Raises ActionUnsupported with the reason why it cannot be done, TargetGone, RuntimeUnavailable, StoreUnavailable.
    """
    if action not in REVERSIBLE:
        return Goal()
    if action in incident.in_vain:
        raise ActionUnsupported(f"{action} was tried already, did not help, and was taken back.")
    return tools.reverter.plan(action, target, _wish(incident, action, target, tools))


def hindrance(incident: Incident, action: Action, target: TargetState, tools: Tools) -> str:
    """Say why an action cannot be done here; empty where it can. Raises RuntimeUnavailable, StoreUnavailable."""
    try:
        planned(incident, action, target, tools)
    except (ActionUnsupported, TargetGone) as error:
        return str(error)
    return ""


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
