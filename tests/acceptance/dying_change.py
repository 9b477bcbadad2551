"""A real agent on a real engine that changes a container and kills itself with SIGKILL at one call of the way.

    python -m tests.acceptance.dying_change ENGINE_URL DATA_DIR TARGET ACTION POINT

POINT is `before:N` or `after:N`, where N counts the calls that change something on the engine from 1, or `never`. The
calls are printed. A signal is opened unless there is an incident already, and the process ends when that one is closed.
"""

import os
import signal as signals
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.bootstrap import Parts, build
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.ports import Filter
from aegis_core.settings import load

from .moments import diagnosis


class Wants:
    """A brain that always wants the same."""

    def __init__(self, action: Action) -> None:
        self._action = action

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        return diagnosis(evidence, self._action)


class DyingHands(DockerRuntime):
    """A runtime whose process ends before or after the Nth call that changes something."""

    def __init__(self, url: str, point: str) -> None:
        super().__init__(url, inspect_all=True)
        self._point, self._calls = point, 0
        self._send = self._engine.send
        self._engine.send = self._counted  # type: ignore[method-assign]

    def _counted(self, request: Any, **known: Any) -> Any:
        if request.method not in {"POST", "DELETE"}:
            return self._send(request, **known)
        self._calls += 1
        self._die_at(f"before:{self._calls}")
        answer = self._send(request, **known)
        print(request.method, "/".join(urlsplit(request.url).path.split("/")[2:]), flush=True)
        self._die_at(f"after:{self._calls}")
        return answer

    def _die_at(self, place: str) -> None:
        if place == self._point:
            os.kill(os.getpid(), signals.SIGKILL)


def main(url: str, data_dir: str, target: str, action: str, point: str) -> None:
    settings = load(
        data_dir=Path(data_dir), runtime="docker", debounce_seconds=0.0, stability_seconds=1.0, sense_seconds=3600,
        verify_wait_seconds=0.2, verify_attempts=4, cooldown_seconds=0.1, confidence_threshold=0.5, watch="all",
    )  # fmt: skip
    with build(settings, Parts(runtime=DyingHands(url, point), brain=Wants(Action(action)))) as agent:
        if agent.services.incidents.list(Filter(), 1, 0)[1] == 0:
            agent.services.submit(
                Signal(
                    target=target, fault=Fault.UNHEALTHY, severity=Severity.CRITICAL, at=datetime.now(UTC),
                    source="test", incident_id="one",
                )
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not agent.services.incidents.get("one").closed:
            assert time.monotonic() < deadline, "the incident is still open"
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
