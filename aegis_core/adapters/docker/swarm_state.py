"""What Swarm says of a service and its tasks, as a TargetState. Pure: no call is made here.

A service that Swarm still works on runs, with a health of `starting`: what Swarm mends by itself is left to it.

    no replicas wanted                                     exited (or still running), stopped by a person
    an update or a rollback is under way                   running, starting
    as many tasks as wanted                                running, and as healthy as they are
    the update was paused because of a failure, or no node takes a task   running, unhealthy
    one place has seen three tasks fail within two minutes restarting
    the missing tasks are on their way                     running, starting
    given up, but for some                                 running, unhealthy
    given up altogether                                    exited, as the last task has
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from aegis_core.domain.logs import clean_line
from aegis_core.domain.symptom import LOOP_DEATHS, LOOP_WINDOW
from aegis_core.domain.target import HEALTH_URL_LABEL, Health, RunState, TargetRef, TargetState

from .state import env_keys, moment
from .swarm import RUNNING, Service, Task
from .swarm_spec import (
    container_of,
    definition,
    limits_of_task,
    release,
    replicas_of,
    restart_condition,
    rollout_seconds,
    stop_grace,
)
from .swarm_tasks import (
    Muster,
    changed_at,
    container_id,
    exit_code,
    loops,
    muster,
    place,
    stuck,
    told_at,
    trouble,
)

_WORKING: Final = frozenset({"updating", "rollback_started"})
_PAUSED: Final = frozenset({"paused", "rollback_paused"})
_GRACE: Final = timedelta(seconds=3)  # within which Swarm has put another task in the place of one that has ended
_PATIENCE: Final = timedelta(seconds=60)  # for a task that no node takes
_TROUBLES: Final = 3
_TROUBLE_CHARACTERS: Final = 300

Own = Mapping[str, TargetState]
"""The containers of this node by their ids, as far as they were looked at."""


class _Standing(NamedTuple):
    run: RunState
    health: Health = Health.NONE
    by_person: bool = False


def to_state(service: Service, tasks: Sequence[Task], own: Own, at: datetime, restarts: int) -> TargetState:
    """Describe a service by its tasks as they were at `at`; `restarts`: how often Swarm has replaced a failed one."""
    sorted_out = muster(service, tasks)
    stands = _standing(service, tasks, sorted_out, own, at)
    ill = not stands.by_person and (stands.run is not RunState.RUNNING or stands.health is Health.UNHEALTHY)
    last = sorted_out.ended[-1] if sorted_out.ended else None
    over = ill and stands.run is not RunState.RUNNING
    known: dict[str, Any] = {
        "run": stands.run,
        "health": stands.health,
        "stopped_by_person": stands.by_person,
        "started_at": _started_at(service, sorted_out, own),
        "finished_at": changed_at(last) if last and over else None,
        "exit_code": exit_code(last) if last and ill else None,
        "oom_killed": bool(last and not sorted_out.complete and _killed(last, own)),
        "restart_count": restarts,
        "health_log": _told(service, sorted_out, tasks) if ill else (),
        "rollout_seconds": rollout_seconds(service["Spec"], sorted_out.wanted),
    }
    return from_listing(service, at).model_copy(update=known)


def from_listing(service: Service, at: datetime) -> TargetState:
    """Describe a service without its tasks: it is taken to run if it is to."""
    spec = service["Spec"]
    replicas, labels = replicas_of(spec), spec.get("Labels") or {}
    return TargetState(
        ref=TargetRef(name=spec["Name"], id=service["ID"]),
        at=at,
        run=RunState.EXITED if replicas == 0 else RunState.RUNNING,
        restart_policy=restart_condition(spec),
        image=str(container_of(spec).get("Image") or ""),
        image_id=release(spec),
        limits=limits_of_task(spec),
        env_keys=env_keys(container_of(spec).get("Env") or ()),
        labels=labels,
        health_url=labels.get(HEALTH_URL_LABEL) or None,
        stop_timeout=stop_grace(spec),
        stopped_by_person=replicas == 0,
        replicas=replicas,
        definition=definition(spec),
    )


def has_stalled(service: Service) -> bool:
    """Tell whether Swarm has stopped an update (or a rollback) because a task of it failed."""
    return _update(service) in _PAUSED


def _update(service: Service) -> str:
    return str((service.get("UpdateStatus") or {}).get("State") or "")


def _standing(service: Service, tasks: Sequence[Task], found: Muster, own: Own, at: datetime) -> _Standing:
    if replicas_of(service["Spec"]) == 0:
        still = any(task["Status"]["State"] == RUNNING for task in tasks)
        return _Standing(RunState.RUNNING if still else RunState.EXITED, by_person=True)
    if stuck(found.coming, at, _PATIENCE):
        return _Standing(RunState.RUNNING, Health.UNHEALTHY)
    if _update(service) in _WORKING:
        return _Standing(RunState.RUNNING, Health.STARTING)
    if found.complete:
        return _Standing(RunState.RUNNING, _health(service, found, own))
    return _incomplete(service, tasks, found, own, at)


def _incomplete(service: Service, tasks: Sequence[Task], found: Muster, own: Own, at: datetime) -> _Standing:
    if has_stalled(service):
        return _Standing(RunState.RUNNING, Health.UNHEALTHY)
    if loops(found.ended, found.up, at - LOOP_WINDOW, LOOP_DEATHS):
        return _Standing(RunState.RESTARTING)
    if found.under_way or not tasks or _just_ended(service, found, at):
        return _Standing(RunState.RUNNING, Health.STARTING)
    if found.up:
        return _Standing(RunState.RUNNING, Health.UNHEALTHY if found.failed else _health(service, found, own))
    return _Standing(RunState.EXITED)


def _just_ended(service: Service, found: Muster, at: datetime) -> bool:
    if restart_condition(service["Spec"]) == "none":
        return False
    return bool(found.ended) and at - changed_at(found.ended[-1]) < _GRACE


def _health(service: Service, found: Muster, own: Own) -> Health:
    """As healthy as the containers. One that has turned unhealthy is about to be replaced by Swarm."""
    seen = {own[container_id(task)].health for task in found.up if container_id(task) in own}
    if seen & {Health.UNHEALTHY, Health.STARTING}:
        return Health.STARTING
    checked = Health.HEALTHY in seen or bool((container_of(service["Spec"]).get("Healthcheck") or {}).get("Test"))
    return Health.HEALTHY if checked else Health.NONE


def _started_at(service: Service, found: Muster, own: Own) -> datetime:
    """When the youngest of its tasks was started, or, until there is one, when the service was told to start."""
    coming = [own[container_id(task)].started_at for task in found.coming if container_id(task) in own]
    begun = [*(at for at in coming if at), *(_start(task, own) for task in (*found.up, *found.ended[-1:]))]
    return max([told_at(service), *begun])


def _start(task: Task, own: Own) -> datetime:
    """By its container; where that is on another node, when it was told to run, or was made."""
    container = own.get(container_id(task))
    if container and container.started_at:
        return container.started_at
    made = moment(task["CreatedAt"]) or changed_at(task)
    return changed_at(task) if task["Status"]["State"] == RUNNING else made


def _killed(task: Task, own: Own) -> bool:
    container = own.get(container_id(task))
    return container is not None and container.oom_killed


def _told(service: Service, found: Muster, tasks: Sequence[Task]) -> tuple[str, ...]:
    """What Swarm says of its trouble, in the order of what a person would look at first."""
    told = [f"{len(found.up)} of {found.wanted} tasks run"]
    message = str((service.get("UpdateStatus") or {}).get("Message") or "")
    if has_stalled(service) and message:
        told.append(message)
    unwell = sorted((task for task in tasks if trouble(task)), key=changed_at)
    told += [f"task {place(task)} {task['Status']['State']}: {trouble(task)}" for task in unwell[-_TROUBLES:]]
    return tuple(clean_line(text)[:_TROUBLE_CHARACTERS] for text in dict.fromkeys(told))
