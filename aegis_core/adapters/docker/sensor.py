"""What can be seen of the containers of a Docker engine, cheaply enough to look every few seconds."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from aegis_core.domain.target import TargetRef, TargetState, Usage, Watch, opted_in
from aegis_core.errors import RuntimeUnavailable, TargetGone
from aegis_core.ports import Clock

from .client import Engine, answered_with, translated
from .containers import Containers
from .listing import Item, from_listing, listed_name, out_of_sight, settled
from .meter import Meter
from .state import Inspection
from .stops import Stops

_FRESH: Final = timedelta(seconds=55)  # under the minute that `settled` speaks of


class _Seen(NamedTuple):
    look: tuple[Any, ...]  # what the list said of it
    at: datetime
    inspection: Inspection


class DockerSensor:
    """Lists with one call, and inspects only those that opted in (or all) and have changed."""

    def __init__(
        self,
        engine: Engine,
        containers: Containers,
        meter: Meter,
        stops: Stops,
        clock: Clock,
        *,
        inspect_all: bool,
        also: Callable[[Item], bool] = lambda _: False,
    ) -> None:
        """`also` tells which listed containers are inspected besides, and measured."""
        self._engine = engine
        self._containers = containers
        self._meter = meter
        self._stops = stops
        self._clock = clock
        self._also = also
        self._watch = Watch.ALL if inspect_all else Watch.LABELED
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def targets(self) -> Sequence[TargetState]:
        """List every container; those that did not opt in only as far as the list tells. Raises RuntimeUnavailable."""
        with translated("listing the containers"):
            listed = [dict(item) for item in self._engine.containers(all=True)]
        items = [item for item in listed if not out_of_sight(listed_name(item))]
        self._forget_all_but({item["Id"] for item in items})
        states = [state for state in map(self._state, items) if state]
        running = (self._fresh(state.ref.id) for state in states if state.running)
        self._meter.begin_round([seen.inspection for seen in running if seen])
        return states

    def usage(self, target: TargetRef) -> Usage | None:
        """Sample CPU and memory; CPU needs two samples within a minute. Raises TargetGone, RuntimeUnavailable.

        After a call of `targets` the samples of all running targets are taken at once, and each is there to be asked
        for. Where there are very many, the last sample is given again until its turn comes.
        """
        seen = self._fresh(target.id)
        return self._meter.of_round(seen.inspection if seen else self._containers.inspected(target.id, target.name))

    def look_anew(self, container: str) -> None:
        """Believe nothing that was seen of a container: its limits have been changed, which the list does not show."""
        self._meter.drop(container)
        with self._lock:
            self._seen.pop(container, None)

    def _state(self, item: Item) -> TargetState | None:
        if not (opted_in(item.get("Labels") or {}, self._watch) or self._also(item)):
            return from_listing(item, self._clock())
        try:
            return self._containers.described(self._inspected(item))
        except TargetGone:
            return None  # removed since it was listed
        except RuntimeUnavailable as problem:
            if answered_with(problem) is None:
                raise
            # A container that the engine cannot describe (its files are damaged) must not hide all the others.
            return from_listing(item, self._clock())

    def _inspected(self, item: Item) -> Inspection:
        look = (item.get("Names"), item["State"], item.get("Status"))
        seen = self._fresh(item["Id"])
        if seen and seen.look == look and settled(item):
            return seen.inspection
        inspection = self._containers.inspected(item["Id"], from_listing(item, self._clock()).ref.name)
        with self._lock:
            self._seen[item["Id"]] = _Seen(look, self._clock(), inspection)
        return inspection

    def _fresh(self, container: str) -> _Seen | None:
        with self._lock:
            seen = self._seen.get(container)
        return seen if seen and timedelta(0) <= self._clock() - seen.at < _FRESH else None

    def _forget_all_but(self, listed: set[str]) -> None:
        self._meter.keep(listed)
        self._stops.keep(listed)
        with self._lock:
            for gone in self._seen.keys() - listed:
                del self._seen[gone]
