"""One target: its definition, its record in the journal and, while it runs, its processes.

Two locks. `_turn` is held for a whole start, stop or restart: one at a time. `_facts` is held for moments, where record
and process change together; whoever only looks takes this one, so that a slow stop keeps nobody from looking.
A stop or start is in the journal before it has any effect.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from aegis_core.domain.change import Change
from aegis_core.domain.target import Health, TargetRef, TargetState, Usage
from aegis_core.errors import RuntimeProblem, RuntimeUnavailable
from aegis_core.ports import Clock

from .changes import health_change, pause_change
from .config import TargetSpec
from .family import sweep_run
from .health import HealthCheck
from .journal import Asked, Journal, Phase, Record
from .ledger import Ledger
from .main_process import MainProcess
from .output import MARK_SECONDS, OutputLog
from .state import state_of, tuned
from .usage import Meter

KILL_SECONDS: Final = 5.0  # after SIGKILL: only a process that is stuck in the kernel is still there
GATE_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)


class Child:
    """A target under supervision."""

    def __init__(
        self,
        spec: TargetSpec,
        record: Record,
        journal: Journal,
        output: OutputLog,
        clock: Clock,
        *,
        tell: Callable[[Change], None],
    ) -> None:
        self.defined = spec
        self.ref = TargetRef(name=spec.name, id=record.id)
        self.output = output
        self._journal = journal
        self._clock = clock
        self._tell = tell
        self._turn = threading.Lock()
        self._facts = threading.RLock()
        self._ledger = Ledger(self.ref, record, journal, tell)
        self._noted_health = Health.STARTING
        self._noted_pause = False
        self._refusal: RuntimeProblem | None = None
        self._process: MainProcess | None = None
        self._meter: Meter | None = None
        self._check: HealthCheck | None = None

    @property
    def spec(self) -> TargetSpec:
        """Its definition, with what was put in the place of parts of it since."""
        return tuned(self.defined, self._ledger.record)

    # What is done to it

    def take_up(self) -> None:
        """Bring it to where the journal wants it: taken over, noted as ended, or started.

        A stop or restart that an earlier agent was killed in is finished, as an engine does whose client has died.
        What crashed or was stopped stays down: whether it is healed is decided elsewhere. Raises RuntimeUnavailable.
        """
        with self._turn:
            self._find_process()
            if self._ledger.record.phase is Phase.STOPPING:
                self._stop(self._ledger.record.asked)
            if self._ledger.record.phase is Phase.CREATED or self._ledger.record.asked in {Asked.AGENT, Asked.AEGIS}:
                self._start()

    def restart(self) -> None:
        """Stop and start. Raises RuntimeUnavailable, or what `close` was given once it is closed."""
        with self._turn:
            self._refuse_when_closed()
            self._stop(Asked.AEGIS)
            self._start()

    def limit(self, memory_bytes: int | None, start: bool) -> None:
        """Give it another memory limit, and start it unless it runs. Raises as `restart` does."""
        with self._turn:
            self._refuse_when_closed()
            self.look()
            with self._facts:
                own = None if memory_bytes == self.defined.limits.memory_bytes else memory_bytes
                if self._ledger.record.memory_bytes != own:
                    self._ledger.intend(self._ledger.record.limited(self._clock(), own))
                if self._meter:
                    self._meter.bound_by(self.spec.limits)
            if start and self._process is None:
                self._start()

    def become(self, command: tuple[str, ...], start: bool = True) -> None:
        """Stop it, and let it run by another command of its own; or leave it down. Raises as `restart` does."""
        with self._turn:
            self._refuse_when_closed()
            own = () if command == self.defined.command else command
            self._stop(Asked.AEGIS if start else Asked.NOBODY, lambda record: record.commanded(self._clock(), own))
            if start:
                self._start()

    def stop(self) -> None:
        """Stop it for a person: it stays down until somebody starts it. Raises as `restart` does."""
        with self._turn:
            self._refuse_when_closed()
            self._stop(Asked.PERSON)

    def start(self) -> None:
        """Start it for a person, unless it runs. Raises as `restart` does."""
        with self._turn:
            self._refuse_when_closed()
            self.look()
            if self._process is None:
                self._start()

    def close(self, refusal: RuntimeProblem) -> None:
        """End it with the agent; whatever is asked for afterwards is refused with this. Raises RuntimeUnavailable."""
        with self._turn:
            self._refusal = refusal
            self.look()
            if self._process or self._ledger.record.ended_by_shutdown(self._clock()):
                self._stop(Asked.AGENT)

    def retire(self, refusal: RuntimeProblem) -> None:
        """End it for good. Its name may mean another target from now on: nothing more is written down of this one."""
        self.close(refusal)
        with self._facts:
            self._ledger.retire()

    # What is seen of it

    def look(self) -> None:
        """Note the end of the process once it has ended, and clear away what it left behind."""
        process = self._process
        if process is None or not process.ended():
            return
        with self._facts:
            if self._process is not process:  # somebody else has noted it
                return
            self._ledger.note(self._ledger.record.ended(self._clock(), process.exit_code))
            self._process = self._meter = None
            if self._check:
                self._check.stop()
            if not process.family.sweep():
                _log.warning("%s has left processes behind that do not end", self.ref.name)

    def state(self, with_usage: bool) -> TargetState:
        """Observe it now. With usage it is looked at closely, maybe to be acted on: so the log gets a mark."""
        self.look()
        if with_usage:
            self.output.mark()
        with self._facts:
            record, process, check = self._ledger.record, self._process, self._check
        return state_of(
            self.defined,
            record,
            at=self._clock(),
            alive=process is not None,
            paused=process is not None and process.paused,
            standing=check.standing if check else None,
            usage=self.usage() if with_usage else None,
        )

    def usage(self) -> Usage | None:
        """Sample CPU and memory; None where it does not run."""
        meter = self._meter
        usage = meter.sample(self._clock()) if meter else None
        self.look()
        return usage if self._meter is meter else None

    def begun(self, since: datetime) -> bool:
        """Tell whether a stop or restart has been begun at or after this moment."""
        return self._ledger.record.begun_since(since)

    def happenings(self, since: datetime) -> Sequence[str]:
        return tuple(str(happening) for happening in self._ledger.record.happenings if happening.at >= since)

    def watch(self) -> None:
        """What the supervisor does again and again: marks, samples, the memory limit, unsaved facts."""
        self.output.mark(MARK_SECONDS)
        self.output.trim()
        self.look()
        meter, process = self._meter, self._process
        if meter and process:
            meter.note()
            self._enforce(meter, process)
            self._note_pause(process)
        with self._facts:
            health = self._check.standing.status if self._check and self._process else self._noted_health
            if health is not self._noted_health:
                self._noted_health = health
                self._ledger.note(self._ledger.record.noting(self._clock(), f"health_status: {health}"))
                self._tell(health_change(self.ref, health, self._clock()))
            else:
                self._ledger.catch_up()

    # How it is done

    def _refuse_when_closed(self) -> None:
        if self._refusal:
            raise self._refusal

    def _find_process(self) -> None:
        record = self._ledger.record
        if record.phase not in {Phase.RUNNING, Phase.STOPPING} or record.pid is None or record.create_time is None:
            return
        process = MainProcess.take_over(record.pid, record.create_time, record.run)
        ran = self._journal.has_run(self.ref.name, record.run)
        if process and not ran:  # its agent has just died, with the gate open or closed: that is about to show
            process.wait(GATE_SECONDS)
            ran = self._journal.has_run(self.ref.name, record.run)
        with self._facts:
            if process and not process.ended():
                self._ledger.note(record.noting(self._clock(), f"taken over from an earlier agent (pid {process.pid})"))
                self._attach(process)
                return
            self._ledger.note(record.ended(self._clock(), None) if ran else record.never_ran())
        sweep_run(record.pid, record.run)

    def _stop(self, asked: Asked, change: Callable[[Record], Record] = lambda record: record) -> None:
        self.look()
        with self._facts:
            process = self._process
            self._ledger.intend(change(self._ledger.record).stopping(self._clock(), asked, running=process is not None))
        if process is None:
            return
        process.terminate()
        if not process.wait(self.spec.stop_timeout):
            with self._facts:
                self._ledger.note(
                    self._ledger.record.noting(self._clock(), f"kill (signal 9, {self.spec.stop_timeout:g} s later)")
                )
            process.family.kill()
            if not process.wait(KILL_SECONDS):
                raise RuntimeUnavailable(f"{self.ref.name}: process {process.pid} does not end, not even by SIGKILL.")
        self.look()

    def _start(self) -> None:
        now, run = self._clock(), secrets.token_hex(8)
        try:
            with self.output.opened() as output:
                process = MainProcess.spawn(self.spec, run, output)
        except OSError as error:
            with self._facts:
                self._ledger.note(self._ledger.record.not_started(now, str(error)))
            raise RuntimeUnavailable(f"{self.ref.name} could not be started: {error}.") from error
        with self._facts:
            try:
                self._ledger.intend(self._ledger.record.starting(now, run, process.pid, process.create_time))
            except RuntimeUnavailable:
                process.family.kill()  # it waits at its gate still: nothing has run
                process.wait(KILL_SECONDS)
                raise
            self._attach(process)
        process.release(self._journal.mark(self.ref.name))

    def _attach(self, process: MainProcess) -> None:
        self._process = process
        self._meter = Meter(process.family, self.spec.limits)
        self._noted_health = Health.STARTING
        self._noted_pause = False
        if self.spec.health_url:
            self._check = HealthCheck(self.spec.health_url, self.spec, self._clock)
            self._check.start()

    def _enforce(self, meter: Meter, process: MainProcess) -> None:
        """Do what the kernel does to a container. The processes of a run go together: half a service heals nothing."""
        limit, used = self.spec.limits.memory_bytes, meter.memory_bytes()
        if limit is None or used <= limit:
            return
        with self._facts:
            if self._process is not process:
                return
            if not self._ledger.record.oom_killed:
                self._ledger.note(self._ledger.record.killing_for_memory(self._clock(), used, limit))
        process.family.kill()

    def _note_pause(self, process: MainProcess) -> None:
        with self._facts:
            paused = process.paused
            if self._process is process and paused is not self._noted_pause:
                self._noted_pause = paused
                self._ledger.note(
                    self._ledger.record.noting(self._clock(), "pause (SIGSTOP)" if paused else "unpause (SIGCONT)")
                )
                self._tell(pause_change(self.ref, paused, self._clock()))
