"""A ward on a swarm of one node: small real services that no agent but its own looks after."""

import json
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any, Self

from tests.integration.small_containers import IMAGE, docker, wait_until
from tests.integration.socket_proxy import rights
from tests.integration.swarm import one_node_swarm

from .served_agent import until
from .ward import Ward

# Each is well until the file /tmp/ill appears in a task, and a new task has none.
WAITS = "trap 'exit 0' TERM; echo ready; while [ ! -e /tmp/ill ]; do sleep 0.1; done; echo 'fatal: lost'; exit 7"
FOR_GOOD = "--restart-condition=none"  # Swarm puts nothing in the place of a task that has ended
QUICK = ("--update-monitor=500ms", "--rollback-monitor=500ms", "--stop-grace-period=1s")


class Service:
    """A service of the ward, as Swarm itself (and not the adapter) tells it. `shared` is a folder of all its tasks."""

    def __init__(self, name: str, shared: Path) -> None:
        self.name, self.shared = name, shared

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(docker("service", "inspect", self.name))[0])

    @property
    def id(self) -> str:
        return str(self.told["ID"])

    @property
    def forced(self) -> int:
        """How often it was told to start all tasks anew."""
        return int(self.told["Spec"]["TaskTemplate"]["ForceUpdate"])

    @property
    def replicas(self) -> int:
        return int(self.told["Spec"]["Mode"]["Replicated"]["Replicas"])

    @property
    def image(self) -> str:
        return str(self.told["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])

    @property
    def update(self) -> str:
        """How its last update, or the way back from one, stands; empty where Swarm knows of none."""
        return str((self.told.get("UpdateStatus") or {}).get("State") or "")

    def containers(self, *options: str) -> list[str]:
        """The names of its tasks' containers that run."""
        wanted = f"--filter=label=com.docker.swarm.service.name={self.name}"
        return docker("ps", "--format={{.Names}}", wanted, *options).split()

    def tasks(self) -> int:
        """How many tasks it has ever had, as far as Swarm remembers."""
        return len(docker("service", "ps", "--quiet", self.name).split())

    def fall_ill(self) -> None:
        for container in self.containers():
            docker("exec", container, "touch", "/tmp/ill")

    def deploy(self, image: str) -> None:
        docker("service", "update", "--quiet", "--detach", "--no-resolve-image", f"--image={image}", self.name)


class SwarmWard(Ward):
    """Services under one label; all of them are removed at the end, and the swarm left if it was made for them."""

    def __enter__(self) -> Self:
        self._opened.enter_context(one_node_swarm())
        super().__enter__()
        self.engine.shows_swarm = True
        self._folder = Path(tempfile.mkdtemp(prefix="aegis-swarm-"))
        self._opened.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._opened.callback(self.clear)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._opened.close()
        if kind is None:
            allowed = rights("allowed", "swarm")
            outside = {one for one in self.engine.requests if not any(right.match(one) for right in allowed)}
            assert not outside, f"the socket proxy would not let this through: {outside}"

    def serve(self, *options: str, command: tuple[str, ...] = ("sh", "-c", WAITS), image: str = IMAGE) -> Service:
        """Create a service with these options of `docker service create`, and wait until a task runs."""
        name = f"aegis-ward-{uuid.uuid4().hex[:8]}"
        shared = self._folder / name
        shared.mkdir()
        docker(
            "service", "create", "--quiet", "--detach", "--no-resolve-image", f"--name={name}",
            f"--label={self.label}", f"--container-label={self.label}", *QUICK,
            f"--mount=type=bind,src={shared},dst=/shared", *options, image, *command,
        )  # fmt: skip
        service = Service(name, shared)
        wait_until(service.containers, f"{name} to run", 30)
        return service

    def asked_to_update(self, service: Service) -> int:
        """How often Swarm was asked by an agent to change a service."""
        return self.engine.calls.count(f"POST /services/{service.id}/update")

    def clear(self) -> None:
        """Remove all services of the ward."""
        left = docker("service", "ls", "--quiet", f"--filter=label={self.label}").split()
        if left:
            docker("service", "rm", *left)
            gone = ("ps", "--all", "--quiet", f"--filter=label={self.label}")
            until(lambda: not docker(*gone), "the containers of the services to be gone")
