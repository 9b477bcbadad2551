"""What a service is to be: read, compared, and changed by one step. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from aegis_core.domain.target import Limits

from .state import DEFAULT_STOP_TIMEOUT, LONGEST_STOP_TIMEOUT
from .swarm import Service, Spec

_NANO: Final = 1e9
_MONITOR_SECONDS: Final = 5.0  # how long Swarm watches a new task before the next one's turn, unless told otherwise
_START_SECONDS: Final = 10.0  # that a task may take to start, where it is reckoned how long a change takes
_LONGEST_ROLLOUT: Final = 1800.0
_DIGITS: Final = 16


def definition(spec: Spec) -> str:
    """A fingerprint of what is to run, and how many of it."""
    return _digest({"TaskTemplate": spec["TaskTemplate"], "Mode": spec.get("Mode")})


def release(spec: Spec) -> str:
    """A fingerprint of what is to run, however often it was told to start again: image, environment, mounts, limits."""
    template = {key: value for key, value in spec["TaskTemplate"].items() if key != "ForceUpdate"}
    return f"spec:{_digest(template)}"


def started_anew(spec: Spec) -> Spec:
    """The same, and every task replaced by a new one (`docker service update --force`)."""
    template = spec["TaskTemplate"]
    return {**spec, "TaskTemplate": {**template, "ForceUpdate": (template.get("ForceUpdate") or 0) + 1}}


def with_replicas(spec: Spec, replicas: int) -> Spec:
    return {**spec, "Mode": {"Replicated": {**spec["Mode"]["Replicated"], "Replicas": replicas}}}


def with_image(spec: Spec, image: str) -> Spec:
    template = spec["TaskTemplate"]
    return {**spec, "TaskTemplate": {**template, "ContainerSpec": {**template["ContainerSpec"], "Image": image}}}


def container_of(spec: Spec) -> Mapping[str, Any]:
    found: Mapping[str, Any] = spec["TaskTemplate"]["ContainerSpec"]
    return found


def replicas_of(spec: Spec) -> int | None:
    """How many tasks there are to be; None where every node has one."""
    mode = (spec.get("Mode") or {}).get("Replicated")
    return None if mode is None else int(mode.get("Replicas", 1))


def runs_for_good(service: Service) -> bool:
    """A job is done when it has ended; all other services are to run."""
    return bool({"Replicated", "Global"} & (service["Spec"].get("Mode") or {}).keys())


def limits_of_task(spec: Spec) -> Limits:
    limits = (spec["TaskTemplate"].get("Resources") or {}).get("Limits") or {}
    return Limits(
        memory_bytes=limits.get("MemoryBytes") or None,
        cpus=limits["NanoCPUs"] / _NANO if limits.get("NanoCPUs") else None,
    )


def restart_condition(spec: Spec) -> str:
    """When Swarm replaces a task that has ended: `any`, `on-failure` or `none`."""
    return str((spec["TaskTemplate"].get("RestartPolicy") or {}).get("Condition") or "any")


def stop_grace(spec: Spec) -> float:
    """Seconds that a task is given after SIGTERM."""
    nano = container_of(spec).get("StopGracePeriod")
    return DEFAULT_STOP_TIMEOUT if nano is None else min(float(nano) / _NANO, LONGEST_STOP_TIMEOUT)


def rollout_seconds(spec: Spec, tasks: int) -> float:
    """How long it may take by the service's own settings until all its tasks have been replaced in turn."""
    how = spec.get("UpdateConfig") or {}
    turns = ceil(tasks / (how.get("Parallelism", 1) or max(tasks, 1)))
    monitor = how["Monitor"] / _NANO if how.get("Monitor") else _MONITOR_SECONDS
    each = how.get("Delay", 0) / _NANO + monitor + stop_grace(spec) + _START_SECONDS
    return min(float(turns * each), _LONGEST_ROLLOUT)


def networks_of(spec: Spec) -> Mapping[str, Sequence[str]]:
    """The networks (ids) that its tasks are in, each with the names that they have there beside the service's own."""
    attached = spec["TaskTemplate"].get("Networks") or spec.get("Networks") or ()
    return {one["Target"]: tuple(one.get("Aliases") or ()) for one in attached}


def _digest(part: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()[:_DIGITS]
