"""What happens to targets, as their runtime tells it, and how targets hang together."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from .model import Stored
from .target import TargetRef, TargetState


class ChangeKind(StrEnum):
    """The kinds of happenings that are worth a look."""

    DIED = "died"
    OOM = "oom"  # the kernel killed something in it for its memory
    UNHEALTHY = "unhealthy"  # by its own health check, which has counted its retries already
    HEALTHY = "healthy"
    STARTED = "started"
    STOPPED = "stopped"  # somebody asked for it: stop, kill or pause
    REMOVED = "removed"
    GAP = "gap"  # the runtime may have told things that were missed: everything has to be looked at


class Change(Stored):
    """One happening. `target` is None with GAP only."""

    kind: ChangeKind
    at: datetime
    target: TargetRef | None = None
    exit_code: int | None = None


MOST_NEIGHBOURS: Final = 30


class Relation(StrEnum):
    """How a neighbour hangs together with a target, the closest first."""

    NETWORK_PARENT = "network parent"  # the target lives in the neighbour's network namespace
    NETWORK_CHILD = "network child"  # the neighbour lives in the target's
    DEPENDENCY = "dependency"  # the target's compose file says that it depends on the neighbour
    DEPENDENT = "dependent"  # the other way round
    SAME_NETWORK = "same network"  # they can reach each other by name


class Neighbour(Stored):
    """A target that another one may have trouble with, or because of. `names` are those it can be reached by."""

    relation: Relation
    state: TargetState
    names: tuple[str, ...] = ()
