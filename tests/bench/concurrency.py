"""Incidents at once against one, with a brain that takes its time."""

import time
from datetime import UTC, datetime
from pathlib import Path

from aegis_core.bootstrap import Agent, Parts, build
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.ports import Filter
from aegis_core.settings import load
from aegis_core.testing import FakeRuntime

THINKING_SECONDS = 2.0
AT_ONCE = 100


class Thinker:
    """A brain that needs 2 s, as a cloud model does."""

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        time.sleep(THINKING_SECONDS)
        return Diagnosis(
            root_cause="It hangs.",
            category=Category.APP_CRASH_BUG,
            action=Action.RESTART,
            confidence=0.9,
            justification="Measured with a brain that only takes its time.",
            evidence=(f"signal: {evidence.fault}",),
            source=Source.CLOUD,
        )


def healed(agent: Agent, names: list[str]) -> float:
    """Open an incident for each target at once; returns seconds until all of them are resolved."""
    began = time.perf_counter()
    for name in names:
        now = datetime.now(UTC)
        agent.services.submit(
            Signal(target=name, fault=Fault.UNHEALTHY, severity=Severity.CRITICAL, at=now, source="bench")
        )
    wanted = Filter(open=True)
    while agent.services.incidents.list(wanted, 1, 0)[1]:
        time.sleep(0.01)
    return time.perf_counter() - began


def measure(folder: Path) -> tuple[float, float]:
    runtime = FakeRuntime(lambda: datetime.now(UTC))
    names = [f"app-{i}" for i in range(AT_ONCE + 1)]
    for name in names:
        runtime.add(name, labels={"aegis.enable": "true"})
    settings = load(
        data_dir=folder / "at-once", stability_seconds=0.0, debounce_seconds=0.0, sense_seconds=3600, workers=AT_ONCE
    )
    with build(settings, Parts(runtime=runtime, brain=Thinker())) as agent:
        one, many = healed(agent, names[:1]), healed(agent, names[1:])
        _, resolved = agent.services.incidents.list(Filter(status="RESOLVED"), 1, 0)
        if resolved != len(names):
            raise SystemExit(f"only {resolved} of {len(names)} incidents were healed")
        return one, many
