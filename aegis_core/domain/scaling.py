"""More of what ran out: how much more, and up to where."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from aegis_core.errors import ActionUnsupported

from .diagnosis import Category
from .model import Value
from .signal import Fault
from .target import Limits, TargetState

MAX_MEMORY_LABEL: Final = "aegis.max_memory"
MAX_CPUS_LABEL: Final = "aegis.max_cpus"
MAX_REPLICAS_LABEL: Final = "aegis.max_replicas"
FACTOR: Final = 1.5  # DESIGN §7
WITHOUT_CEILING: Final = 2.0  # times its first limit: as far as a target goes whose owner has set no ceiling
SHARE_OF_FREE: Final = 0.5  # of the memory that the host has free, without a ceiling: the others grow as well
LEAST_GAIN: Final = 1.05  # less than this is not worth a change
_MIB: Final = 2**20
_DIGITS: Final = 7
_CPU_STEP: Final = 0.01  # the least that Docker can give

_SIZE: Final = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ?(?:([kmgtp])(?:i?b)?|b)?")  # as Docker reads `--memory`
_EXPONENTS: Final = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


class Resource(StrEnum):
    """What a target can be given more of."""

    MEMORY = "memory"
    CPUS = "CPU"


class Room(Value):
    """What the host has: cores, memory, and how much of that is free (None where that cannot be known)."""

    cpus: float
    memory_bytes: int
    free_bytes: int | None = None


_OF_FAULT: Final = {
    Fault.MEMORY_PRESSURE: Resource.MEMORY,
    Fault.OOM_KILLED: Resource.MEMORY,
    Fault.CPU_SATURATION: Resource.CPUS,
}
_OF_CATEGORY: Final = {Category.OOM: Resource.MEMORY, Category.CPU_SATURATION: Resource.CPUS}


def resource_of(fault: Fault, category: Category | None, state: TargetState) -> Resource | None:
    """Tell what ran out: what was measured speaks first, then the diagnosis, then how it ended. None: nothing says."""
    killed = Resource.MEMORY if state.oom_killed else None
    return _OF_FAULT.get(fault) or (_OF_CATEGORY.get(category) if category else None) or killed


def size(text: str) -> int | None:
    """Read an amount of memory as Docker does: bytes, or `512m`, `1.5g`, `64MiB`. None where it is none."""
    found = _SIZE.fullmatch(text.strip().lower())
    amount = int(float(found[1]) * 1024 ** _EXPONENTS.get(found[2] or "", 0)) if found else 0
    return amount or None


def ceiling(labels: Mapping[str, str]) -> Limits:
    """Read up to where the owner of a target lets it grow; None for what no (readable) label speaks of."""
    try:
        cpus = float(labels.get(MAX_CPUS_LABEL, ""))
    except ValueError:
        cpus = 0.0
    cores = cpus if 0 < cpus < float("inf") else None
    return Limits(memory_bytes=size(labels.get(MAX_MEMORY_LABEL, "")), cpus=cores)


def replicas_ceiling(labels: Mapping[str, str]) -> int | None:
    """Read up to how many replicas the owner of a service allows; None where no (readable) label says so."""
    word = labels.get(MAX_REPLICAS_LABEL, "").strip()
    return int(word) if word.isdecimal() and len(word) < _DIGITS else None


def unbounded(state: TargetState) -> str:
    """Name the label that could say how far a target may grow, where none does; empty where one does."""
    if state.replicas is not None:
        return MAX_REPLICAS_LABEL if replicas_ceiling(state.labels) is None else ""
    return f"{MAX_MEMORY_LABEL} or {MAX_CPUS_LABEL}" if ceiling(state.labels) == Limits() else ""


def scaled(state: TargetState, resource: Resource, first: Limits, room: Room) -> Limits:
    """The limits of a target with half as much again of the resource, as far as its ceiling and the host allow.

    `first` are the limits that it had before anybody scaled it. Raises ActionUnsupported with the reason.
    """
    now, top = state.limits, ceiling(state.labels)
    if resource is Resource.MEMORY:
        return now.model_copy(update={"memory_bytes": _more_memory(state, first, top, room)})
    if now.cpus is None:
        raise ActionUnsupported(f"{state.ref.name} has no CPU limit, so that there is none to raise.")
    bound = min(top.cpus or WITHOUT_CEILING * (first.cpus or now.cpus), room.cpus)
    return now.model_copy(update={"cpus": _up_to(bound, now.cpus, _CPU_STEP, f"{bound:g} CPUs", state)})


def _more_memory(state: TargetState, first: Limits, top: Limits, room: Room) -> int:
    now = state.limits.memory_bytes
    if now is None:
        raise ActionUnsupported(f"{state.ref.name} has no memory limit, so that there is none to raise.")
    bound = min(top.memory_bytes or _without_ceiling(state, now, first.memory_bytes or now, room), room.memory_bytes)
    return int(_up_to(bound, now, _MIB, f"{bound // _MIB} MiB", state))


def _without_ceiling(state: TargetState, now: int, first: int, room: Room) -> int:
    if room.free_bytes is None:
        raise ActionUnsupported(
            f"How much memory the host of {state.ref.name} has free is not known: the label {MAX_MEMORY_LABEL} has to "
            "say how far its limit may be raised."
        )
    return min(int(WITHOUT_CEILING * first), now + int(SHARE_OF_FREE * room.free_bytes))


def _up_to(bound: float, now: float, step: float, told: str, state: TargetState) -> float:
    wanted = min(FACTOR * now, bound)
    rounded = round(int(wanted / step + 1e-6) * step, 6)
    if rounded < now * LEAST_GAIN:
        raise ActionUnsupported(f"{state.ref.name} is at its ceiling of {told} already.")
    return rounded
