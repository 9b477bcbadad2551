"""A ward: small real containers that no agent but its own looks after, and Docker's record of what is done to them.

    with Ward() as ward:
        patient = ward.admit("--stop-timeout=1")
        agent = ward.agent(folder, AEGIS_STABILITY_SECONDS="1")

The agent reaches the engine through a proxy that shows it the ward's containers only, because other tests have theirs
on the same engine, and that can be told to spoil its calls. The tests look past it, at the engine itself.
"""

import json
import subprocess
import tempfile
import uuid
from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.integration.flaky_engine import FlakyEngine
from tests.integration.llm_servers import answer, openai_server, says
from tests.integration.small_containers import IMAGE, SmallContainer, docker, wait_until
from tests.integration.socket_proxy import rights

from .served_agent import ServedAgent, until

IDLE = ("sh", "-c", "trap 'exit 0' TERM; echo ready; sleep 600 & wait")
OPTED_IN = "--label=aegis.enable=true"
SETTINGS = {
    "AEGIS_RUNTIME": "docker",
    "AEGIS_SENSE_SECONDS": "3600",  # memory and CPU are measured only where an incident asks for it
    "AEGIS_DEBOUNCE_SECONDS": "0",
    "AEGIS_STABILITY_SECONDS": "1",
    "AEGIS_VERIFY_WAIT_SECONDS": "0.3",
    "AEGIS_LOG_LEVEL": "INFO",
}


class Patient(SmallContainer):
    """A container of a ward, with the ward's record of it. `id` is of the first container of its name."""

    def __init__(self, name: str, ward: "Ward") -> None:
        super().__init__(name)
        self._ward = ward

    def happened(self, *kinds: str, of: str | None = None) -> list[str]:
        """What the engine did with the containers of this name (or the one with this id), such as ["start", "die"]."""
        told = [one for one in self._ward.record() if one["Actor"]["Attributes"].get("name") == self.name]
        actions = [one["Action"] for one in told if of in (None, one["id"])]
        return [action for action in actions if not kinds or action in kinds]

    def is_told_of(self, kind: str) -> bool:
        """Whether the record says already that this was done with it."""
        told = self._ward.told()
        return any(one["Action"] == kind and one["Actor"]["Attributes"].get("name") == self.name for one in told)

    def restarts(self, of: str | None = None) -> int:
        """How often it was started after the first time."""
        return self.happened("start", of=of).count("start") - 1


class Ward:
    """Containers under one label; all of them are removed at the end."""

    def __init__(self) -> None:
        self.label = f"aegis-test={uuid.uuid4().hex[:12]}"
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self.engine = self._opened.enter_context(FlakyEngine(shows=self.label))
        self._told = self._opened.enter_context(tempfile.NamedTemporaryFile("r"))
        self._opened.enter_context(self._recorder())
        self._opened.callback(self._discharge)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._opened.close()
        if kind is None:
            allowed = rights("allowed", "rollback", "swarm")  # a swarm of another test may be active meanwhile
            outside = {one for one in self.engine.requests if not any(right.match(one) for right in allowed)}
            assert not outside, f"the socket proxy would not let this through: {outside}"

    def admit(
        self, *options: str, command: Iterable[str] = IDLE, name: str | None = None, image: str = IMAGE
    ) -> Patient:
        """Run a container with these options of `docker run`."""
        patient = Patient(name or f"aegis-ward-{uuid.uuid4().hex[:8]}", self)
        words = tuple(command)
        docker("run", "--detach", f"--name={patient.name}", f"--label={self.label}", *options, image, *words)
        if words and "ready" in words[-1]:
            wait_until(lambda: "ready" in patient.log(), f"{patient.name} to be ready")
        return patient

    def agent(self, folder: Path, **settings: str) -> ServedAgent:
        """A real `aegis serve` that is ready, and that sees this ward only. It is ended with the ward."""
        folder.mkdir(exist_ok=True)
        agent = ServedAgent(folder, {**SETTINGS, "AEGIS_DOCKER_HOST": self.engine.url, **settings})
        self._opened.callback(agent.stop_agent)
        agent.serve()
        return agent

    def sure_of(self, action: str, **said: str) -> dict[str, str]:
        """The settings of an agent whose model is 0.99 sure of this action, whatever it is asked."""
        server = self._opened.enter_context(openai_server(says(answer(action=action, confidence=0.99, **said))))
        return {"AEGIS_LLM_BASE_URL": f"{server.url}/v1", "AEGIS_LLM_API_KEY": "of-the-test"}

    def record(self) -> list[dict[str, Any]]:
        """Everything that the engine did with this ward's containers until now, oldest first.

        It was written down at once: the engine itself remembers no more than its 256 newest events.
        """
        mark = docker("create", f"--label={self.label}", IMAGE, "true")
        docker("rm", mark)
        until(lambda: any(one["id"] == mark and one["Action"] == "destroy" for one in self.told()), "the whole record")
        return [one for one in self.told() if one["id"] != mark]

    def told(self) -> list[dict[str, Any]]:
        """What of the record has arrived."""
        whole_lines, _, _ = Path(self._told.name).read_text().rpartition("\n")
        return [json.loads(line) for line in whole_lines.splitlines()]

    @contextmanager
    def _recorder(self) -> Any:
        since = datetime.now(UTC).timestamp()
        command = ("docker", "events", f"--filter=label={self.label}", f"--since={since}", "--format={{json .}}")
        with Path(self._told.name).open("wb") as record, subprocess.Popen(command, stdout=record) as recorder:
            try:
                yield
            finally:
                recorder.kill()

    def _discharge(self) -> None:
        left = docker("ps", "--all", "--quiet", f"--filter=label={self.label}").split()
        if left:
            docker("rm", "--force", "--volumes", *left)
