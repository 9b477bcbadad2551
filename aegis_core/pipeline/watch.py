"""Watch: listen to the runtime, look at the targets, measure them; report what has gone wrong, once.

What the runtime tells wakes the watcher at once; a list every few seconds finds what was missed. One thread listens,
one measures (an engine may take a second for that), and one works, so that it waits for neither; everybody else reads
`Sightings`.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

import structlog

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.forecast import forecast, leak_of
from aegis_core.domain.lograte import PATTERN_LABEL, LogRate
from aegis_core.domain.policy import forbidden
from aegis_core.domain.signal import Fault, Signal
from aegis_core.domain.symptom import Symptom, loop_of, pressure_of, symptom_of, thresholds_of
from aegis_core.domain.target import TargetRef, TargetState, Usage, opted_in
from aegis_core.errors import AegisError, RuntimeProblem
from aegis_core.ports import Effector, EvidenceSource, Sensor

from .agenda import Agenda
from .alarm import SECOND_LOOK, Alarm
from .sightings import Sightings
from .tools import Tools

FIRST_LOOK: Final = 0.1
ASKED_MARGIN: Final = timedelta(seconds=5)  # beyond its stop timeout in which an end counts as asked for
LOG_SECONDS: Final = 5.0
LONGEST_PAUSE: Final = 10.0  # within which whatever the runtime did not tell is found (DESIGN: reconcile)
PAUSE_PER_TARGET: Final = 0.03  # seconds: 200 targets are looked at every 6 s
RECONNECT_SECONDS: Final = 1.0

log = structlog.get_logger("watch")


@dataclass(frozen=True)
class Sample:
    """What was measured of a target, if anything could be."""

    state: TargetState
    usage: Usage | None


@dataclass(frozen=True)
class Eyes:
    """What the watcher sees with."""

    sensor: Sensor
    source: EvidenceSource
    effector: Effector


class Watcher:
    """Notices; what it reports becomes a signal."""

    def __init__(
        self, eyes: Eyes, tools: Tools, every: float, report: Callable[[Signal], object], sightings: Sightings
    ) -> None:
        self._eyes, self._tools, self._every, self._sightings = eyes, tools, every, sightings
        self._told: SimpleQueue[Change | Sample | None] = SimpleQueue()  # None: the round is measured
        self._wanted: SimpleQueue[Sequence[TargetState]] = SimpleQueue()
        self._agenda = Agenda(time.monotonic)
        self._alarm = Alarm(eyes.source, tools, report, self._look_soon)
        self._deaths: dict[str, deque[datetime]] = {}
        self._asked: dict[str, datetime] = {}
        self._rates: dict[str, LogRate] = {}
        self._problem = "not looked yet"
        self._threads = [
            Thread(target=self._keep, args=(self.step,), name="watcher", daemon=True),
            Thread(target=self._keep, args=(self._listen,), name="listener", daemon=True),
            Thread(target=self._keep, args=(self._measure,), name="meter", daemon=True),
        ]

    def start(self) -> None:
        self._agenda.add(0.0, self._round)
        self._agenda.every(lambda: LOG_SECONDS, self.read_logs)
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def problem(self) -> str:
        """Why the runtime could not be looked at; empty when it could."""
        return self._problem

    # The three threads

    def _keep(self, doing: Callable[[], None]) -> None:
        """Do it again and again. Whatever breaks is told of, and ends nothing."""
        while not self._tools.stopping.is_set():
            try:
                doing()
                continue
            except AegisError as error:
                if str(error) != self._problem:
                    log.warning("the targets cannot be looked at", error=str(error))
                self._problem = str(error)
            except Exception as error:
                log.exception("a look at the targets broke")
                self._problem = type(error).__name__
            self._tools.stopping.wait(0.1)

    def _listen(self) -> None:
        try:
            for change in self._eyes.sensor.changes(self._tools.stopping):
                self._told.put(change)
        except RuntimeProblem as error:
            log.debug("the runtime tells nothing", error=str(error))
        finally:
            self._tools.stopping.wait(RECONNECT_SECONDS)

    def _measure(self) -> None:
        try:
            wanted = self._wanted.get(timeout=1.0)
        except Empty:
            return
        try:
            for state in wanted:
                self._told.put(Sample(state, self._usage(state)))
        finally:
            self._told.put(None)

    def step(self) -> None:
        """Do what is due, or else wait for what is told, at most until something is due."""
        task = self._agenda.due()
        if task:
            task()
            return
        try:
            told = self._told.get(timeout=min(1.0, self._agenda.pause()))
        except Empty:
            return
        match told:
            case None:
                self._agenda.add(self._pause(), self._round)
            case Sample():
                self._take(told)
            case _:
                self.hear(told)

    # What is told

    def hear(self, change: Change) -> None:
        """Take in one happening: what may be trouble is looked at, at once or as soon as it can be known."""
        if change.target is None:
            self._agenda.add(0.0, self._look_around)
            return
        name = change.target.name
        match change.kind:
            case ChangeKind.UNHEALTHY | ChangeKind.HEALTHY | ChangeKind.OOM:
                self._look_soon(name, 0.0)
            case ChangeKind.STARTED:
                self._asked.pop(change.target.id, None)
                self._look_soon(name, 0.0)
            case ChangeKind.STOPPED:
                self._asked[change.target.id] = change.at
                self._deaths.pop(change.target.id, None)  # whoever asks for an end, or a restart, begins the count anew
            case ChangeKind.DIED:
                self._died(change.target, change)
            case ChangeKind.REMOVED:
                self._agenda.add(0.0, self._look_around)

    def _died(self, target: TargetRef, change: Change) -> None:
        asked = self._asked.get(target.id)
        known = next((state for state, _ in self._sightings.all() if state.ref == target), None)
        patience = timedelta(seconds=known.stop_timeout if known else 10.0) + ASKED_MARGIN
        finished = change.exit_code == 0  # a job under `restart: always` that does its round is no crash loop
        if not finished and (asked is None or change.at - asked > patience):
            self._deaths.setdefault(target.id, deque(maxlen=20)).append(change.at)
        self._look_soon(target.name, FIRST_LOOK)
        self._look_soon(target.name, FIRST_LOOK + SECOND_LOOK)

    def _look_soon(self, name: str, seconds: float) -> None:
        self._agenda.add(seconds, lambda: self.look_at(name))

    # Looking

    def _pause(self) -> float:
        """Seconds to the next complete look: the more targets there are, the more seldom, at the latest after 10 s."""
        return max(self._every, min(LONGEST_PAUSE, PAUSE_PER_TARGET * len(self._sightings.all())))

    def look(self) -> None:
        """List all targets, measure those that opted in, judge each by its state and its samples.

        Raises RuntimeUnavailable.
        """
        for state in self._list():
            self._take(Sample(state, self._usage(state)))

    def _round(self) -> None:
        """List all targets, and have them measured meanwhile; the next round comes a while after that."""
        seen: Sequence[TargetState] = ()
        try:
            seen = self._list()
        finally:
            self._wanted.put(seen)

    def _look_around(self) -> None:
        """List all targets at once, because something may have been missed; measuring keeps its own pace."""
        self._list()

    def _list(self) -> Sequence[TargetState]:
        seen = self._eyes.sensor.targets()
        new = [state for state in seen if not self._sightings.knows_secrets(state)]
        secrets = {state.ref.name: known for state in new if (known := self._secrets(state)) is not None}
        self._sightings.saw(seen, secrets)
        self._problem = ""
        self._forget({state.ref.name for state in seen}, {state.ref.id for state in seen})
        for state in seen:
            self._judge_state(state)
        return seen

    def _forget(self, names: set[str], ids: set[str]) -> None:
        """Drop what was kept about targets that are gone."""
        self._alarm.keep(names)
        kept: dict[str, Any]
        for kept in (self._deaths, self._asked, self._rates):
            for target_id in kept.keys() - ids:
                del kept[target_id]

    def look_at(self, name: str) -> None:
        """Look at one target. Raises RuntimeUnavailable."""
        state = self._eyes.effector.find(name)
        if state is not None:
            self._sightings.saw_one(state, None if self._sightings.knows_secrets(state) else self._secrets(state))
            self._judge_state(state)

    def _secrets(self, state: TargetState) -> frozenset[str] | None:
        """Ask for what has to be masked; None where there was no answer: then it is asked again at the next look."""
        try:
            return self._eyes.source.secrets(state.ref)
        except RuntimeProblem:
            return None

    def _usage(self, state: TargetState) -> Usage | None:
        if not state.running or not opted_in(state.labels, self._tools.policy.watch):
            return None
        try:
            return self._eyes.sensor.usage(state.ref)
        except RuntimeProblem as error:
            log.debug("no sample", target=state.ref.name, error=str(error))
            return None

    def _take(self, sample: Sample) -> None:
        """Judge what was measured by the state as it is now: measuring takes a while."""
        state = self._sightings.newest(sample.state.ref)
        if state and sample.usage:
            self._sightings.measured(state.ref.name, sample.usage)
            self._judge_samples(state)

    def read_logs(self) -> None:
        """Count the telling log lines of the targets whose owner asked for it by label."""
        now = self._tools.clock()
        for state, _ in self._sightings.all():
            pattern = state.labels.get(PATTERN_LABEL)
            if pattern is None or not state.running or forbidden(state, self._tools.policy):
                continue
            rate = self._rates.setdefault(state.ref.id, LogRate(now))
            if rate.since < now:
                self._alarm.judge("log", state, self._outbreak(state, rate, pattern, now))

    def _outbreak(self, state: TargetState, rate: LogRate, pattern: str, now: datetime) -> Symptom | None:
        if not self._sightings.knows_secrets(state):
            return None  # what cannot be masked is not read
        try:
            lines = rate.exceeded(self._eyes.source.logs(state.ref, since=rate.since), pattern, now)
        except RuntimeProblem:
            return None
        if not lines:
            return None
        metrics = {"error_lines": float(len(lines))}
        return Symptom(fault=Fault.ERROR_LOGS, target_id=state.ref.id, since=None, metrics=metrics, told=lines[-20:])

    # Judging

    def _judge_state(self, state: TargetState) -> None:
        deaths: Sequence[datetime] = self._deaths.get(state.ref.id, ())
        self._alarm.judge("loop", state, loop_of(state, deaths, self._tools.clock()))
        self._alarm.judge("state", state, symptom_of(state))

    def _judge_samples(self, state: TargetState) -> None:
        usual = self._tools.thresholds
        name, now = state.ref.name, self._tools.clock()
        series, limit = self._sightings.series(name), state.limits.memory_bytes
        hours, lead = self._sightings.hours(name), self._tools.forecast_lead
        self._sightings.foresaw(name, forecast(series, limit, now, hours) if limit else None)
        pressure = pressure_of(state, series, thresholds_of(state.labels, usual))
        self._alarm.judge("pressure", state, pressure or leak_of(state, series, lead, now, hours))
