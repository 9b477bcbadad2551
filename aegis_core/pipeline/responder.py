"""The responder: takes up every incident that has a stage, and runs it to its end.

The order of the stages is told here and nowhere else. Crash recovery is the same thing as the normal way: take up
whatever has a stage.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Condition, Thread
from typing import Final, TypeVar

import structlog

from aegis_core.domain.events import Agent, Draft, EventType, chain
from aegis_core.domain.incident import Incident, Status, fold
from aegis_core.errors import AegisError, Fenced, Interrupted, RuntimeAway, StoreError
from aegis_core.ports import Claim, EventLog, WorkQueue

from .approve import approve
from .deliberate import deliberate
from .diagnose import diagnose
from .hold import hold
from .investigate import investigate
from .learn import learn
from .remediate import intend, remediate
from .tools import Stage, Tools, failed
from .undo import undo
from .verify import verify

STAGES: Final[Mapping[Status, Sequence[Stage]]] = {  # the first one that has something to add
    Status.RECEIVED: (hold, investigate),  # → ANALYZING
    Status.ANALYZING: (hold, investigate, diagnose, deliberate),  # → DECIDED | AWAITING_APPROVAL | FAILED, or rests
    Status.AWAITING_APPROVAL: (approve,),  # when nobody says yes: → FAILED, or rests; a yes → DECIDED
    Status.DECIDED: (intend,),  # → EXECUTING | VERIFYING (NOOP) | FAILED
    Status.EXECUTING: (remediate,),  # → VERIFYING | FAILED
    Status.VERIFYING: (verify, undo),  # → RESOLVED | FAILED | rests, then ANALYZING for the next attempt
}

MOST_STUMBLES: Final = 6  # a stage that breaks this often in a row is given up: 1+2+4+8+16 s of pauses
MOST_ABSENCES: Final = 64  # of the runtime as a whole: a quarter of an hour, for an upgrade takes minutes
MOST_ABSENCE_PAUSE: Final = 15.0
IDLE_SECONDS: Final = 30.0
STORM_CLAIMS: Final = 2  # incidents taken up at a time while signals pour in
STORM_PAUSE: Final = 0.05  # seconds between: together 40 a second, and the rest of the machine is for the intake
STORE_PAUSE: Final = 1.0

Observer = Callable[[Incident, Incident], None]
"""Told of every change of an incident, before and after. It must not raise."""

Written = TypeVar("Written")

log = structlog.get_logger("responder")


class Responder:
    """One dispatcher thread claims incidents, a pool of workers runs their stages."""

    def __init__(self, tools: Tools, events: EventLog, queue: WorkQueue, workers: int, observer: Observer) -> None:
        self._tools = tools
        self._events = events
        self._queue = queue
        self._observer = observer
        self._workers = workers
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="incident")
        self._free = workers
        self._news = Condition()
        self._called = False
        self._stopping = tools.stopping
        self._thread = Thread(target=self._dispatch, name="dispatcher", daemon=True)

    def start(self) -> int:
        """Take back what a dead agent had claimed, and begin; returns how many incidents that were."""
        recovered = self._queue.recover()
        self._thread.start()
        return recovered

    def nudge(self) -> None:
        """Something has come in: look now."""
        with self._news:
            self._called = True
            self._news.notify()

    def stop(self) -> None:
        """Stop claiming and wait for the stages under way; what is unfinished is taken up at the next start."""
        self._stopping.set()
        self.nudge()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            now = self._tools.clock()
            try:
                claims = self._queue.claim(self._room(), now) if self._free else ()
                pause = 0.0 if claims else self._pause(now)
            except StoreError as error:
                log.warning("the store is away; no incident can be taken up", error=str(error))
                claims, pause = (), STORE_PAUSE
            for claim in claims:
                with self._news:
                    self._free -= 1
                self._pool.submit(self._work, claim).add_done_callback(self._ended)
            if self._tools.rush.on:
                self._stopping.wait(STORM_PAUSE)
            elif pause:
                self._wait_for_news(pause)

    def _room(self) -> int:
        """How many incidents to take up now: in a storm only a few at a time, the most urgent first."""
        return min(self._free, STORM_CLAIMS) if self._tools.rush.on else self._free

    def _wait_for_news(self, pause: float) -> None:
        with self._news:
            self._news.wait_for(lambda: self._called, timeout=pause)
            self._called = False

    def _pause(self, looked_at: datetime) -> float:
        """Seconds until the next incident wakes; asked as of the last look, so that none wakes unseen in between."""
        wake = self._queue.next_wake(looked_at)
        if wake is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.05, (wake - self._tools.clock()).total_seconds()))

    def _work(self, claim: Claim) -> None:
        """Run one incident from stage to stage until it is closed, sleeps, or the agent stops."""
        try:
            while not self._stopping.is_set() and self._due(claim.incident):
                claim = self._advance(claim)
        except Fenced as error:
            log.warning("left to the worker that has taken it over", incident=claim.incident.id, error=str(error))
        except Interrupted:
            log.info("left for the next start", incident=claim.incident.id, status=claim.incident.status)
        with suppress(Interrupted):  # a claim that is not given back is taken back at the next start
            self._insist(lambda: self._queue.release(claim))

    def _ended(self, work: Future[None]) -> None:
        """A worker is free again. An incident whose events cannot even be written is not tried for ever, but kept."""
        with self._news:
            self._free += 1
        if not work.cancelled() and work.exception():
            log.error("an incident is left as it is until the next start", exc_info=work.exception())
        self.nudge()

    def _due(self, incident: Incident) -> bool:
        awake = incident.wake_at is None or incident.wake_at <= self._tools.clock()
        return incident.status in STAGES and awake

    def _advance(self, claim: Claim) -> Claim:
        """Run the stage that is next. What breaks is written down and tried again with growing pauses."""
        incident = claim.incident
        for stage in STAGES[incident.status]:
            try:
                drafts = stage(incident, self._tools)
                if drafts:
                    return self._commit(claim, drafts)
            except (Interrupted, Fenced):
                raise
            except RuntimeAway as error:
                log.warning("the runtime is away", stage=stage.__name__, incident=incident.id, error=str(error))
                return self._commit(claim, self._absent(incident, stage, str(error)))
            except AegisError as error:
                log.warning("stage broke", stage=stage.__name__, incident=incident.id, error=str(error))
                return self._commit(claim, self._broke(incident, stage, str(error)))
            except Exception as error:
                log.exception("stage broke unexpectedly", stage=stage.__name__, incident=incident.id)
                return self._commit(claim, self._broke(incident, stage, f"{type(error).__name__} in {stage.__name__}"))
        return self._commit(claim, (failed(Agent.RESOLUTION, f"No stage has anything to do in {incident.status}."),))

    def _broke(self, incident: Incident, stage: Stage, reason: str) -> Sequence[Draft]:
        if incident.stumbles + 1 >= MOST_STUMBLES:
            return _given_up(stage, MOST_STUMBLES, reason)
        return self._later(stage, reason, 2**incident.stumbles)

    def _absent(self, incident: Incident, stage: Stage, reason: str) -> Sequence[Draft]:
        if incident.absences + 1 >= MOST_ABSENCES:
            return _given_up(stage, MOST_ABSENCES, reason)
        return self._later(stage, reason, min(2**incident.absences, MOST_ABSENCE_PAUSE), away=True)

    def _later(self, stage: Stage, reason: str, seconds: float, away: bool = False) -> Sequence[Draft]:
        until = self._tools.clock() + timedelta(seconds=seconds)
        data = {"stage": stage.__name__, "reason": reason, "until": until.isoformat(), "away": away}
        return (Draft(type=EventType.STAGE_FAILED, agent=Agent.RESOLUTION, data=data),)

    def _commit(self, claim: Claim, drafts: Sequence[Draft]) -> Claim:
        """Append what happened, with the lesson where it closes the incident."""
        now = self._tools.clock()
        before = claim.incident
        ahead = fold(chain(drafts, before.id, now, before.version, before.head), before)
        lessons = learn(ahead) if ahead.closed else ()
        after = self._insist(lambda: self._events.append(claim, [*drafts, *lessons], now))
        self._observer(before, after.incident)
        return after

    def _insist(self, write: Callable[[], Written]) -> Written:
        """Write, and wait for a store that is away: what happened is kept until it can be written."""
        while True:
            try:
                return write()
            except StoreError as error:
                if not error.transient:
                    raise
                log.warning("the store is away; waiting for it", error=str(error))
                self._tools.wait(STORE_PAUSE)


def _given_up(stage: Stage, tries: int, reason: str) -> Sequence[Draft]:
    return (failed(Agent.RESOLUTION, f"Given up after {tries} tries to {stage.__name__}: {reason}"),)
