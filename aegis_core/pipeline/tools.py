"""What a stage may use: the ports and the settings that bound it. Put together in `bootstrap`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Final, TypeVar

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.impact import Rates
from aegis_core.domain.incident import Incident
from aegis_core.domain.policy import Circumstances, Policy, counted
from aegis_core.domain.signal import Fault
from aegis_core.domain.standing import Standing
from aegis_core.domain.symptom import Thresholds
from aegis_core.domain.target import TargetState
from aegis_core.errors import Interrupted, TargetGone
from aegis_core.ports import (
    Brain,
    Clock,
    Effector,
    EvidenceSource,
    Incidents,
    Prober,
    Recall,
    Releases,
    Reverter,
    Runbook,
    Sensor,
    Standings,
)

from .panel import Panel
from .rush import Rush
from .sightings import Sightings

Seen = TypeVar("Seen")

MEASURED: Final = frozenset({Fault.MEMORY_PRESSURE, Fault.CPU_SATURATION})


@dataclass(frozen=True)
class Verification:
    """How a heal is verified (DESIGN §8). Seconds; percentages are of the target's own limits."""

    attempts: int = 5
    wait_seconds: float = 1.0
    wait_factor: float = 1.5
    most_wait_seconds: float = 5.0
    limit_seconds: float = 120.0  # for targets whose own health check needs long to say healthy
    stability_seconds: float = 10.0
    memory_percent: float = 85.0
    cpu_percent: float = 85.0
    latency_seconds: float = 1.0


class NothingSaid:
    """Standings (port `Standings`) where nobody can say anything."""

    def of(self, target: str) -> Standing:  # noqa: ARG002
        """See `ports.Standings.of`."""
        return Standing()


@dataclass(frozen=True)
class Tools:
    """The ports that stages work through. `born` is when this agent started."""

    clock: Clock
    born: datetime
    sensor: Sensor
    effector: Effector
    reverter: Reverter
    source: EvidenceSource
    prober: Prober
    brain: Brain
    runbook: Runbook
    recall: Recall
    incidents: Incidents
    releases: Releases
    policy: Policy
    rates: Rates
    forecast_lead: float = 120.0  # seconds before a foreseen OOM kill in which it is acted on
    rush: Rush = field(default_factory=Rush)
    sightings: Sightings = field(default_factory=Sightings)
    panel: Panel = field(default_factory=Panel)
    standings: Standings = field(default_factory=NothingSaid)
    verification: Verification = field(default_factory=Verification)
    stopping: Event = field(default_factory=Event)

    @property
    def thresholds(self) -> Thresholds:
        """What counts as too much unless a target's labels say otherwise."""
        limits = self.verification
        return Thresholds(memory_percent=limits.memory_percent, cpu_percent=limits.cpu_percent)

    def around(self, name: str, target: TargetState | None) -> Circumstances:
        """Gather what a decision about a target is made in. Raises StoreUnavailable."""
        history, standing = self.incidents.history(name), self.standings.of(name)
        return Circumstances(target=target, history=counted(history, standing), standing=standing)

    def measured(self, state: TargetState, fault: Fault) -> TargetState:
        """Measure the target now, if the fault is one of what is measured. Raises RuntimeUnavailable."""
        if fault not in MEASURED or not state.running:
            return state
        try:
            return state.model_copy(update={"usage": self.sensor.usage(state.ref)})
        except TargetGone:
            return state

    def wait(self, seconds: float) -> None:
        """Pause a stage. Raises Interrupted as soon as the agent is told to stop."""
        if self.stopping.wait(seconds):
            raise Interrupted

    def watch(self, look: Callable[[], Seen], enough: Callable[[Seen], bool], seconds: float) -> Seen:
        """Look again and again, with growing pauses, until that is enough or the time is over; returns what was seen
        last. Raises Interrupted, and what `look` raises."""
        watching = Retrying(
            retry=retry_if_result(lambda seen: not enough(seen)),
            stop=stop_after_delay(seconds),
            wait=wait_exponential(multiplier=0.2, max=1.0),
            sleep=self.wait,
            retry_error_callback=lambda last: last.outcome.result() if last.outcome else None,
        )
        seen: Seen = watching(look)
        return seen


Stage = Callable[[Incident, Tools], Sequence[Draft]]
"""One step of the way: looks at the incident, does its work, says what happened. No drafts: nothing to add here.

A stage may run again after a crash at any point, so it looks before it acts.
"""


def being_stopped(state: TargetState) -> bool:
    """Tell whether a person has asked for its end, and it still runs."""
    return state.running and state.stopped_by_person


def rested(until: datetime, reason: str) -> Draft:
    """The draft that lets an incident sleep, and then gather its evidence anew."""
    data = {"until": until.isoformat(), "reason": reason}
    return Draft(type=EventType.RESTED, agent=Agent.RESOLUTION, data=data)


def failed(agent: Agent, reason: str) -> Draft:
    """The draft that closes an incident as FAILED, for a person to take over."""
    return Draft(type=EventType.FAILED, agent=agent, data={"reason": reason})
