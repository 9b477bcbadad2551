"""From what the runtime knows of a target to what Aegis observes of it."""

from datetime import datetime

from aegis_core.domain.target import Health, RunState, TargetRef, TargetState, Usage

from .config import MIB, TargetSpec
from .health import Standing
from .journal import Phase, Record


def run_state(record: Record, alive: bool, paused: bool) -> RunState:
    """Name the state in Docker's words. A process that is being stopped still runs."""
    if alive:
        return RunState.PAUSED if paused else RunState.RUNNING
    return RunState.CREATED if record.phase is Phase.CREATED else RunState.EXITED


def tuned(spec: TargetSpec, record: Record) -> TargetSpec:
    """The definition of a target, with the limit and the command that the journal has for it instead."""
    changes: dict[str, object] = {"memory_limit_mb": record.memory_bytes / MIB} if record.memory_bytes else {}
    if record.command:
        changes["command"] = record.command
    return spec.model_copy(update=changes) if changes else spec


def state_of(
    spec: TargetSpec,
    record: Record,
    *,
    at: datetime,
    alive: bool,
    paused: bool,
    standing: Standing | None,
    usage: Usage | None,
) -> TargetState:
    """Put together one observation. Only a person sends SIGSTOP, so a paused target was paused by one."""
    spec = tuned(spec, record)
    health = standing.status if standing else Health.STARTING
    return TargetState(
        ref=TargetRef(name=spec.name, id=record.id),
        at=at,
        run=run_state(record, alive, paused),
        health=health if spec.health_url else Health.NONE,
        started_at=record.started_at,
        finished_at=record.finished_at,
        exit_code=record.exit_code,
        oom_killed=record.oom_killed,
        restart_policy=spec.restart,
        image=f"process/{spec.name}",
        image_id=f"sha256:{spec.program}",
        limits=spec.limits,
        env_keys=tuple(sorted(spec.env)),
        usage=usage,
        labels=spec.labels,
        health_url=spec.published_health_url,
        health_log=tuple(standing.log) if standing else (),
        stop_timeout=spec.stop_timeout,
        stopped_by_person=paused or (not alive and record.stopped_by_person),
    )
