"""Docker as a runtime: the ports, put together out of the modules of this package."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.change import Change, Neighbour
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.target import TargetRef, TargetState, Usage, Watch
from aegis_core.ports import Clock, Stopping

from .changes import SILENCE_SECONDS, Changes
from .client import connect, translated
from .containers import Containers
from .effector import DockerEffector
from .evidence import DockerEvidence
from .meter import Meter
from .rollback import Rollback
from .runs import Runs
from .scaling import Scaling
from .sensor import DockerSensor
from .state import Host
from .stops import Stops
from .swarm import Swarm, is_service
from .swarm_changes import ServiceChanges
from .swarm_effector import ServiceEffector
from .swarm_evidence import ServiceEvidence
from .swarm_services import Services

DEFAULT_TIMEOUT: Final = 15  # seconds for an answer; a loaded engine may take several to start a container


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DockerRuntime:
    """Sensor, EvidenceSource, Effector and Reverter over one Docker engine, for use by many threads.

    On a manager of a swarm the services are targets, and not the containers of their tasks; see `swarm_state`.

    The clocks of this process and of the engine are taken to be the same (one host). Of the API it uses only: ping,
    version, info, list, inspect, stats, logs, events; restart; for SCALE_UP update, start; for ROLLBACK images, create,
    rename, update, stop, start, remove, and connect of networks; on a manager of a swarm also services and tasks: list
    and inspect, logs, update.
    """

    def __init__(
        self,
        base_url: str | None = None,
        timeout: int = DEFAULT_TIMEOUT,
        clock: Clock = _utc_now,
        inspect_all: bool = False,
        *,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        """Connect to the engine at a `unix://` or `tcp://` URL (None: the usual socket).

        `timeout` is in seconds, for each answer. `inspect_all` makes `targets` tell everything of every container and
        not only of those that opted in. A stream of events that says nothing for `silence` seconds is renewed.
        Raises RuntimeUnavailable with advice where no engine answers.
        """
        self._engine = connect(base_url, timeout)
        with translated("asking the engine about its host"):
            info = self._engine.info()
            host = Host(cpus=info["NCPU"], memory_bytes=info["MemTotal"])
        self._meter = meter = Meter(self._engine, host, clock)
        stops = Stops(self._engine, clock)
        containers = Containers(self._engine, host, meter, stops, clock)
        swarm = Swarm(self._engine, info)
        self._sensor = DockerSensor(
            self._engine, containers, meter, stops, clock, inspect_all=inspect_all, also=swarm.is_watched
        )
        watch = Watch.ALL if inspect_all else Watch.LABELED
        self._services = services = Services(swarm, containers, self._sensor, meter, clock, watch=watch)
        telling = partial(ServiceChanges, swarm, services.has_stalled)
        self._changes = Changes(self._engine, containers, clock, silence, telling)
        self._evidence = DockerEvidence(self._engine, containers, clock)
        self._service_evidence = ServiceEvidence(self._engine, swarm, services, containers, clock)
        self._service_effector = ServiceEffector(swarm, services)
        runs = Runs(self._engine, stops)
        self._effector = DockerEffector(
            self._engine,
            containers,
            runs,
            Scaling(self._engine, containers, runs, meter, host),
            Rollback(self._engine, containers, runs),
            clock=clock,
            changed=self._sensor.look_anew,
        )

    def ping(self) -> None:
        """Raise RuntimeUnavailable where the engine does not answer."""
        with translated("asking whether the Docker engine is there"):
            self._engine.ping()

    def version(self) -> str:
        """Return the engine's version, such as `27.3.1`. Raises RuntimeUnavailable."""
        with translated("asking for the engine's version"):
            return str(self._engine.version()["Version"])

    def close(self) -> None:
        """End the threads and close the connections."""
        self._meter.close()
        self._engine.close()

    def targets(self) -> Sequence[TargetState]:
        return self._services.instead_of_tasks(self._sensor.targets())

    def usage(self, target: TargetRef) -> Usage | None:
        return (self._services if is_service(target.id) else self._sensor).usage(target)

    def changes(self, stopping: Stopping) -> Iterator[Change]:
        return self._changes.follow(stopping)

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        return self._past(target).logs(target, tail, since)

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        return self._past(target).happenings(target, since)

    def secrets(self, target: TargetRef) -> frozenset[str]:
        return self._past(target).secrets(target)

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        return self._past(target).neighbours(target)

    def find(self, name: str) -> TargetState | None:
        return self._effector.find(name) or self._services.find(name)

    def observe(self, target: TargetRef) -> TargetState:
        return self._hands(target).observe(target)

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        self._hands(before.ref).apply(action, before, goal)

    def begun(self, target: TargetRef, since: datetime) -> bool:
        return self._hands(target).begun(target, since)

    def plan(self, action: Action, before: TargetState, wish: Wish) -> Goal:
        return self._hands(before.ref).plan(action, before, wish)

    def under_way(self, intent: Intent) -> bool:
        return self._hands(intent.before.ref).under_way(intent)

    def undo(self, intent: Intent) -> str:
        return self._hands(intent.before.ref).undo(intent)

    def settle(self, intent: Intent) -> None:
        self._hands(intent.before.ref).settle(intent)

    def _hands(self, target: TargetRef) -> DockerEffector | ServiceEffector:
        return self._service_effector if is_service(target.id) else self._effector

    def _past(self, target: TargetRef) -> DockerEvidence | ServiceEvidence:
        return self._service_evidence if is_service(target.id) else self._evidence
