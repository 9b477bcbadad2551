"""Symptoms that the state of a target shows by itself."""

from collections.abc import Mapping
from datetime import datetime

from .model import Stored
from .signal import Fault
from .target import Health, RunState, TargetState


class Symptom(Stored):
    """What is wrong, and since when. Two looks at the same trouble give equal symptoms."""

    fault: Fault
    target_id: str
    since: datetime | None
    metrics: Mapping[str, float] = {}


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
