"""What Swarm knows about the past of a service."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from aegis_core.domain.change import MOST_NEIGHBOURS, Neighbour, Relation
from aegis_core.domain.logs import clean_line
from aegis_core.domain.masking import secret_values
from aegis_core.domain.target import Health, TargetRef, TargetState
from aegis_core.errors import TargetGone
from aegis_core.ports import Clock

from .client import Engine, translated
from .containers import Containers
from .evidence import MOST_LINE_BYTES, MOST_LINES
from .log import newest_lines
from .past import TOLD, happening_of
from .swarm import SERVICE_ID_LABEL, Service, Swarm
from .swarm_services import Services
from .swarm_spec import container_of, networks_of, runs_for_good
from .swarm_tasks import begun_at, changed_at, container_id, place, trouble

_TIMED: Final = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)", re.DOTALL)


class ServiceEvidence:
    """Reads logs, events and the environment of services."""

    def __init__(self, engine: Engine, swarm: Swarm, services: Services, containers: Containers, clock: Clock) -> None:
        self._engine = engine
        self._swarm = swarm
        self._services = services
        self._containers = containers
        self._clock = clock

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        """Return the newest lines of all its tasks on all nodes, those of former tasks as well, cleaned, by time.

        Raises TargetGone; RuntimeUnavailable, also where the log driver cannot be read.
        """
        terminal = bool(container_of(self._services.same(target)["Spec"]).get("TTY"))
        most = max(1, min(tail, MOST_LINES))
        with translated(f"reading the log of {target.name}"):
            chunks = self._engine.service_log_bytes(target.id, most, since, MOST_LINES * MOST_LINE_BYTES)
            timed = [_timed(line) for line in newest_lines(chunks, terminal, MOST_LINES)]
        earliest = since.strftime("%Y-%m-%dT%H:%M:%S.%f") if since else ""
        return [text for at, text in sorted(timed, key=lambda one: one[0]) if at >= earliest][-most:]

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        """Tell what became of its tasks, with times in UTC: `12:03:04 die (exit code 137)` by the engine of this node,
        `12:03:05 task 2 failed: task: non-zero exit (137)` by Swarm. Raises RuntimeUnavailable."""
        service, now = self._services.same(target), self._clock()
        filters = {"type": ["container"], "label": [f"{SERVICE_ID_LABEL}={target.id}"], "event": TOLD}
        with translated("asking for past events"):
            past = self._engine.past_events(since, max(now, since), filters)
        told = [(one.at, str(one)) for one in map(happening_of, past)]
        for task in self._swarm.tasks([target.id]):
            if trouble(task) and changed_at(task) >= since:
                text = f"task {place(task)} {task['Status']['State']}: {trouble(task)}"
                told.append((changed_at(task), clean_line(f"{changed_at(task):%H:%M:%S} {text}")))
        return [text for _, text in sorted([*told, *_update(service, since)])]

    def secrets(self, target: TargetRef) -> frozenset[str]:
        """Return the values of its environment that are worth masking, those that its image brings as well.

        Raises TargetGone, RuntimeUnavailable.
        """
        entries = [*(container_of(self._services.same(target)["Spec"]).get("Env") or ()), *self._of_image(target)]
        return secret_values({name: value for name, _, value in (entry.partition("=") for entry in entries)})

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        """Return the other services on its networks, those in trouble first. Raises TargetGone, RuntimeUnavailable."""
        own = networks_of(self._services.same(target)["Spec"]).keys()
        others = [one for one in self._swarm.services() if one["ID"] != target.id and runs_for_good(one)]
        near = [one for one in others if own & networks_of(one["Spec"]).keys()]
        states = self._services.described(near)
        found = [
            Neighbour(relation=Relation.SAME_NETWORK, state=state, names=_names(one))
            for one, state in zip(near, states, strict=True)
        ]
        return sorted(found, key=lambda one: (_well(one.state), one.state.ref.name))[:MOST_NEIGHBOURS]

    def _of_image(self, target: TargetRef) -> Sequence[str]:
        """The environment of one of its containers on this node; empty where there is none."""
        for task in self._swarm.tasks([target.id]):
            if container_id(task) and task.get("NodeID") == self._swarm.node:
                try:
                    config: dict[str, Any] = self._containers.inspected(container_id(task), target.name)["Config"]
                except TargetGone:
                    continue
                return config.get("Env") or ()
        return ()


def _timed(line: str) -> tuple[str, str]:
    """Split a line into its time and its text; the time is comparable as it stands."""
    found = _TIMED.match(line)
    return (found[1].rstrip("Z"), found[2]) if found else ("", line)


def _update(service: Service, since: datetime) -> list[tuple[datetime, str]]:
    begun, message = begun_at(service), str((service.get("UpdateStatus") or {}).get("Message") or "")
    if begun is None or begun < since:
        return []
    return [(begun, clean_line(f"{begun:%H:%M:%S} service update, by now: {message}"))]


def _names(service: Service) -> tuple[str, ...]:
    """Every name that the service can be reached by on its networks."""
    aliases = (name for names in networks_of(service["Spec"]).values() for name in names)
    return tuple(dict.fromkeys([service["Spec"]["Name"], *aliases]))


def _well(state: TargetState) -> bool:
    return state.running and state.health is not Health.UNHEALTHY
