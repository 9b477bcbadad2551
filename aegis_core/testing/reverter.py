"""SCALE_UP and ROLLBACK of targets in memory, and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.scaling import Room, scaled
from aegis_core.domain.target import RunState, TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, TargetGone

IDLE_BYTES = 16 * 2**20  # what a target uses that nothing is wrong with
ROOM = Room(cpus=4, memory_bytes=16 * 2**30, free_bytes=8 * 2**30)


@dataclass
class FakeTarget:
    """A target of the runtime in memory."""

    state: TargetState
    env: Mapping[str, str]
    starts: int = 0
    memory_bytes: int = IDLE_BYTES
    cpu_percent: float = 0.0
    deaf: bool = False
    begun_at: datetime | None = None
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    happenings: list[tuple[datetime, str]] = field(default_factory=list)


class FakeReverter:
    """Changes the targets of a runtime as Docker would: what is rolled back is another target of the same name."""

    def __init__(self, targets: dict[str, FakeTarget], new_id: Callable[[], str], start: Callable[[str], None]) -> None:
        self.images: set[str] = set()
        self.broken: set[str] = set()
        self._targets, self._new_id, self._start = targets, new_id, start
        self._aside: dict[str, FakeTarget] = {}  # by their ids

    def plan(self, action: Action, before: TargetState, wish: Wish) -> Goal:
        """See `ports.Reverter.plan`."""
        self._present(before.ref)
        match action:
            case Action.SCALE_UP:
                if wish.resource is None:
                    raise ActionUnsupported(f"Nothing says what {before.ref.name} needs more of.")
                return Goal(limits=scaled(before, wish.resource, wish.first, ROOM), starts=not before.running)
            case Action.ROLLBACK:
                there = [one for one in wish.releases if one.image_id in self.images - {before.image_id}]
                if not there:
                    raise ActionUnsupported(f"There is no image that {before.ref.name} has run healthily with before.")
                return Goal(image=there[0].image, image_id=there[0].image_id)
            case _:
                return Goal()

    def carry_out(self, intent: Intent) -> None:
        """Do what is not there of it yet."""
        now, goal = self._targets.get(intent.before.ref.name), intent.goal
        if now and intent.reached(now.state):
            return
        target = self._present(intent.before.ref)
        if intent.action is Action.ROLLBACK and goal.image_id and goal.image_id in self.images:
            self._replace(target, goal)
        elif intent.action is Action.SCALE_UP and goal.limits:
            self._change(target, limits=goal.limits)
            if goal.starts and not target.state.running:
                self._start(target.state.ref.name)
        else:
            raise ActionUnsupported(f"There is nothing that {intent.before.ref.name} was to become.")

    def under_way(self, intent: Intent) -> bool:  # noqa: ARG002 - the port's signature
        """See `ports.Reverter.under_way`. Never: here it happens at once."""
        return False

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`."""
        return self._limits_back(intent) if intent.action is Action.SCALE_UP else self._image_back(intent)

    def settle(self, intent: Intent) -> None:
        """See `ports.Reverter.settle`."""
        self._aside.pop(intent.before.ref.id, None)

    def _replace(self, old: FakeTarget, goal: Goal) -> None:
        name = old.state.ref.name
        self._aside[old.state.ref.id] = old
        known = {"ref": TargetRef(name=name, id=self._new_id()), "image": goal.image, "image_id": goal.image_id}
        state = old.state.model_copy(update={**known, "restart_count": 0, "run": RunState.CREATED})
        self._targets[name] = replace(old, state=state, starts=0, lines=[], happenings=[])
        self._start(name)

    def _limits_back(self, intent: Intent) -> str:
        target, old = self._present(intent.before.ref), intent.before.limits
        if target.state.limits == old:
            return ""
        if old.memory_bytes and target.state.running and target.memory_bytes >= old.memory_bytes:
            raise NotUndone(f"{intent.before.ref.name} uses more memory than its old limit.")
        self._change(target, limits=old)
        return "It has its old limits again."

    def _image_back(self, intent: Intent) -> str:
        old = self._aside.pop(intent.before.ref.id, None)
        if old is None:
            return ""
        name, running = intent.before.ref.name, intent.before.run in {RunState.RUNNING, RunState.RESTARTING}
        self._targets[name] = old
        if running:
            self._start(name)
        return f"{name} is the one of before again."

    def _present(self, ref: TargetRef) -> FakeTarget:
        target = self._targets.get(ref.name)
        if target is None or target.state.ref != ref:
            raise TargetGone
        return target

    def _change(self, target: FakeTarget, **changes: Any) -> None:
        target.state = target.state.model_copy(update=changes)
