"""Watch: look at all targets again and again; remember what was measured, and notice what has gone wrong."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock, Thread
from typing import Final

import structlog

from aegis_core.domain.policy import forbidden
from aegis_core.domain.signal import Severity, Signal
from aegis_core.domain.symptom import Symptom, symptom_of
from aegis_core.domain.target import TargetState, Usage, opted_in
from aegis_core.errors import AegisError, RuntimeProblem, StoreError
from aegis_core.ports import EvidenceSource, Sensor

from .tools import Tools

SAMPLES: Final = 180
STALE_AFTER: Final = timedelta(minutes=10)  # what ended longer ago than this was not left lying for us

log = structlog.get_logger("watch")


@dataclass
class Watched:
    """What is known of one target: its newest state and its samples, oldest first. Secrets are None until known."""

    state: TargetState
    secrets: frozenset[str] | None
    series: deque[Usage] = field(default_factory=lambda: deque(maxlen=SAMPLES))


class Watcher:
    """Polls the sensor from one thread; everybody else reads what it has seen."""

    def __init__(
        self, sensor: Sensor, source: EvidenceSource, tools: Tools, every: float, report: Callable[[Signal], object]
    ) -> None:
        self._sensor, self._source, self._tools = sensor, source, tools
        self._every, self._report = every, report
        self._lock = Lock()
        self._known: dict[str, Watched] = {}
        self._reported: dict[str, Symptom] = {}
        self._suspected: dict[str, Symptom] = {}
        self._problem = "not looked yet"
        self._thread = Thread(target=self._loop, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    @property
    def problem(self) -> str:
        """Why the runtime could not be looked at; empty when it could."""
        return self._problem

    def targets(self) -> Sequence[tuple[TargetState, Sequence[Usage]]]:
        """Return the newest state of every target with its samples."""
        with self._lock:
            return [(one.state, tuple(one.series)) for one in self._known.values()]

    def secrets_of(self, name: str) -> frozenset[str]:
        """Return the environment values of a target that has been seen; none for one that has not."""
        with self._lock:
            one = self._known.get(name)
        return (one.secrets if one else None) or frozenset()

    def _loop(self) -> None:
        while not self._tools.stopping.is_set():
            try:
                self.look()
                self._problem = ""
            except AegisError as error:
                if str(error) != self._problem:
                    log.warning("the targets cannot be looked at", error=str(error))
                self._problem = str(error)
            except Exception as error:
                log.exception("a look at the targets broke")
                self._problem = type(error).__name__
            self._tools.stopping.wait(self._every)

    def look(self) -> None:
        """Look once: update what is known and report new symptoms. Raises RuntimeUnavailable."""
        seen = [self._measured(state) for state in self._sensor.targets()]
        secrets = [self._secrets(state) for state in seen]  # nobody waits for the runtime while the lock is held
        with self._lock:
            merged = [self._merged(*one) for one in zip(seen, secrets, strict=True)]
            self._known = {one.state.ref.name: one for one in merged}
        for state in seen:
            self._judge(state)

    def _measured(self, state: TargetState) -> TargetState:
        if not state.running or not opted_in(state.labels, self._tools.policy.watch):
            return state
        try:
            return state.model_copy(update={"usage": self._sensor.usage(state.ref)})
        except RuntimeProblem as error:
            log.debug("no sample", target=state.ref.name, error=str(error))
            return state

    def _secrets(self, state: TargetState) -> frozenset[str] | None:
        """Ask once for each target (a new id is a new one), and again at the next look where there was no answer."""
        old = self._known.get(state.ref.name)
        if old and old.state.ref == state.ref and old.secrets is not None:
            return old.secrets
        try:
            return self._source.secrets(state.ref)
        except RuntimeProblem:
            return None

    def _merged(self, state: TargetState, secrets: frozenset[str] | None) -> Watched:
        one, old = Watched(state, secrets), self._known.get(state.ref.name)
        if old:
            one.series = old.series
        if state.usage:
            one.series.append(state.usage)
        return one

    def _judge(self, state: TargetState) -> None:
        """Report a symptom once; the same one again only after it has been away.

        It has to show in two looks in a row: between the two halves of a restart a target looks crashed.
        """
        if forbidden(state, self._tools.policy):
            return
        name, symptom = state.ref.name, symptom_of(state)
        if symptom is None:
            self._reported.pop(name, None)
            self._suspected.pop(name, None)
        elif symptom != self._suspected.get(name):
            self._suspected[name] = symptom
        elif symptom != self._reported.get(name):
            self._tell(state, symptom)

    def _tell(self, state: TargetState, symptom: Symptom) -> None:
        try:
            if not self._stale(symptom):
                self._report(self._signal(state, symptom))
            self._reported[state.ref.name] = symptom
        except StoreError as error:
            log.warning("a symptom could not be stored; it is reported again", error=str(error))

    def _stale(self, symptom: Symptom) -> bool:
        return symptom.since is not None and self._tools.clock() - symptom.since > STALE_AFTER

    def _signal(self, state: TargetState, symptom: Symptom) -> Signal:
        return Signal(
            target=state.ref.name,
            fault=symptom.fault,
            severity=Severity.CRITICAL,
            at=state.at,
            source="sensor",
            alert_type=symptom.fault,
            metrics=symptom.metrics,
        )
