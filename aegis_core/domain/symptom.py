"""Symptoms that the state of a target shows by itself."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from .model import Stored
from .signal import Fault, Severity, Signal
from .target import Health, RunState, TargetState, Usage

MEMORY_LABEL: Final = "aegis.memory_percent"
CPU_LABEL: Final = "aegis.cpu_percent"
FOR_LABEL: Final = "aegis.for"
LOOP_DEATHS: Final = 3
LOOP_WINDOW: Final = timedelta(seconds=120)
LOOP_PAUSE: Final = timedelta(seconds=3)  # before a restart: Docker doubles it from 0.1 s with every quick end in a row
LASTED: Final = "lasted_seconds"
"""The metric of a crash loop that tells how long the target was up at most between two ends."""
_NUMBER: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?(%|s|m)?")


class Symptom(Stored):
    """What is wrong, and since when. Two looks at the same trouble give equal symptoms."""

    fault: Fault
    target_id: str
    since: datetime | None
    metrics: Mapping[str, float] = {}
    told: tuple[str, ...] = ()  # what was seen, in words

    @property
    def identity(self) -> tuple[Fault, str, datetime | None]:
        """What makes two symptoms the same trouble, whatever is measured meanwhile."""
        return self.fault, self.target_id, self.since

    def signal(self, state: TargetState, source: str) -> Signal:
        """Turn what was noticed into what is reported."""
        return Signal(
            target=state.ref.name,
            fault=self.fault,
            severity=Severity.CRITICAL,
            at=state.at,
            source=source,
            alert_type=self.fault,
            logs=self.told,
            metrics=self.metrics,
        )

    @property
    def certain(self) -> bool:
        """One look is enough: whoever says so has counted already. A target between stop and start looks crashed."""
        return self.fault not in (Fault.CRASHED, Fault.OOM_KILLED)


def symptom_of(state: TargetState) -> Symptom | None:
    """Tell what is wrong with a target by its state alone; None when nothing is.

    A container that a person stopped or paused, or that ended with exit code 0, is not ill.
    """
    if state.run in (RunState.EXITED, RunState.DEAD):
        if state.stopped_by_person or state.exit_code == 0:
            return None
        killed = state.oom_killed
        metrics = {} if state.exit_code is None else {"exit_code": float(state.exit_code)}
        fault = Fault.OOM_KILLED if killed else Fault.CRASHED
        return Symptom(fault=fault, target_id=state.ref.id, since=state.finished_at, metrics=metrics)
    if state.running and state.health is Health.UNHEALTHY:
        return Symptom(fault=Fault.UNHEALTHY, target_id=state.ref.id, since=None)
    return None


def thresholds_of(labels: Mapping[str, str], usual: "Thresholds") -> "Thresholds":
    """Read a target's own thresholds from its labels; what is missing or no number is as usual."""
    return Thresholds(
        memory_percent=_number(labels.get(MEMORY_LABEL, "")) or usual.memory_percent,
        cpu_percent=_number(labels.get(CPU_LABEL, "")) or usual.cpu_percent,
        sustained_seconds=_number(labels.get(FOR_LABEL, "")) or usual.sustained_seconds,
    )


def _number(text: str) -> float | None:
    """Read `85`, `85%`, `30s` or `2m`; None for anything that is not a number above 0."""
    found = _NUMBER.fullmatch(text.strip().lower())
    value = float(found[1]) * (60 if found[2] == "m" else 1) if found else 0.0
    return value if 0 < value < float("inf") else None


def pressure_of(state: TargetState, series: Sequence[Usage], thresholds: "Thresholds") -> Symptom | None:
    """Tell whether memory or CPU has been over its threshold in every sample for long enough.

    The last sample from before that time counts too: nobody knows what was in a gap after it.
    """
    if not state.running or not series:
        return None
    since = series[-1].at - timedelta(seconds=thresholds.sustained_seconds)
    first = next((index for index in reversed(range(len(series))) if series[index].at <= since), None)
    if first is None:
        return None
    span = series[first:]
    measures = (
        (Fault.MEMORY_PRESSURE, "memory_percent", thresholds.memory_percent),
        (Fault.CPU_SATURATION, "cpu_percent", thresholds.cpu_percent),
    )
    for fault, measure, limit in measures:
        values = [getattr(sample, measure) for sample in span]
        if all(value is not None and value >= limit for value in values):
            metrics = {measure: float(values[-1])}
            return Symptom(fault=fault, target_id=state.ref.id, since=None, metrics=metrics)
    return None


def loop_of(state: TargetState, deaths: Sequence[datetime], now: datetime) -> Symptom | None:
    """Tell whether a target dies again and again while its restart policy starts it.

    Where nobody has counted, the pause that the policy makes tells: it grows only with quick ends in a row.
    """
    lately = sorted(at for at in deaths if now - at < LOOP_WINDOW)
    metrics = {"deaths": float(len(lately))}
    if len(lately) >= LOOP_DEATHS:
        told = f"ended {len(lately)} times within {(lately[-1] - lately[0]).total_seconds():.0f} s"
        lasted = max(later - earlier for earlier, later in pairwise(lately))
    elif state.run is RunState.RESTARTING and state.finished_at and state.at - state.finished_at > LOOP_PAUSE:
        told = f"ended again and again; its restart policy has restarted it {state.restart_count} times"
        lasted = state.finished_at - (state.started_at or state.finished_at)
    else:
        return None
    metrics[LASTED] = max(0.0, lasted.total_seconds())
    return Symptom(fault=Fault.CRASH_LOOP, target_id=state.ref.id, since=None, metrics=metrics, told=(told,))


def steady_seconds(fault: Fault, metrics: Mapping[str, float], usual: float) -> float:
    """Say how many seconds a target has to be up to count as steady.

    In a crash loop it has to outlast by half what it lasted before, at most the window in which ends are counted.
    """
    lasted = metrics.get(LASTED, 0.0) if fault is Fault.CRASH_LOOP else 0.0
    return max(usual, min(1.5 * lasted, LOOP_WINDOW.total_seconds()))


class Thresholds(Stored):
    """What counts as too much: percent of the target's own limits, and for how long in seconds."""

    memory_percent: float = 85.0
    cpu_percent: float = 85.0
    sustained_seconds: float = 10.0


def subsided(fault: Fault, state: TargetState | None, thresholds: Thresholds) -> str | None:
    """Say by what one sees that a symptom is over; None where it is not, or where this cannot be measured."""
    if state is None or not state.running or state.health in (Health.UNHEALTHY, Health.STARTING):
        return None
    usage = state.usage
    match fault:
        case Fault.MEMORY_PRESSURE if usage and usage.memory_percent is not None:
            return _under("memory", usage.memory_percent, thresholds.memory_percent)
        case Fault.CPU_SATURATION if usage and usage.cpu_percent is not None:
            return _under("CPU", usage.cpu_percent, thresholds.cpu_percent)
        case Fault.UNHEALTHY if state.health is Health.HEALTHY:
            return "its health check passes again"
        case Fault.CRASHED | Fault.OOM_KILLED:
            return "it runs again"
        case _:
            return None


def _under(what: str, percent: float, limit: float) -> str | None:
    return f"{what} is at {percent:.0f} % again, below {limit:g} %" if percent < limit else None
