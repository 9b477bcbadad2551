"""SCALE_UP of a plain container: its memory or CPU limit is updated while it runs; and back."""

import re
from typing import Any, Final

import psutil

from aegis_core.domain.action import Action
from aegis_core.domain.definition import in_words
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.scaling import Resource, Room, scaled
from aegis_core.domain.target import Limits, RunState, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeUnavailable

from .client import Engine, translated
from .containers import Containers
from .meter import Meter
from .runs import Runs
from .state import Host, Inspection, limits_of, name_of, run_state

_SAME_MACHINE: Final = 64 * 2**20  # bytes by which two countings of one machine's memory may differ
_IN_USE: Final = re.compile(r"busy|current usage|memory limit|memory\.(limit|max)", re.IGNORECASE)


def changes_to(settings: dict[str, Any], wanted: Limits) -> dict[str, Any]:
    """What to tell the engine so that a HostConfig gets these limits. Swap keeps its relation to memory."""
    memory, period = settings.get("Memory") or 0, settings.get("CpuPeriod") or 100_000
    changes: dict[str, Any] = {}
    if wanted.memory_bytes and memory and wanted.memory_bytes != memory:
        swap = settings.get("MemorySwap") or 2 * memory  # none set: as much swap as memory, says the engine
        # In the same call: the engine holds the new limit against the old swap.
        changes["Memory"] = wanted.memory_bytes
        changes["MemorySwap"] = round(wanted.memory_bytes * swap / memory) if swap > 0 else swap
    if wanted.cpus and settings.get("NanoCpus"):
        cpus = {"NanoCpus": round(wanted.cpus * 1e9)}
    elif wanted.cpus and (settings.get("CpuQuota") or 0) > 0:
        cpus = {"CpuPeriod": period, "CpuQuota": round(wanted.cpus * period)}
    else:
        cpus = {}
    return {**changes, **{key: value for key, value in cpus.items() if settings.get(key) != value}}


class Scaling:
    """Raises limits, and puts them back."""

    def __init__(self, engine: Engine, containers: Containers, runs: Runs, meter: Meter, host: Host) -> None:
        self._engine = engine
        self._containers = containers
        self._runs = runs
        self._meter = meter
        self._host = host

    def plan(self, before: TargetState, wish: Wish) -> Goal:
        """See `ports.Reverter.plan`."""
        settings = self._containers.own(before.ref)["HostConfig"]
        if wish.resource is None:
            raise ActionUnsupported(f"Nothing says what {before.ref.name} needs more of.")
        if wish.resource is Resource.CPUS and not (settings.get("NanoCpus") or settings.get("CpuQuota")):
            raise ActionUnsupported(f"{before.ref.name} has no CPU limit that could be raised.")
        return Goal(limits=scaled(before, wish.resource, wish.first, self._room(settings)), starts=not before.running)

    def carry_out(self, intent: Intent) -> None:
        """Update the limits and start the container, each unless that is there already.

        Raises TargetGone, ActionUnsupported, RuntimeUnavailable.
        """
        inspection, goal = self._containers.same(intent.before.ref), intent.goal
        if goal.limits is None:
            raise ActionUnsupported(f"No limits were planned for {intent.before.ref.name}.")
        if not goal.shown_by(Action.SCALE_UP, self._containers.described(inspection)):
            self._update(inspection, goal.limits)
        if goal.starts:
            self._start(intent)

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`. Memory that is in use cannot be taken away: the kernel would kill for it."""
        inspection, old = self._containers.same(intent.before.ref), intent.before.limits
        if limits_of(inspection["HostConfig"], self._host) == old:
            return ""
        usage = self._meter.usage(inspection) if inspection["State"]["Running"] else None
        if usage and old.memory_bytes and usage.memory_bytes >= old.memory_bytes:
            raise NotUndone(_in_use(inspection, f"{usage.memory_bytes // 2**20} MiB", old))
        try:
            self._update(inspection, old)
        except RuntimeUnavailable as problem:
            if not _IN_USE.search(str(problem)):
                raise
            raise NotUndone(_in_use(inspection, "more", old)) from problem
        return f"The limits are as before: {in_words(old)}."

    def _start(self, intent: Intent) -> None:
        inspection = self._containers.same(intent.before.ref)
        if intent.reached(self._containers.described(inspection)):
            return
        waiting = run_state(inspection["State"]["Status"]) is RunState.RESTARTING  # the engine pauses, up to a minute
        (self._runs.restart if waiting else self._runs.start)(inspection)

    def _update(self, inspection: Inspection, wanted: Limits) -> None:
        changes = changes_to(inspection["HostConfig"], wanted)
        if changes:
            with translated(f"changing the limits of {name_of(inspection)}", refusal=ActionUnsupported):
                self._engine.update(inspection["Id"], changes)

    def _room(self, settings: dict[str, Any]) -> Room:
        """What the host has. Its free memory is known only where the agent runs on the same machine."""
        pinned = limits_of({"CpusetCpus": settings.get("CpusetCpus")}, self._host).cpus
        memory = psutil.virtual_memory()
        here = abs(memory.total - self._host.memory_bytes) < _SAME_MACHINE
        free = memory.available if here else None
        return Room(cpus=pinned or self._host.cpus, memory_bytes=self._host.memory_bytes, free_bytes=free)


def _in_use(inspection: Inspection, used: str, old: Limits) -> str:
    return f"{name_of(inspection)} uses {used}: it cannot be held to its old limits again ({in_words(old)})."
