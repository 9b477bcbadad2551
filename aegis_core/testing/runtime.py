"""A runtime in memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from threading import RLock
from typing import Any

from aegis_core.domain.action import Action
from aegis_core.domain.change import MOST_NEIGHBOURS, Change, ChangeKind, Neighbour, Relation
from aegis_core.domain.intent import Goal, Intent
from aegis_core.domain.logs import clean_lines
from aegis_core.domain.masking import secret_values
from aegis_core.domain.target import Health, RunState, TargetRef, TargetState, Usage
from aegis_core.errors import RuntimeProblem, TargetGone
from aegis_core.ports import Stopping

from .broadcast import Broadcast
from .clock import FakeClock
from .reverter import IDLE_BYTES, FakeReverter, FakeTarget

_OTHER_WAY = {
    Relation.NETWORK_PARENT: Relation.NETWORK_CHILD,
    Relation.NETWORK_CHILD: Relation.NETWORK_PARENT,
    Relation.DEPENDENCY: Relation.DEPENDENT,
    Relation.DEPENDENT: Relation.DEPENDENCY,
    Relation.SAME_NETWORK: Relation.SAME_NETWORK,
}


class FakeRuntime:
    """A runtime in memory: `Sensor`, `EvidenceSource`, `Effector` and `Reverter`, and the means to disturb its targets.

    `applied` lists what was carried out. `failures` holds errors that the next calls of `find`, `observe` and `apply`
    raise before they do anything; `lost_replies` those that `apply` raises when it has done everything; `unheard` those
    that listening for changes raises. `cut` and `mend` the stream of changes. `images` are those that are there to go
    back to, `broken` those that no target gets up with.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.applied: list[tuple[Action, TargetRef]] = []
        self.failures: list[RuntimeProblem] = []
        self.lost_replies: list[RuntimeProblem] = []
        self.unheard: list[RuntimeProblem] = []
        self._clock = clock
        self._broadcast = Broadcast(clock)
        self.cut, self.mend = self._broadcast.cut, self._broadcast.mend
        self._ties: list[tuple[str, Relation, str]] = []
        self._targets: dict[str, FakeTarget] = {}
        self._ids = count(1)
        self._turn = RLock()
        self._reverter = FakeReverter(self._targets, self._new_id, self.start)
        self.images, self.broken = self._reverter.images, self._reverter.broken
        self.plan, self.settle, self.under_way = (
            self._reverter.plan,
            self._reverter.settle,
            self._reverter.under_way,
        )

    def add(self, name: str, env: Mapping[str, str] | None = None, **known: Any) -> TargetRef:
        """Create and start a target; `known` are fields of TargetState. One of the same name is replaced."""
        ref = TargetRef(name=name, id=self._new_id())
        keys = {"env_keys": tuple(sorted(env or {})), **known}
        with self._turn:
            if name in self._targets:
                self.remove(name)
            state = TargetState(ref=ref, at=self._clock(), run=RunState.CREATED, **keys)
            self._targets[name] = FakeTarget(state, env or {})
            self.images.add(state.image_id)
            self.start(name)
        return ref

    def remove(self, name: str) -> None:
        """Take a target away."""
        with self._turn:
            self._broadcast.tell(ChangeKind.REMOVED, self._targets.pop(name).state.ref)

    def relate(self, name: str, relation: Relation, other: str) -> None:
        """Let two targets hang together: `other` is the (relation) of `name`."""
        self._ties += [(name, relation, other), (other, _OTHER_WAY[relation], name)]

    def start(self, name: str) -> None:
        """Start a target that is down, as a person would. It says "ready", and what was wrong with it is over."""
        with self._turn:
            target = self._targets[name]
            health = Health.NONE if target.state.health is Health.NONE else Health.HEALTHY
            now = self._clock()
            over = {"finished_at": None, "exit_code": None, "oom_killed": False, "stopped_by_person": False}
            self._change(name, run=RunState.RUNNING, health=health, health_log=(), started_at=now, **over)
            target.starts += 1
            target.memory_bytes, target.cpu_percent, target.deaf = IDLE_BYTES, 0.0, False
            target.happenings.append((now, "start"))
            target.lines.append((now, "ready"))
            self._tell(name, ChangeKind.STARTED)
            if target.state.image_id in self.broken:
                self.end(name, 1)
            elif health is Health.HEALTHY:
                self._tell(name, ChangeKind.HEALTHY)

    def end(self, name: str, exit_code: int, oom_killed: bool = False, by_person: bool = False) -> None:
        """Let a target end: crash, be killed for its memory, or be stopped by a person."""
        with self._turn:
            now = self._clock()
            if oom_killed:
                self._tell(name, ChangeKind.OOM)
            if by_person:
                self._tell(name, ChangeKind.STOPPED)
            ending = {"finished_at": now, "exit_code": exit_code, "oom_killed": oom_killed}
            self._change(name, run=RunState.EXITED, stopped_by_person=by_person, **ending)
            self._targets[name].happenings.append((now, f"die (exit code {exit_code})"))
            self._tell(name, ChangeKind.DIED, exit_code)

    def say(self, name: str, line: str) -> None:
        """Let a target print a line."""
        self._targets[name].lines.append((self._clock(), line))

    def use(self, name: str, memory_bytes: int | None = None, cpu_percent: float | None = None) -> None:
        """Let a target use this much; more memory than its limit kills it."""
        target = self._targets[name]
        limit = target.state.limits.memory_bytes
        if memory_bytes is not None:
            target.memory_bytes = memory_bytes
            if limit is not None and memory_bytes > limit:
                self.end(name, 137, oom_killed=True)
        if cpu_percent is not None:
            target.cpu_percent = cpu_percent

    def deafen(self, name: str) -> None:
        """Let a target ignore SIGTERM: its next stop takes the whole stop timeout, by the clock."""
        self._targets[name].deaf = True

    def turn(self, name: str, health: Health) -> None:
        """Let the health check of a target come to this."""
        self._change(name, health=health, health_log=(f"the check says {health}",))
        if health in {Health.HEALTHY, Health.UNHEALTHY}:
            self._tell(name, ChangeKind(health))

    def starts(self, name: str) -> int:
        """Tell how often a target was started."""
        return self._targets[name].starts

    def targets(self) -> Sequence[TargetState]:
        """See `ports.Sensor.targets`."""
        with self._turn:
            return [self._seen(target, with_usage=False) for target in self._targets.values()]

    def usage(self, target: TargetRef) -> Usage | None:
        """See `ports.Sensor.usage`."""
        return self._usage(self._present(target))

    def changes(self, stopping: Stopping) -> Iterator[Change]:
        """See `ports.Sensor.changes`."""
        self._fail(self.unheard)
        yield from self._broadcast.listen(stopping)

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        """See `ports.EvidenceSource.logs`."""
        lines = [line for at, line in self._present(target).lines if since is None or at >= since]
        return clean_lines(lines, tail)

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        """See `ports.EvidenceSource.happenings`."""
        return [f"{at:%H:%M:%S} {text}" for at, text in self._present(target).happenings if at >= since]

    def secrets(self, target: TargetRef) -> frozenset[str]:
        """See `ports.EvidenceSource.secrets`."""
        return secret_values(self._present(target).env)

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        """See `ports.EvidenceSource.neighbours`."""
        self._present(target)
        closest: dict[str, Relation] = {}
        for name, relation, other in sorted(self._ties, key=lambda tie: list(Relation).index(tie[1])):
            if name == target.name and other in self._targets:
                closest.setdefault(other, relation)
        return [
            Neighbour(relation=relation, state=self._seen(self._targets[name], with_usage=False), names=(name,))
            for name, relation in closest.items()
        ][:MOST_NEIGHBOURS]

    def find(self, name: str) -> TargetState | None:
        """See `ports.Effector.find`."""
        self._fail(self.failures)
        target = self._targets.get(name)
        return self._seen(target) if target else None

    def observe(self, target: TargetRef) -> TargetState:
        """See `ports.Effector.observe`."""
        self._fail(self.failures)
        return self._seen(self._present(target))

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        """See `ports.Effector.apply`."""
        self._fail(self.failures)
        with self._turn:
            if action is Action.RESTART:
                self._restart(self._present(before.ref))
            elif action is not Action.NOOP:
                self._reverter.carry_out(Intent(action=action, at=before.at, before=before, goal=goal))
            self.applied.append((action, before.ref))
        self._fail(self.lost_replies)

    def begun(self, target: TargetRef, since: datetime) -> bool:
        """See `ports.Effector.begun`."""
        known = self._targets.get(target.name)
        return known is not None and known.begun_at is not None and known.begun_at > since

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`."""
        self._fail(self.failures)
        with self._turn:
            return self._reverter.undo(intent)

    def _new_id(self) -> str:
        return f"{next(self._ids):064x}"

    def _restart(self, target: FakeTarget) -> None:
        name, target.begun_at = target.state.ref.name, self._clock()
        if target.deaf:
            self._clock.advance(target.state.stop_timeout)
        if target.state.running:
            self._tell(name, ChangeKind.STOPPED)
            self.end(name, 137 if target.deaf else 143)
        self.start(name)

    def _present(self, ref: TargetRef) -> FakeTarget:
        target = self._targets.get(ref.name)
        if target is None or target.state.ref != ref:
            raise TargetGone
        return target

    def _seen(self, target: FakeTarget, with_usage: bool = True) -> TargetState:
        usage = self._usage(target) if with_usage else None
        return target.state.model_copy(update={"at": self._clock(), "usage": usage})

    def _usage(self, target: FakeTarget) -> Usage | None:
        if not target.state.running:
            return None
        limit = target.state.limits.memory_bytes
        percent = 100 * target.memory_bytes / limit if limit else None
        used = {"memory_bytes": target.memory_bytes, "memory_percent": percent, "cpu_percent": target.cpu_percent}
        return Usage(at=self._clock(), **used)

    def _change(self, name: str, **changes: Any) -> None:
        target = self._targets[name]
        target.state = target.state.model_copy(update=changes)

    def _tell(self, name: str, kind: ChangeKind, exit_code: int | None = None) -> None:
        self._broadcast.tell(kind, self._targets[name].state.ref, exit_code)

    @staticmethod
    def _fail(errors: list[RuntimeProblem]) -> None:
        if errors:
            raise errors.pop(0)
