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
