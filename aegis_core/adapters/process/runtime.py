"""The embedded process runtime: a small runtime of its own, for hosts without an engine and for tests.

Its targets are its child processes, described in a TOML file (see `config`). They live in sessions of their own and
print to files, so that a `kill -9` of the agent does not touch them: the next agent finds them in the journal and takes
them over, same pid, same target id, same start time. An ordinary end of the agent ends them, and the next agent starts
them again. Whatever else is found down stays down until it is healed or started by a person.

Limits of it: nothing but memory is enforced, and that by looking several times a second; the exit code of a process
that was taken over is not known (only its parent can ask), so its end always counts as a crash.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from aegis_core.domain.action import Action
from aegis_core.domain.change import MOST_NEIGHBOURS, Change, Neighbour, Relation
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.masking import secret_values
from aegis_core.domain.target import TargetRef, TargetState, Usage
from aegis_core.errors import AegisError, RuntimeProblem, RuntimeUnavailable, TargetGone
from aegis_core.ports import Clock, Stopping

from .changes import Changes
from .child import Child
from .config import TargetSpec, read_config
from .journal import Journal, Record
from .leftover import end_leftover
from .output import OutputLog
from .programs import Programs
from .reverter import carry_out, plan, undo

WATCH_SECONDS: Final = 0.1
_MOST_THREADS: Final = 32

_log = logging.getLogger(__name__)


class ProcessRuntime:
    """Sensor, evidence source and effector over child processes. Every method may be called from any thread."""

    def __init__(self, config_path: Path, state_dir: Path, clock: Clock) -> None:
        self._config_path = config_path
        self._state_dir = state_dir
        self._clock = clock
        self._journal = Journal(state_dir)
        self._programs = Programs(state_dir / "programs")
        self._changes = Changes(clock)
        self._children: Mapping[str, Child] = {}
        self._roster = threading.Lock()  # held while targets come and go
        self._over = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="process-supervisor", daemon=True)

    # The life of the runtime

    def start(self) -> None:
        """Take up or start every target. One that fails stops no other.

        Raises ConfigError, AlreadyRunning, RuntimeUnavailable where an earlier agent's process will not end.
        """
        specs = read_config(self._config_path, self._state_dir / "data")
        self._journal.acquire()
        try:
            self._take_up(specs)
        except AegisError:
            self._journal.release()
            raise
        self._supervisor.start()

    def reload(self) -> None:
        """Read the file again: what has changed is replaced by a new target, what is gone is ended.

        Raises ConfigError, and then nothing has been done.
        """
        specs = read_config(self._config_path, self._state_dir / "data")
        with self._roster:
            kept = {name: child for name, child in self._children.items() if specs.get(name) == child.defined}
            leaving = [child for name, child in self._children.items() if name not in kept]
            gone = _each(leaving, lambda child: child.retire(TargetGone(f"{child.ref.name} is no longer what it was.")))
            for child in gone:
                self._forget(child.ref.name)
                self._changes.tell_removed(child.ref)
            stuck = {child.ref.name: child for child in leaving if child not in gone}
            added = {name: self._make(spec) for name, spec in specs.items() if name not in {**kept, **stuck}}
            self._children = {**kept, **stuck, **added}
            _each(added.values(), Child.take_up)

    def close(self) -> None:
        """End every target and wait for it. Nothing is started any more, whoever asks."""
        refusal = RuntimeUnavailable("The process runtime is being shut down.")
        with self._roster:
            _each(self._children.values(), lambda child: child.close(refusal))
        self._over.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        self._journal.release()

    # For people

    def stop(self, name: str) -> None:
        """Stop a target because a person wants it: Aegis leaves it alone. Raises TargetGone, RuntimeUnavailable.

        A person may as well send SIGTERM or SIGINT to its process: the exit code tells.
        """
        self._named(name).stop()

    def run(self, name: str) -> None:
        """Start a target that is down. Raises TargetGone, RuntimeUnavailable."""
        self._named(name).start()

    # Sensor

    def targets(self) -> Sequence[TargetState]:
        return [child.state(with_usage=False) for child in self._children.values()]

    def usage(self, target: TargetRef) -> Usage | None:
        return self._present(target).usage()

    def changes(self, stopping: Stopping) -> Iterator[Change]:
        return self._changes.follow(stopping)

    # EvidenceSource

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        return self._present(target).output.tail(tail, since)

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        return self._present(target).happenings(since)

    def secrets(self, target: TargetRef) -> frozenset[str]:
        return secret_values(self._present(target).spec.env)

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        """Return what it depends on and what depends on it, by the file."""
        wanted = dict.fromkeys(self._present(target).spec.depends_on, Relation.DEPENDENCY)
        wanting = {
            name: Relation.DEPENDENT
            for name, child in self._children.items()
            if target.name in child.spec.depends_on and name not in wanted
        }
        seen = ((relation, self._children.get(name)) for name, relation in {**wanted, **wanting}.items())
        return [
            Neighbour(relation=relation, state=child.state(with_usage=False), names=(child.ref.name,))
            for relation, child in seen
            if child
        ][:MOST_NEIGHBOURS]

    # Effector

    def find(self, name: str) -> TargetState | None:
        child = self._children.get(name)
        return child.state(with_usage=True) if child else None

    def observe(self, target: TargetRef) -> TargetState:
        return self._present(target).state(with_usage=True)

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        child = self._present(before.ref)
        match action:
            case Action.NOOP:
                return
            case Action.RESTART:
                child.restart()
            case _:
                carry_out(Intent(action=action, at=before.at, before=before, goal=goal), child, self._programs)

    def begun(self, target: TargetRef, since: datetime) -> bool:
        """A target that is gone has begun nothing."""
        child = self._children.get(target.name)
        return child is not None and child.ref == target and child.begun(since)

    # Reverter

    def plan(self, action: Action, before: TargetState, wish: Wish) -> Goal:
        return plan(action, self._present(before.ref), before, wish, self._programs)

    def under_way(self, intent: Intent) -> bool:  # noqa: ARG002 - the port's signature
        """Never: what an agent was killed in the middle of is finished when the next one starts."""
        return False

    def undo(self, intent: Intent) -> str:
        return undo(intent, self._present(intent.before.ref), self._programs)

    def settle(self, intent: Intent) -> None:
        """Nothing was kept."""

    # How it is done

    def _present(self, target: TargetRef) -> Child:
        child = self._named(target.name)
        if child.ref != target:
            raise TargetGone(f"{target.name} is another target now.")
        return child

    def _named(self, name: str) -> Child:
        child = self._children.get(name)
        if child is None:
            raise TargetGone(f"There is no target {name} in {self._config_path}.")
        return child

    def _take_up(self, specs: Mapping[str, TargetSpec]) -> None:
        with self._roster:
            self._end_strangers(specs)
            self._children = {name: self._make(spec) for name, spec in specs.items()}
            _each(self._children.values(), Child.take_up)

    def _make(self, spec: TargetSpec) -> Child:
        record = self._journal.load(spec.name) or Record(id=secrets.token_hex(32), definition=spec.definition)
        (self._state_dir / "data" / spec.name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._programs.remember(spec)
        return Child(spec, record, self._journal, self._output(spec.name), self._clock, tell=self._changes.tell)

    def _output(self, name: str) -> OutputLog:
        return OutputLog(self._state_dir / "output", name, self._clock)

    def _end_strangers(self, specs: Mapping[str, TargetSpec]) -> None:
        """End what an earlier agent left behind and the file no longer describes, or describes differently."""
        for name in self._journal.names():
            record = self._journal.load(name)
            if record and (name not in specs or specs[name].definition != record.definition):
                end_leftover(record, specs[name].stop_timeout if name in specs else None)
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._journal.remove(name)
        self._output(name).clear()

    def _supervise(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            for child in self._children.values():
                try:
                    child.watch()
                except (OSError, psutil.Error) as error:  # a full disk, a process table in motion: look again soon
                    _log.warning("%s could not be watched: %s", child.ref.name, error)


def _each(children: Iterable[Child], operation: Callable[[Child], None]) -> Sequence[Child]:
    """Do something to all of them at once, wait, and return those for which it worked. What fails stops no other."""

    def attempt(child: Child) -> Child | None:
        try:
            operation(child)
        except RuntimeProblem as problem:
            _log.error("%s", problem)
            return None
        return child

    with ThreadPoolExecutor(_MOST_THREADS) as pool:
        return [child for child in pool.map(attempt, children) if child]
