"""Services as targets: seen with their tasks, and with the containers that these have on this node."""

import logging
import re
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from aegis_core.domain.target import SELF_LABEL, TargetRef, TargetState, Usage, Watch, opted_in
from aegis_core.errors import RuntimeUnavailable, TargetGone
from aegis_core.ports import Clock

from .client import answered_with
from .containers import Containers
from .meter import Meter
from .sensor import DockerSensor
from .state import Inspection
from .swarm import SERVICE_ID_LABEL, Service, Swarm, Task
from .swarm_spec import runs_for_good
from .swarm_state import Own, from_listing, has_stalled, to_state
from .swarm_tasks import Muster, container_id, muster, told_at

_HOSTNAME: Final = re.compile(r"[0-9a-f]{12}")  # of a container, unless its owner gave it another: its id begins so

_log = logging.getLogger(__name__)


class _Count(NamedTuple):
    since: datetime
    seen: frozenset[str]  # the failed tasks that Swarm remembered at the last look
    failed: int


class Services:
    """Looks at services. Used by many threads."""

    def __init__(
        self, swarm: Swarm, containers: Containers, sensor: DockerSensor, meter: Meter, clock: Clock, *, watch: Watch
    ) -> None:
        """`watch` is of which services everything is told; `sensor` measures their containers."""
        self._swarm = swarm
        self._containers = containers
        self._sensor = sensor
        self._meter = meter
        self._clock = clock
        self._watch = watch
        hostname = socket.gethostname()
        self._hostname = hostname if _HOSTNAME.fullmatch(hostname) else "no id"
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}
        self._ended: dict[str, TargetState] = {}  # containers that have ended say the same for ever
        self._running: Mapping[str, Sequence[str]] = {}  # the containers on this node by service, at the last look
        self._stalled: set[str] = set()
        self._last: Sequence[TargetState] = ()

    def instead_of_tasks(self, states: Sequence[TargetState]) -> Sequence[TargetState]:
        """Put services in the place of the containers of their tasks. Where this is no manager, nothing changes.

        Raises RuntimeUnavailable where no answer comes.
        """
        tasks = [state for state in states if SERVICE_ID_LABEL in state.labels]
        if tasks:
            self._swarm.task_seen()
        if not self._swarm.managed:
            return states
        others = [state for state in states if SERVICE_ID_LABEL not in state.labels]
        taken = {state.ref.name for state in others}
        try:
            found = [one for one in self._look({state.ref.id: state for state in tasks}) if one.ref.name not in taken]
        except RuntimeUnavailable as problem:
            if answered_with(problem) is None:
                raise
            _log.warning("the services cannot be listed: %s", problem)  # the swarm may have no leader just now
            found = list(self._last)
        self._last = found
        return [*others, *found] if self._swarm.managed else states

    def find(self, name: str) -> TargetState | None:
        """Observe the service of exactly this name; None where there is none. Raises RuntimeUnavailable."""
        if not self._swarm.managed:
            return None
        try:
            service = self._swarm.service(name)
        except TargetGone:
            return None
        if service["Spec"]["Name"] != name or not runs_for_good(service):
            return None
        return self._measured(service)

    def observe(self, target: TargetRef) -> TargetState:
        """Observe this very service. Raises TargetGone, RuntimeUnavailable."""
        return self._measured(self.same(target))

    def same(self, target: TargetRef) -> Service:
        """Look at this very service. Raises TargetGone also where its id is that of another name."""
        service = self._swarm.service(target.id)
        if service["Spec"]["Name"] != target.name:
            raise TargetGone(f"{target.name} is no longer the name of service {target.id}.")
        return service

    def usage(self, target: TargetRef) -> Usage | None:
        """Sample its tasks on this node, and tell of the one that is worst off. Raises TargetGone,
        RuntimeUnavailable."""
        known = self._samples(target, self._running.get(target.id, ()))
        return _worst(known) or _worst(self._samples(target, self._running_now(self.same(target))))

    def described(self, services: Sequence[Service]) -> Sequence[TargetState]:
        """Describe these services by their tasks. Raises RuntimeUnavailable."""
        tasks = self._tasks_of(services)
        return [self._state(one, tasks[one["ID"]], self._own(one, tasks[one["ID"]])) for one in services]

    def has_stalled(self, service_id: str) -> bool:
        """Tell whether an update of it had been stopped because of a failure, when it was looked at last."""
        return service_id in self._stalled

    # Looking

    def _look(self, own: Own) -> list[TargetState]:
        services = [one for one in self._swarm.services() if runs_for_good(one)]
        watched = [one for one in services if opted_in(one["Spec"].get("Labels") or {}, self._watch)]
        tasks = self._tasks_of(watched)
        self._swarm.watch(tasks)
        self._forget_all_but({one["ID"] for one in services}, own)
        self._running = {one["ID"]: self._here(muster(one, tasks[one["ID"]]).up) for one in watched}
        states = {
            one["ID"]: self._state(one, tasks[one["ID"]], self._own(one, tasks[one["ID"]], own)) for one in watched
        }
        return [states.get(one["ID"]) or from_listing(one, self._clock()) for one in services]

    def _tasks_of(self, services: Sequence[Service]) -> Mapping[str, list[Task]]:
        tasks: dict[str, list[Task]] = {one["ID"]: [] for one in services}
        for task in self._swarm.tasks(tasks):
            tasks.get(task["ServiceID"], []).append(task)
        return tasks

    def _measured(self, service: Service) -> TargetState:
        tasks = self._tasks_of([service])[service["ID"]]
        inspections = [one for task in muster(service, tasks).up if (one := self._inspected(task))]
        own = {one["Id"]: self._containers.described(one) for one in inspections}
        state = self._state(service, tasks, self._own(service, tasks, own))
        usage = _worst([self._meter.newest(one) for one in inspections])
        return state.model_copy(update={"usage": usage})

    def _state(self, service: Service, tasks: Sequence[Task], own: Own) -> TargetState:
        found = muster(service, tasks)
        (self._stalled.add if has_stalled(service) else self._stalled.discard)(service["ID"])
        state = to_state(service, tasks, own, self._clock(), self._restarts(service, found))
        mine = any(one.labels.get(SELF_LABEL) or one.ref.id.startswith(self._hostname) for one in own.values())
        return state.model_copy(update={"labels": {**state.labels, SELF_LABEL: "true"}}) if mine else state

    def _own(self, service: Service, tasks: Sequence[Task], known: Own | None = None) -> Own:
        """The containers on this node that tell of a service: of the tasks that run, and of the last that ended."""
        found = muster(service, tasks)
        wanted = found.up if found.complete else [*found.up, *found.coming, *found.ended[-1:]]
        seen = {container: self._seen(task, known or {}) for task in wanted if (container := container_id(task))}
        return {container: state for container, state in seen.items() if state}

    def _seen(self, task: Task, known: Own) -> TargetState | None:
        container = container_id(task)
        state = known.get(container) or self._ended.get(container)
        if state and (state.started_at or state.running):
            return state
        inspection = self._inspected(task)
        if inspection is None:
            return None
        state = self._containers.described(inspection)
        if state.finished_at and not state.running:
            with self._lock:
                self._ended[container] = state
        return state

    def _inspected(self, task: Task) -> Inspection | None:
        container = container_id(task)
        if not container or task.get("NodeID") != self._swarm.node:
            return None
        try:
            return self._containers.inspected(container, str(task["ID"]))
        except TargetGone:
            return None

    def _running_now(self, service: Service) -> Sequence[str]:
        found = muster(service, self._tasks_of([service])[service["ID"]])
        return self._here([*found.up, *found.coming])

    def _here(self, tasks: Sequence[Task]) -> Sequence[str]:
        return [container_id(task) for task in tasks if task.get("NodeID") == self._swarm.node and container_id(task)]

    def _samples(self, target: TargetRef, containers: Sequence[str]) -> Sequence[Usage | None]:
        samples = []
        for container in containers:
            with suppress(TargetGone):  # its task was replaced just now
                samples.append(self._sensor.usage(TargetRef(name=target.name, id=container)))
        return samples

    # Remembering

    def _restarts(self, service: Service, found: Muster) -> int:
        """Count the tasks that have failed since it was told to start. Swarm itself remembers the last few only."""
        failed = frozenset(task["ID"] for task in found.failed)
        with self._lock:
            old = self._counts.get(service["ID"])
            same = old is not None and old.since == told_at(service)
            count = old.failed + len(failed - old.seen) if old and same else len(failed)
            self._counts[service["ID"]] = _Count(told_at(service), failed, count)
        return count

    def _forget_all_but(self, services: set[str], own: Own) -> None:
        with self._lock:
            self._stalled &= services
            for gone in self._counts.keys() - services:
                del self._counts[gone]
            for removed in self._ended.keys() - own.keys():
                del self._ended[removed]


def _worst(samples: Sequence[Usage | None]) -> Usage | None:
    """Put the samples of several tasks together: of each measure the highest."""
    taken = [sample for sample in samples if sample]
    if not taken:
        return None
    shares = [sample.memory_percent for sample in taken if sample.memory_percent is not None]
    cpus = [sample.cpu_percent for sample in taken if sample.cpu_percent is not None]
    return Usage(
        at=max(sample.at for sample in taken),
        memory_bytes=max(sample.memory_bytes for sample in taken),
        memory_percent=max(shares, default=None),
        cpu_percent=max(cpus, default=None),
    )
