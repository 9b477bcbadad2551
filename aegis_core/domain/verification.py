"""Was it healed? A pure judgement over what was observed, with every condition named."""

from datetime import datetime, timedelta
from typing import Final

from .action import Action
from .definition import scale
from .intent import REVERSIBLE, Goal
from .model import Stored
from .signal import Fault
from .target import Health, RunState, TargetState

HTTP_OK: Final = 200
_RUNNING: Final = "running"
_OVER: Final = "reported as over"


class Probe(Stored):
    """The answer of a target's health URL. `status` is None where nothing answered."""

    status: int | None
    seconds: float
    detail: str = ""


class Expectation(Stored):
    """What has to hold before an incident counts as healed. Percentages are of the target's own limits."""

    fault: Fault
    action: Action
    since: datetime  # the action was begun, or the decision to do nothing was taken
    goal: Goal = Goal()
    memory_percent: float = 85.0
    cpu_percent: float = 85.0
    latency_seconds: float = 1.0
    stability_seconds: float = 10.0
    reprieve_seconds: float = 600.0  # a leak that is given more memory, and needs no longer to fill it, was not helped


class Observation(Stored):
    """What one look showed. `errors_since` counts error lines in the log since `Expectation.since`."""

    state: TargetState | None
    probe: Probe | None = None
    errors_since: int | None = None
    reported_over: bool = False  # whoever reported the symptom says that it is over
    signals_since: int = 0  # how often the same symptom was reported again after the action had ended
    full_in_seconds: float | None = None  # when memory will reach its limit; None: it does not grow steadily


class Condition(Stored):
    """One condition of health, whether it holds, and what was seen."""

    name: str
    holds: bool
    seen: str
    pending: bool = False  # it does not hold yet, and only time can tell


class Judgement(Stored):
    """All conditions. `healthy` only if every one of them holds."""

    conditions: tuple[Condition, ...]

    @property
    def healthy(self) -> bool:
        return bool(self.conditions) and all(condition.holds for condition in self.conditions)

    @property
    def pending(self) -> bool:
        """Nothing speaks against health but that too little time has gone by."""
        return not self.healthy and all(condition.holds or condition.pending for condition in self.conditions)

    @property
    def shows_running(self) -> bool:
        """Healthy and seen running: a person's stop is as it should be, and yet no proof."""
        return self.healthy and any(condition.name == _RUNNING for condition in self.conditions)

    @property
    def failures(self) -> tuple[str, ...]:
        return tuple(f"{c.name}: {c.seen}" for c in self.conditions if not c.holds)


def judge(before: TargetState | None, after: Observation, expected: Expectation) -> Judgement:
    """Compare what was seen before the action with what is seen now (DESIGN §8).

    `before` is the observation that the intent was committed with; None where nothing was done.
    """
    state = after.state
    if state is None:
        over = Condition(name=_OVER, holds=after.reported_over, seen="its sender says so")
        gone = Condition(name="exists", holds=False, seen="the target is gone")
        return Judgement(conditions=(over if after.reported_over and before is None else gone,))
    if expected.action is Action.NOOP and state.stopped_by_person:
        return Judgement(conditions=(Condition(name="as a person left it", holds=True, seen=str(state.run)),))
    conditions = [
        Condition(name=_RUNNING, holds=state.run is RunState.RUNNING, seen=str(state.run)),
        *_started_after(before, state, expected),
        *_as_planned(state, expected),
        *_no_reprieve(after, expected),
        *_own_health(state),
        *_probe(after.probe, state, expected),
        *_stable(before, state, expected),
        *_symptom(after, state, expected),
    ]
    return Judgement(conditions=tuple(conditions))


def _started_after(before: TargetState | None, state: TargetState, expected: Expectation) -> list[Condition]:
    if not expected.goal.begins_a_run(expected.action):
        return []
    earlier = before.started_at if before else None
    holds = state.started_at is not None and (earlier is None or state.started_at > earlier)
    return [Condition(name="started after the action", holds=holds, seen=state.started)]


def _as_planned(state: TargetState, expected: Expectation) -> list[Condition]:
    """It is the release that was gone back to, or has the limits that it was given, and nobody has changed that."""
    if expected.action not in REVERSIBLE:
        return []
    seen = f"{state.image} ({state.image_id[:19]})" if expected.action is Action.ROLLBACK else scale(state)
    holds = expected.goal.shown_by(expected.action, state)
    return [Condition(name=f"{expected.action} as planned", holds=holds, seen=seen)]


def _no_reprieve(after: Observation, expected: Expectation) -> list[Condition]:
    """More memory is no help to a leak: it is full again a little later."""
    if expected.action is not Action.SCALE_UP or after.full_in_seconds is None:
        return []
    seen = f"it grows on, and is full in {after.full_in_seconds:.0f} s"
    holds = after.full_in_seconds > expected.reprieve_seconds
    return [Condition(name="memory stays below the new limit", holds=holds, seen=seen)]


