"""What the engine says of a container, as a TargetState. Pure: no call is made here."""

import signal
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from aegis_core.domain.logs import clean_line
from aegis_core.domain.target import HEALTH_URL_LABEL, Health, Limits, RunState, TargetRef, TargetState, Usage

Inspection = Mapping[str, Any]
"""The answer of the engine to "inspect"."""

DEFAULT_STOP_TIMEOUT: Final = 10.0  # the engine's own, where the container has none
LONGEST_STOP_TIMEOUT: Final = 600.0  # a container may ask to be waited for without end; a worker cannot
_DEFAULT_CPU_PERIOD: Final = 100_000  # microseconds, the kernel's own
_HEALTH_ENTRIES: Final = 5
_HEALTH_HEAD: Final = 100  # characters: what ran, where it says so
_HEALTH_END: Final = 300  # and how it ended: a traceback tells the error last
_ENV_NAMES: Final = 200
_ENV_NAME_CHARACTERS: Final = 100


class Host(NamedTuple):
    """What the machine under the engine has: cores, and bytes of memory."""

    cpus: int
    memory_bytes: int


def to_state(
    inspection: Inspection, at: datetime, host: Host, usage: Usage | None = None, stopped_by_person: bool = False
) -> TargetState:
    """Describe an inspected container as it was at `at`."""
    state, config, settings = inspection["State"], inspection["Config"], inspection["HostConfig"]
    run = run_state(state["Status"])
    ended = run in {RunState.EXITED, RunState.DEAD, RunState.RESTARTING}
    labels = config.get("Labels") or {}
    return TargetState(
        ref=TargetRef(name=name_of(inspection), id=inspection["Id"]),
        at=at,
        run=run,
        health=health_of((state.get("Health") or {}).get("Status")),
        started_at=moment(state.get("StartedAt")),
        finished_at=moment(state.get("FinishedAt")),
        exit_code=state.get("ExitCode") if ended else None,
        oom_killed=bool(state.get("OOMKilled")),
        restart_count=inspection.get("RestartCount") or 0,
        restart_policy=restart_policy(inspection),
        image=config.get("Image") or "",
        image_id=inspection.get("Image") or "",
        limits=limits_of(settings, host),
        env_keys=env_keys(config.get("Env") or ()),
        usage=usage,
        labels=labels,
        health_url=labels.get(HEALTH_URL_LABEL) or None,
        health_log=_health_log(state),
        stop_timeout=stop_timeout(inspection),
        stopped_by_person=stopped_by_person,
    )


def env_keys(environment: Iterable[str]) -> tuple[str, ...]:
    """Name the variables of an environment (`NAME=value`, …), sorted; never their values."""
    names = {clean_line(entry.partition("=")[0])[:_ENV_NAME_CHARACTERS] for entry in environment}
    return tuple(sorted(names))[:_ENV_NAMES]


def name_of(inspection: Inspection) -> str:
    return str(inspection["Name"]).removeprefix("/")


def run_state(word: str) -> RunState:
    """Read the engine's word for a state; one that is not known counts as `dead`."""
    try:
        return RunState(word)
    except ValueError:
        return RunState.DEAD


def health_of(word: str | None) -> Health:
    """Read the engine's word for health; none, or an unknown one, means that there is no check."""
    try:
        return Health(word or "none")
    except ValueError:
        return Health.NONE


def moment(text: str | None) -> datetime | None:
    """Read a time of the engine (nanoseconds are cut to microseconds); its zero time means never."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def restart_policy(inspection: Inspection) -> str:
    return (inspection["HostConfig"].get("RestartPolicy") or {}).get("Name") or "no"


def stop_timeout(inspection: Inspection) -> float:
    """Seconds that the container is given after SIGTERM; -1 (without end) is read as `LONGEST_STOP_TIMEOUT`."""
    seconds = inspection["Config"].get("StopTimeout")
    if seconds is None:
        return DEFAULT_STOP_TIMEOUT
    return LONGEST_STOP_TIMEOUT if seconds < 0 else min(float(seconds), LONGEST_STOP_TIMEOUT)


def stop_signal(inspection: Inspection) -> int:
    """The number of the signal that asks the container to end: SIGTERM unless its image says otherwise."""
    word = str(inspection["Config"].get("StopSignal") or "SIGTERM").upper().removeprefix("SIG")
    if word.isdecimal():
        return int(word)
    base, plus, offset = word.partition("+")
    if plus and base == "RTMIN" and offset.isdecimal():
        return signal.SIGRTMIN + int(offset)
    return int(signal.Signals.__members__.get(f"SIG{word}", signal.SIGTERM))


def limits_of(settings: Mapping[str, Any], host: Host) -> Limits:
    """Read the limits out of a HostConfig; what lies at or over the host's own is no limit."""
    memory = settings.get("Memory") or 0
    cpus = [cores for cores in (_quota(settings), _pinned(settings.get("CpusetCpus") or "")) if cores]
    least = min(cpus, default=0.0)
    return Limits(
        memory_bytes=memory if 0 < memory < host.memory_bytes else None,
        cpus=least if 0 < least < host.cpus else None,
    )


def _quota(settings: Mapping[str, Any]) -> float:
    if nano := settings.get("NanoCpus"):
        return float(nano) / 1e9
    quota = settings.get("CpuQuota") or 0
    return quota / (settings.get("CpuPeriod") or _DEFAULT_CPU_PERIOD) if quota > 0 else 0.0


def _pinned(cpuset: str) -> float:
    """Count the cores of a list such as `0-2,5`."""
    cores = 0
    for part in filter(None, cpuset.split(",")):
        first, _, last = part.partition("-")
        cores += int(last or first) - int(first) + 1
    return float(cores)


def _health_log(state: Mapping[str, Any]) -> tuple[str, ...]:
    entries = ((state.get("Health") or {}).get("Log") or [])[-_HEALTH_ENTRIES:]
    return tuple(_health_entry(entry) for entry in entries)


def _health_entry(entry: Mapping[str, Any]) -> str:
    output = clean_line(_shortened(" ".join(str(entry.get("Output") or "").split())))
    return f"exit code {entry.get('ExitCode')}: {output}" if output else f"exit code {entry.get('ExitCode')}"


def _shortened(output: str) -> str:
    if len(output) <= _HEALTH_HEAD + _HEALTH_END:
        return output
    return f"{output[:_HEALTH_HEAD]} … {output[-_HEALTH_END:]}"
