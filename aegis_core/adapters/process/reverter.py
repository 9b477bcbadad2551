"""SCALE_UP and ROLLBACK of a child process: another memory limit, another of its commands; and back."""

from typing import Final

import psutil

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.scaling import Resource, Room, scaled
from aegis_core.domain.target import RunState, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeUnavailable

from .child import Child
from .programs import Programs

_MIB: Final = 2**20


def plan(action: Action, child: Child, before: TargetState, wish: Wish, programs: Programs) -> Goal:
    """See `ports.Reverter.plan`."""
    match action:
        case Action.SCALE_UP:
            return _more(before, wish)
        case Action.ROLLBACK:
            return _former(child, before, wish, programs)
        case _:
            return Goal()


def _more(before: TargetState, wish: Wish) -> Goal:
    if wish.resource is Resource.CPUS:
        raise ActionUnsupported(
            f"The CPU limit of {before.ref.name} holds nothing back, so that raising it is no help."
        )
    if wish.resource is None:
        raise ActionUnsupported(f"Nothing says what {before.ref.name} needs more of.")
    memory = psutil.virtual_memory()
    room = Room(cpus=psutil.cpu_count() or 1, memory_bytes=memory.total, free_bytes=memory.available)
    return Goal(limits=scaled(before, wish.resource, wish.first, room), starts=not before.running)


def _former(child: Child, before: TargetState, wish: Wish, programs: Programs) -> Goal:
    known = programs.of(child.defined)
    for release in wish.releases:
        if release.image_id != before.image_id and release.image_id.removeprefix("sha256:") in known:
            return Goal(image=release.image, image_id=release.image_id)
    raise ActionUnsupported(f"{before.ref.name} has run healthily with no other command that is known.")


def carry_out(intent: Intent, child: Child, programs: Programs) -> None:
    """Do what is not there yet of a SCALE_UP or ROLLBACK. Raises as `Child.restart` does, and ActionUnsupported."""
    if intent.reached(child.state(with_usage=False)):
        return
    if intent.action is Action.SCALE_UP and intent.goal.limits:
        child.limit(intent.goal.limits.memory_bytes, start=intent.goal.starts)
        return
    command = programs.of(child.defined).get(intent.goal.image_id.removeprefix("sha256:"))
    if intent.action is not Action.ROLLBACK or command is None:
        raise ActionUnsupported(f"There is nothing that {child.ref.name} was to become.")
    child.become(command)


def undo(intent: Intent, child: Child, programs: Programs) -> str:
    """See `ports.Reverter.undo`."""
    match intent.action:
        case Action.SCALE_UP:
            return _limit_back(intent, child)
        case Action.ROLLBACK:
            return _command_back(intent, child, programs)
        case _:
            return ""


def _limit_back(intent: Intent, child: Child) -> str:
    old, now = intent.before.limits.memory_bytes, child.state(with_usage=True)
    if old is None or now.limits.memory_bytes == old:
        return ""
    if now.usage and now.usage.memory_bytes >= old:
        used = now.usage.memory_bytes // _MIB
        raise NotUndone(f"{child.ref.name} uses {used} MiB: its old limit of {old // _MIB} MiB would kill it.")
    child.limit(old, start=False)
    return f"The memory limit is {old // _MIB} MiB again."


def _command_back(intent: Intent, child: Child, programs: Programs) -> str:
    if child.state(with_usage=False).image_id == intent.before.image_id:
        return ""
    command = programs.of(child.defined).get(intent.before.image_id.removeprefix("sha256:"))
    if command is None:
        raise NotUndone(f"The command that {child.ref.name} ran by before is not known any more.")
    ran = intent.before.run in {RunState.RUNNING, RunState.RESTARTING}
    try:
        child.become(command, start=ran)
    except RuntimeUnavailable as error:
        if child.state(with_usage=False).image_id != intent.before.image_id:
            raise
        return f"It has its command of before again, and does not start: {error}"
    return f"It has its command of before again{'' if ran else ', and is down as it was'}."