def _own_health(state: TargetState) -> list[Condition]:
    if state.health is Health.NONE:
        return []
    starting = state.health is Health.STARTING
    return [
        Condition(
            name="its own health check", holds=state.health is Health.HEALTHY, seen=str(state.health), pending=starting
        )
    ]


def _probe(probe: Probe | None, state: TargetState, expected: Expectation) -> list[Condition]:
    if probe is None:
        return []
    well = probe.status == HTTP_OK
    starting = state.health is Health.STARTING  # by its own check it is not expected to answer yet
    conditions = [Condition(name="health URL answers 200", holds=well, seen=_told(probe), pending=starting)]
    if expected.fault is Fault.LATENCY:
        quick = probe.status is not None and probe.seconds <= expected.latency_seconds
        conditions.append(Condition(name="health URL is quick", holds=quick, seen=f"{probe.seconds:.2f} s"))
    return conditions


def _told(probe: Probe) -> str:
    return str(probe.status) if probe.status is not None else probe.detail or "no answer"


def _stable(before: TargetState | None, state: TargetState, expected: Expectation) -> list[Condition]:
    """Up for the whole window and not restarted by anyone meanwhile: a crash loop looks fine between two crashes."""
    conditions = [_up_long_enough(state, expected)]
    # The engine sets the count back to 0 when somebody asks for a start, and counts its own restarts only.
    begun = expected.goal.begins_a_run(expected.action)
    allowed = 0 if begun else (before.restart_count if before else state.restart_count)
    holds = state.restart_count <= allowed
    conditions.append(Condition(name="restart count unchanged", holds=holds, seen=f"{state.restart_count} restarts"))
    return conditions


def _up_long_enough(state: TargetState, expected: Expectation) -> Condition:
    if not state.running:  # when it was started last says nothing of how long it was up
        return Condition(name="stable", holds=False, seen="not running")
    since = state.started_at
    if since and expected.action is Action.SCALE_UP:  # it runs on, and what it does with more is what counts
        since = max(since, expected.since)
    up = (state.at - since) if since else timedelta(0)
    window = timedelta(seconds=expected.stability_seconds)
    seen = f"up for {up.total_seconds():.1f} of {window.total_seconds():g} s"
    return Condition(name="stable", holds=up >= window, seen=seen, pending=up < window)


def _symptom(after: Observation, state: TargetState, expected: Expectation) -> list[Condition]:
    """The condition that opened the incident is gone. What cannot be measured is not taken for gone."""
    name = f"{expected.fault} is gone"
    usage = state.usage
    match expected.fault:
        case Fault.MEMORY_PRESSURE:
            percent = usage.memory_percent if usage else None
            if percent is None and state.limits.memory_bytes is None:
                return [_quiet(name, after, state, expected)]  # without a limit it will never be measured
            return [_below(name, percent, expected.memory_percent)]
        case Fault.CPU_SATURATION:
            return [_below(name, usage.cpu_percent if usage else None, expected.cpu_percent)]
        case Fault.LATENCY | Fault.DISK_PRESSURE | Fault.CUSTOM | Fault.ERROR_LOGS:
            if expected.fault is Fault.LATENCY and after.probe is not None:
                return []  # the health URL has told
            return [_quiet(name, after, state, expected)]
        case _:  # crashed, crash_loop, oom_killed, unhealthy: the conditions above are their opposite
            return []


def _quiet(name: str, after: Observation, state: TargetState, expected: Expectation) -> Condition:
    """Silence after an action is a sign; silence after none is not, but for error lines, which would go on.

    It has to last for the stability window: right after the action every log is silent.
    """
    if after.reported_over:
        return Condition(name=name, holds=True, seen="its sender says that it is over")
    if expected.action is Action.NOOP and expected.fault is not Fault.ERROR_LOGS:
        return Condition(name=name, holds=False, seen="nothing was done, and it cannot be measured from here")
    quiet = after.signals_since == 0 and after.errors_since == 0
    listened = (state.at - expected.since).total_seconds()
    long_enough = listened >= expected.stability_seconds
    lines = "log not read" if after.errors_since is None else f"{after.errors_since} error lines"
    seen = f"{lines} in {listened:.0f} s, reported again {after.signals_since}×"
    return Condition(name=name, holds=quiet and long_enough, seen=seen, pending=quiet and not long_enough)


def _below(name: str, percent: float | None, limit: float) -> Condition:
    seen = "not measured" if percent is None else f"{percent:.0f} % (limit {limit:g} %)"
    return Condition(name=name, holds=percent is not None and percent < limit, seen=seen, pending=percent is None)
