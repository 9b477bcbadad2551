"""A real agent on a real engine that kills itself with SIGKILL at one point of the way; run as a process of its own.

    python -m tests.acceptance.dying_agent ENGINE_URL DATA_DIR TARGET POINT

POINT is `before:X` or `after:X`, where X is the type of an event (its commit) or `apply` (the effect), or `never`. A
signal is opened unless there is an incident already, and the process ends when the incident is closed.
"""

import os
import signal as signals
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.bootstrap import Parts, build
from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.ports import Filter
from aegis_core.settings import load

from .moments import HookedLog, RestartsAlways


class Death:
    """Kills the process when the way passes the point."""

    def __init__(self, point: str) -> None:
        self.point = point

    def at(self, place: str) -> None:
        if place == self.point:
            os.kill(os.getpid(), signals.SIGKILL)


class DyingHands(DockerRuntime):
    death: Death

    def apply(self, action: Action, before: Any, goal: Goal = Goal()) -> None:
        self.death.at("before:apply")
        super().apply(action, before, goal)
        self.death.at("after:apply")


def main(url: str, data_dir: str, target: str, point: str) -> None:
    death = Death(point)
    hands = DyingHands(url, inspect_all=True)
    hands.death = death
    settings = load(
        data_dir=Path(data_dir), runtime="docker", debounce_seconds=0.0, stability_seconds=1.0,
        verify_wait_seconds=0.2, cooldown_seconds=60.0, watch="all",
    )  # fmt: skip
    parts = Parts(runtime=hands, brain=RestartsAlways(), events=lambda log: HookedLog(log, death.at))
    with build(settings, parts) as agent:
        if agent.services.incidents.list(Filter(), 1, 0)[1] == 0:
            now = datetime.now(UTC)
            report = Signal(
                target=target,
                fault=Fault.UNHEALTHY,
                severity=Severity.CRITICAL,
                at=now,
                source="test",
                incident_id="one",
            )
            agent.services.submit(report)
        deadline = time.monotonic() + 60
        while not agent.services.incidents.get("one").closed:
            assert time.monotonic() < deadline, "the incident is still open"
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
