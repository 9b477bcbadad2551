"""The tasks of a service: which of them run, which are on their way, and which have ended. Pure.

Swarm never starts a task again: it makes another one in its place (its slot, or its node), and remembers the last few.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from .state import moment
from .swarm import RUNNING, Service, Task
from .swarm_spec import replicas_of

_COMING: Final = frozenset({"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"})
_FAILED: Final = frozenset({"failed", "rejected", "orphaned"})
_GIVEN_UP: Final = frozenset({"shutdown", "remove"})  # what Swarm wants of a task that it no longer wants
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_NO_NODE: Final = "not available for new tasks"  # a person has drained or paused it, or it is away


class Muster(NamedTuple):
    """The tasks of a service, by what they are good for. Only of its present definition, but for `stale`."""

    wanted: int
    up: Sequence[Task]
    stale: Sequence[Task]  # they run, and are of a definition that is to be replaced
    coming: Sequence[Task]
    ended: Sequence[Task]  # by themselves, since the service was told to start last; the oldest first

    @property
    def complete(self) -> bool:
        return not self.stale and len(self.up) >= self.wanted

    @property
    def under_way(self) -> bool:
        """Swarm has not yet done all that it is about to do."""
        return bool(self.stale) or len(self.up) + len(self.coming) >= self.wanted

    @property
    def failed(self) -> Sequence[Task]:
        return [task for task in self.ended if task["Status"]["State"] in _FAILED]


def muster(service: Service, tasks: Sequence[Task]) -> Muster:
    """Sort the tasks of a service."""
    since = told_at(service)
    current = [task for task in tasks if _is_current(task, service)]
    running = [task for task in tasks if task["Status"]["State"] == RUNNING and _is_wanted(task)]
    ended = [task for task in current if _ended_by_itself(task) and _made_at(task) >= since]
    return Muster(
        wanted=_wanted(service, tasks),
        up=[task for task in running if _is_current(task, service)],
        stale=[task for task in running if not _is_current(task, service)],
        coming=[task for task in current if task["Status"]["State"] in _COMING and _is_wanted(task)],
        ended=sorted(ended, key=changed_at),
    )


def told_at(service: Service) -> datetime:
    """When the service was told to start, or to start anew, for the last time."""
    return begun_at(service) or moment(service["CreatedAt"]) or _LONG_AGO


def begun_at(service: Service) -> datetime | None:
    """When its last update began, as far as Swarm remembers: a change of its replicas makes it forget."""
    return moment((service.get("UpdateStatus") or {}).get("StartedAt"))


def changed_at(task: Task) -> datetime:
    """When the task came into the state that it is in."""
    return moment(task["Status"].get("Timestamp")) or _made_at(task)


def place(task: Task) -> str:
    """What the task is one of a row in: a slot, or a node."""
    return str(task.get("Slot") or task.get("NodeID") or "")


def container_id(task: Task) -> str:
    """The container that it runs, or ran, in; empty where there has been none."""
    return str((task["Status"].get("ContainerStatus") or {}).get("ContainerID") or "")


def exit_code(task: Task) -> int | None:
    """The exit code of a task that has ended; None where it never came so far."""
    if task["Status"]["State"] == "complete":
        return 0
    code = (task["Status"].get("ContainerStatus") or {}).get("ExitCode") or 0
    return code if code > 0 else None


def trouble(task: Task) -> str:
    """What Swarm says has gone wrong with it; empty where nothing has."""
    return str(task["Status"].get("Err") or "")


def stuck(tasks: Iterable[Task], at: datetime, patience: timedelta) -> Task | None:
    """Find a task that no node takes, for longer than that, though nodes there are."""
    return next((task for task in tasks if _is_stuck(task) and at - changed_at(task) > patience), None)


def loops(ended: Sequence[Task], up: Sequence[Task], since: datetime, most: int) -> bool:
    """Tell whether one place has seen so many of its tasks fail since then, and has none that runs."""
    counts: dict[str, int] = {}
    for task in ended:
        if task["Status"]["State"] in _FAILED and changed_at(task) > since:
            counts[place(task)] = counts.get(place(task), 0) + 1
    well = {place(task) for task in up}
    return any(count >= most for where, count in counts.items() if where not in well)


def _is_stuck(task: Task) -> bool:
    return task["Status"]["State"] == "pending" and bool(trouble(task)) and _NO_NODE not in trouble(task)


def _is_wanted(task: Task) -> bool:
    return task["DesiredState"] not in _GIVEN_UP


def _is_current(task: Task, service: Service) -> bool:
    template, own = service["Spec"]["TaskTemplate"], task["Spec"]
    return all(own.get(key) == template.get(key) for key in ("ContainerSpec", "Resources", "ForceUpdate"))


def _ended_by_itself(task: Task) -> bool:
    return task["Status"]["State"] in _FAILED or task["Status"]["State"] == "complete"


def _made_at(task: Task) -> datetime:
    return moment(task["CreatedAt"]) or _LONG_AGO


def _wanted(service: Service, tasks: Sequence[Task]) -> int:
    """How many there are to be; of one on every node, as many as there are places that were not given up."""
    replicas = replicas_of(service["Spec"])
    if replicas is not None:
        return replicas
    newest: Mapping[str, Task] = {place(task): task for task in sorted(tasks, key=_made_at)}
    return sum(1 for task in newest.values() if _is_wanted(task) or _ended_by_itself(task))
