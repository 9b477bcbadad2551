"""Alarm: each trouble is reported once, and the first cause before what follows from it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from aegis_core.domain.correlation import CONSEQUENCES, cause_of
from aegis_core.domain.policy import forbidden, quarantined_until
from aegis_core.domain.signal import Fault, Signal
from aegis_core.domain.symptom import Symptom, steady_seconds
from aegis_core.domain.target import Health, RunState, TargetState
from aegis_core.errors import RuntimeProblem, StoreError
from aegis_core.ports import EvidenceSource

from .detect import SENSOR
from .tools import Tools

STALE_AFTER: Final = timedelta(minutes=10)  # what ended longer ago than this was not left lying for us
SECOND_LOOK: Final = 1.0  # seconds after a crash was suspected; a restart policy, or our own restart, has acted by then
HELD: Final = timedelta(seconds=5)  # between two questions for the cause of what is held back
LONGEST_HOLD: Final = timedelta(minutes=10)  # after which a cause that is still there has been given up
REVIEW: Final = timedelta(seconds=30)  # between two questions whether a quarantine is over
RECOVERY: Final = timedelta(seconds=35)  # to follow a cause that is well again: Docker checks health every 30 s

Place = tuple[str, str]  # the name of a target, and which kind of look showed the symptom

log = structlog.get_logger("watch")


class _Hold(NamedTuple):
    by: str  # the target that has to get well first
    since: datetime
    at: datetime  # when that target was ill, for the last time


class _Review(NamedTuple):
    at: datetime
    quarantined: bool


class Alarm:
    """Decides what of all that was noticed becomes a signal. For one thread."""

    def __init__(
        self,
        source: EvidenceSource,
        tools: Tools,
        report: Callable[[Signal], object],
        look_soon: Callable[[str, float], None],
    ) -> None:
        """`look_soon` is asked to have the target of a name judged again in so many seconds."""
        self._source, self._tools, self._report, self._look_soon = source, tools, report, look_soon
        self._reported: dict[Place, Symptom] = {}
        self._suspected: dict[Place, Symptom] = {}
        self._held: dict[Place, _Hold] = {}
        self._reviews: dict[Place, _Review] = {}

    def judge(self, kind: str, state: TargetState, symptom: Symptom | None) -> None:
        """Report a symptom once; the same one again only after it has been away, or was in quarantine."""
        if forbidden(state, self._tools.policy):
            return
        place = (state.ref.name, kind)
        if symptom is None:
            self._away(place, state)
            return
        suspected, reported = self._suspected.get(place), self._reported.get(place)
        self._suspected[place] = symptom
        if reported and reported.identity == symptom.identity:
            if self._is_released(place, state):
                self._tell(place, state, symptom, again=True)
            return
        if symptom.certain or (suspected and suspected.identity == symptom.identity):
            self._tell(place, state, symptom)
        else:
            self._look_soon(state.ref.name, SECOND_LOOK)

    def keep(self, names: set[str]) -> None:
        """Forget all but the targets of these names."""
        for places in (self._reported, self._suspected, self._held, self._reviews):
            for place in [place for place in places if place[0] not in names]:
                del places[place]

    def _away(self, place: Place, state: TargetState) -> None:
        self._suspected.pop(place, None)
        if state.running and state.health is not Health.STARTING:  # one that only just starts may follow its cause yet
            self._held.pop(place, None)
        reported = self._reported.get(place)
        if reported and not self._still_loops(reported, state):
            del self._reported[place]
            self._reviews.pop(place, None)

    def _is_released(self, place: Place, state: TargetState) -> bool:
        """Tell whether a quarantine in which this trouble was is over by now: then it is tried anew."""
        last, now = self._reviews.get(place), self._tools.clock()
        if last and now - last.at < REVIEW:
            return False
        try:
            around = self._tools.around(state.ref.name, state)
        except StoreError:
            return False
        until = quarantined_until(around.history, around.standing, self._tools.policy)
        self._reviews[place] = _Review(now, until is not None and now < until)
        return last is not None and last.quarantined and not self._reviews[place].quarantined

    def _still_loops(self, reported: Symptom, state: TargetState) -> bool:
        """Between two crashes a target looks well: a loop is over when it has been up as long as its heal takes."""
        if reported.fault is not Fault.CRASH_LOOP:
            return False
        up = (state.at - state.started_at).total_seconds() if state.running and state.started_at else 0.0
        return up < steady_seconds(reported.fault, reported.metrics, self._tools.verification.stability_seconds)

    def _tell(self, place: Place, state: TargetState, symptom: Symptom, again: bool = False) -> None:
        if symptom.fault in CONSEQUENCES and self._is_held(place, state, symptom):
            return
        try:
            if again or not self._stale(symptom.since):
                self._report(symptom.signal(state, SENSOR))
            self._reported[place] = symptom
            self._held.pop(place, None)
        except StoreError as error:
            log.warning("a symptom could not be stored; it is reported again", error=str(error))

    def _stale(self, since: datetime | None) -> bool:
        return since is not None and self._tools.clock() - since > STALE_AFTER

    # First cause before consequence

    def _is_held(self, place: Place, state: TargetState, symptom: Symptom) -> bool:
        """Hold back what follows from another target's trouble; that one is looked at, and reported by itself.

        When the cause is well again, what runs gets time to follow it. What is left then is a trouble of its own, and
        so is what nobody could help for long.
        """
        now, held = self._tools.clock(), self._held.get(place)
        if held and now - held.since > LONGEST_HOLD:
            return False
        if held and now - held.at < HELD:
            return True
        cause = self._cause(state)
        if cause:
            if held is None:
                log.info("held back", target=state.ref.name, fault=symptom.fault, because_of=cause)
            self._held[place] = _Hold(cause, held.since if held else now, now)
            self._look_soon(cause, 0.0)
            return True
        return held is not None and state.running and now - held.at < RECOVERY

    def _cause(self, state: TargetState) -> str | None:
        """Name the target because of which this one fails: one that Aegis may heal, and that does not wait for it.

        What ended long ago is not healed by Aegis, and whoever ran on without it does not fail because of it.
        """
        try:
            neighbours = self._source.neighbours(state.ref)
        except RuntimeProblem:
            return None
        cause = cause_of([one for one in neighbours if not self._long_gone(one.state)])
        if cause is None or forbidden(cause.state, self._tools.policy):
            return None
        name = cause.state.ref.name
        return None if self._waits(name, for_name=state.ref.name) else name

    def _long_gone(self, state: TargetState) -> bool:
        return state.run in (RunState.EXITED, RunState.DEAD) and self._stale(state.finished_at)

    def _waits(self, name: str, for_name: str) -> bool:
        """Tell whether a target is held back because of the other one, directly or in turn."""
        causes = {target: hold.by for (target, _), hold in self._held.items()}
        for _ in causes:
            name = causes.get(name, "")
            if name == for_name:
                return True
        return False
