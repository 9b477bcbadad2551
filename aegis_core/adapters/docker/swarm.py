"""The swarm that this engine manages, if it does: the few calls about services that there are.

Where the engine is in no swarm, none of them is ever made. Where it is a worker, it may not make them: then a task is
nothing but a container, and not to be acted on, because the managers would undo it.
"""

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aegis_core.errors import ActionUnsupported, RuntimeProblem, RuntimeUnavailable, TargetGone

from .client import Engine, answered_with, translated
from .listing import Item

SERVICE_ID_LABEL: Final = "com.docker.swarm.service.id"
TASK_NAME_LABEL: Final = "com.docker.swarm.task.name"

RUNNING: Final = "running"

Service = Mapping[str, Any]
"""One service, as the engine tells it."""
Task = Mapping[str, Any]
Spec = Mapping[str, Any]
"""What a service is to be."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")  # or id
_ASK_AGAIN_SECONDS: Final = 60.0
_NO_MANAGER: Final = re.compile("not a swarm manager(?!.*being prepared)", re.DOTALL)
_OVERTAKEN: Final = "out of sequence"
_FORBIDDEN, _NOT_FOUND = 403, 404

_log = logging.getLogger(__name__)


class Swarm:
    """Asks and tells the managers. Used by many threads."""

    def __init__(self, engine: Engine, info: Mapping[str, Any]) -> None:
        """`info` is what the engine has told about itself."""
        self._engine = engine
        self._node, self._managed = _membership(info)
        self._barred = False
        self._watched: frozenset[str] = frozenset()
        self._asked = time.monotonic()

    @property
    def managed(self) -> bool:
        """Whether services can be looked after from here."""
        return self._managed

    @property
    def node(self) -> str:
        """The id of this node."""
        return self._node

    def watch(self, services: Iterable[str]) -> None:
        """Remember which services (ids) are looked after."""
        self._watched = frozenset(services)

    def is_watched(self, item: Item) -> bool:
        """Tell whether a listed container runs for a service that is looked after."""
        return item["State"] == RUNNING and (item.get("Labels") or {}).get(SERVICE_ID_LABEL) in self._watched

    def task_seen(self) -> None:
        """A task runs on this engine: ask, now and then, whether it has become a manager since."""
        now = time.monotonic()
        if self._managed or self._barred or now - self._asked < _ASK_AGAIN_SECONDS:
            return
        self._asked = now
        with translated("asking the engine about its swarm"):
            self._node, self._managed = _membership(self._engine.info())

    def services(self) -> Sequence[Service]:
        """List all services; none where this is no manager (any more). Raises RuntimeUnavailable."""
        try:
            with self._told("listing the services"):
                listed: Iterable[Service] = self._engine.services()  # type: ignore[no-untyped-call]
                return [one for one in listed if "ContainerSpec" in one["Spec"]["TaskTemplate"]]
        except TargetGone:
            return ()

    def service(self, which: str) -> Service:
        """Look at the service of this id or name (the engine takes either). Raises TargetGone, RuntimeUnavailable."""
        if not _NAME.fullmatch(which):
            raise TargetGone(f"{which} is no name of a service.")
        with self._told(f"looking at the service {which}"):
            found: Service = self._engine.inspect_service(which)  # type: ignore[no-untyped-call]
            return found

    def tasks(self, services: Iterable[str]) -> Sequence[Task]:
        """List the tasks of these services (ids), those that have ended as well, as far as Swarm remembers them.

        Raises RuntimeUnavailable.
        """
        wanted = {"service": sorted(services)}
        with self._told("listing the tasks"):
            listed: Sequence[Task] = self._engine.tasks(filters=wanted) if wanted["service"] else ()  # type: ignore[no-untyped-call]
            return listed

    def redefine(self, service: Service, spec: Spec, *, back: bool = False) -> bool:
        """Have a service be what the spec says; `back`: be again what it was before its last change.

        False where somebody was quicker: then it is not what it was when it was looked at, and nothing has been done.
        Raises TargetGone, ActionUnsupported; RuntimeUnavailable, which leaves open whether it happened.
        """
        name = service["Spec"]["Name"]
        try:
            with self._told(f"updating the service {name}", ActionUnsupported):
                self._engine.redefine_service(service["ID"], service["Version"]["Index"], spec, back=back)
        except RuntimeUnavailable as problem:
            if answered_with(problem) is not None and _OVERTAKEN in str(problem):
                return False
            raise type(problem)(f"{problem}; it may have happened all the same") from problem.__cause__
        return True

    @contextmanager
    def _told(self, doing: str, refusal: type[RuntimeProblem] = RuntimeUnavailable) -> Iterator[None]:
        """As `translated`; a service that is not there, or no longer ours to look after, raises TargetGone."""
        try:
            with translated(doing, refusal):
                yield
        except RuntimeProblem as problem:
            status = answered_with(problem)
            if status == _FORBIDDEN and refusal is RuntimeUnavailable:
                self._barred = True
                _log.warning("services are not looked after: %s", problem)
            if self._barred or _NO_MANAGER.search(str(problem)):
                self._managed = False
            if status == _NOT_FOUND or not self._managed:
                raise TargetGone(str(problem)) from problem.__cause__
            raise


def is_service(target_id: str) -> bool:
    """Tell the id of a service from that of a container, which has 64 hexadecimal digits."""
    return len(target_id) == 25 and target_id.isalnum()  # noqa: PLR2004 - as long as Swarm makes all its ids


def _membership(info: Mapping[str, Any]) -> tuple[str, bool]:
    """The id of the node, and whether it is a manager."""
    swarm = info.get("Swarm") or {}
    managed = swarm.get("LocalNodeState") == "active" and bool(swarm.get("ControlAvailable"))
    return str(swarm.get("NodeID") or ""), managed
