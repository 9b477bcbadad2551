"""What has been seen of every target: written by the watcher, read by everybody else."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from aegis_core.domain.definition import differences
from aegis_core.domain.forecast import Forecast
from aegis_core.domain.longseries import LongSeries
from aegis_core.domain.mapping import service_in
from aegis_core.domain.target import TargetRef, TargetState, Usage
from aegis_core.domain.trend import Point

SAMPLES: Final = 180
CHANGES: Final = 10
MOST_GONE: Final = 200  # targets that are gone and still remembered
CHANGED_LATELY: Final = timedelta(hours=24)


@dataclass
class Sighting:
    """One target: its newest state, its samples (oldest first), and how its definition has changed, with times."""

    state: TargetState
    secrets: frozenset[str] | None = None  # None until they are known
    series: deque[Usage] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    changes: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=CHANGES))
    hours: LongSeries = field(default_factory=LongSeries)
    forecast: Forecast | None = None


class Sightings:
    """The memory of the watcher. Safe for many threads; nobody waits for the runtime while holding its lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, Sighting] = {}
        self._gone: dict[str, Sighting] = {}  # by name, so that a recreated target can be compared with the old one

    def all(self) -> Sequence[tuple[TargetState, Sequence[Usage]]]:
        """Return the newest state of every target with its samples."""
        with self._lock:
            return [(one.state, tuple(one.series)) for one in self._known.values()]

    def series(self, name: str) -> Sequence[Usage]:
        """Return the samples of a target since it was started last, oldest first."""
        with self._lock:
            one = self._known.get(name)
            started = one.state.started_at if one else None
            return [sample for sample in one.series if started is None or sample.at >= started] if one else ()

    def target_of(self, name: str) -> str:
        """Return the name of the target that is meant: of the container of a task it is that of its service."""
        with self._lock:
            service = self._known.get(service_in(name) or "")
            return service.state.ref.name if service and service.state.definition and name not in self._known else name

    def secrets_of(self, name: str) -> frozenset[str]:
        """Return the environment values of a target that has been seen; none for one that has not."""
        with self._lock:
            one = self._known.get(name)
            return (one.secrets if one else None) or frozenset()

    def knows_secrets(self, state: TargetState) -> bool:
        """Tell whether this very target has been asked for its secrets already."""
        with self._lock:
            one = self._known.get(state.ref.name)
            return one is not None and one.state.ref == state.ref and one.secrets is not None

    def changed_lately(self, name: str, now: datetime) -> Sequence[str]:
        """Tell how the target's definition has changed within the last day, oldest first."""
        with self._lock:
            one = self._known.get(name)
            told = [(at, text) for at, text in one.changes if now - at < CHANGED_LATELY] if one else []
        return [f"{at:%H:%M:%S} {text}" for at, text in told]

    def saw(self, states: Sequence[TargetState], secrets: Mapping[str, frozenset[str]]) -> None:
        """Take in a complete list of the targets, with the secrets of those that were asked."""
        with self._lock:
            gone = {name: one for name, one in self._known.items() if name not in {state.ref.name for state in states}}
            self._gone = dict(list({**self._gone, **gone}.items())[-MOST_GONE:])
            self._known = {state.ref.name: self._merged(state, secrets.get(state.ref.name)) for state in states}
            for name in self._known:
                self._gone.pop(name, None)

    def saw_one(self, state: TargetState, secrets: frozenset[str] | None = None) -> None:
        """Take in one target, with its secrets if it was asked for them."""
        with self._lock:
            self._known[state.ref.name] = self._merged(state, secrets)
            self._gone.pop(state.ref.name, None)

    def newest(self, target: TargetRef) -> TargetState | None:
        """Return the newest state of this very target; None where it is no longer seen."""
        with self._lock:
            one = self._known.get(target.name)
            return one.state if one and one.state.ref == target else None

    def measured(self, name: str, usage: Usage) -> None:
        """Take in a sample."""
        with self._lock:
            one = self._known.get(name)
            if one is None:
                return
            one.state = one.state.model_copy(update={"usage": usage})
            if not one.series or one.series[-1] != usage:  # of very many targets, the last sample is given again
                one.series.append(usage)
                one.hours.add(usage)

    def hours(self, name: str) -> Sequence[Point]:
        """Return one sample a minute of the target's memory since it was started last: (POSIX seconds, bytes)."""
        with self._lock:
            one = self._known.get(name)
            return one.hours.points(since=one.state.started_at) if one else ()

    def foresaw(self, name: str, forecast: Forecast | None) -> None:
        """Take in when the target's memory will reach its limit; None where it will not."""
        with self._lock:
            if name in self._known:
                self._known[name].forecast = forecast

    def forecast(self, name: str) -> Forecast | None:
        """Return when the target's memory will reach its limit, as the newest samples tell."""
        with self._lock:
            one = self._known.get(name)
            return one.forecast if one else None

    def _merged(self, state: TargetState, secrets: frozenset[str] | None) -> Sighting:
        old = self._known.get(state.ref.name) or self._gone.get(state.ref.name)
        if old is None:
            return Sighting(state, secrets)
        same = old.state.ref == state.ref
        usage = state.usage or (old.state.usage if same and state.running else None)
        if secrets is None and same:
            secrets = old.secrets
        one = Sighting(state.model_copy(update={"usage": usage}), secrets)
        one.series, one.hours, one.changes = old.series, old.hours, old.changes
        one.forecast = old.forecast if same else None
        one.changes.extend((state.at, text) for text in differences(old.state, state))
        return one
