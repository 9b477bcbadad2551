"""What a signal is about: a container, a Swarm service or a local process, and what can be observed of it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from .model import Stored

ENABLE_LABEL = "aegis.enable"
AUTOHEAL_LABEL = "autoheal"  # docker-autoheal's label counts, so that people can move over
HEALTH_URL_LABEL = "aegis.health_url"
TIER_LABEL = "aegis.tier"
SELF_LABEL = "aegis.self"  # set on Aegis' own containers: never acted on


class RunState(StrEnum):
    """Docker's words for the state of a container; the process runtime uses the same."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class Health(StrEnum):
    """The verdict of the target's own health check."""

    NONE = "none"  # there is no check
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class TargetRef(Stored):
    """Names one concrete target: the same name with another id is another target."""

    name: str
    id: str


class Limits(Stored):
    """What the target (each task of a service) may use; None where there is no limit of its own."""

    memory_bytes: int | None = None
    cpus: float | None = None


class Usage(Stored):
    """One sample. `cpu_percent` is of the target's own allowance: its CPU limit, else all cores of the host."""

    at: datetime
    memory_bytes: int
    memory_percent: float | None = None  # of its own limit; None without a limit
    cpu_percent: float | None = None  # None until there are two samples


class TargetState(Stored):
    """What was observed of a target at one moment."""

    ref: TargetRef
    at: datetime
    run: RunState
    health: Health = Health.NONE
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    oom_killed: bool = False
    restart_count: int = 0
    restart_policy: str = ""
    image: str = ""
    image_id: str = ""
    limits: Limits = Limits()
    env_keys: tuple[str, ...] = ()  # names of its environment variables, sorted; never their values
    usage: Usage | None = None
    labels: Mapping[str, str] = {}
    health_url: str | None = None
    health_log: tuple[str, ...] = ()
    stop_timeout: float = 10.0  # seconds between SIGTERM and SIGKILL
    replicas: int | None = None  # of a service: how many tasks it is to have; None where every node has one
    definition: str = ""  # of a service: a fingerprint of what it is to run, and how often; "" where actions need none
    rollout_seconds: float = 0.0  # of a service: how long a change may take, because its tasks are changed in turn
    stopped_by_person: bool = False  # a stop, kill or pause that nobody but a person asked for

    @property
    def started(self) -> str:
        """When it was started last, in words."""
        return f"started at {self.started_at:%H:%M:%S} UTC" if self.started_at else "never started"

    @property
    def running(self) -> bool:
        return self.run is RunState.RUNNING


class Watch(StrEnum):
    """Which targets Aegis may touch."""

    LABELED = "labeled"  # those that opted in by label
    ALL = "all"  # every target but Aegis' own


def without_secrets(state: TargetState) -> TargetState:
    """The part of an observation that may be stored: not the labels that speak to other tools, nor what its health
    check printed, because either may hold a secret."""
    labels = {
        name: value for name, value in state.labels.items() if name.startswith("aegis.") or name == AUTOHEAL_LABEL
    }
    return state.model_copy(update={"labels": labels, "health_log": ()})


def opted_in(labels: Mapping[str, str], watch: Watch) -> bool:
    """Tell whether the owner of a target allows Aegis to touch it.

    An explicit `aegis.enable=false` wins over everything, also over `AEGIS_WATCH=all`.
    """
    enable = labels.get(ENABLE_LABEL, "").strip().lower()
    if enable:
        return enable in {"true", "1", "yes", "on"}
    if watch is Watch.ALL:
        return True
    return labels.get(AUTOHEAL_LABEL, "").strip().lower() == "true"


def is_own(state: TargetState, own_names: frozenset[str]) -> bool:
    """Tell whether a target is part of Aegis itself: by label, by name or by (prefix of the) container id.

    A container's hostname is the first 12 digits of its id, so that Aegis in a container recognises itself.
    """
    if state.labels.get(SELF_LABEL, "").strip().lower() in {"true", "1", "yes", "on"}:
        return True
    short_id = state.ref.id[:12]
    return state.ref.name in own_names or (len(short_id) == 12 and short_id in own_names)  # noqa: PLR2004
