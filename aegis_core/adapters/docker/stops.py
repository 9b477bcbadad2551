"""Was it a person who stopped or paused the container?

Aegis respects what a person stopped, so that this is answered with care, and from the best there is:

1. paused → yes: nothing but a person's command pauses a container (the moment of a `docker commit` apart).
2. exited, and the last start failed (`State.Error`) or the end lies in a restart that Aegis began → no.
3. exited, and the engine remembers the end: asked for by API (`docker stop`, `docker kill`, `docker compose stop`) →
   yes; ended by itself, crashed or killed by the kernel → no. Who used the API cannot be known: any other tool counts
   as a person.
4. exited, and the engine has forgotten (it was restarted, or 256 newer events came): yes where its restart policy
   would have started it again by itself; no after an OOM kill; else yes for the exit codes of an orderly stop.
5. running, and somebody other than Aegis has asked for its end (`under_way`): the engine is still waiting for it.

Limits: containers without a restart policy that were stopped together with the engine look like those that a person
stopped (rule 4); the one that ended with SIGKILL long after a forgotten `docker stop` looks like a crash.
"""

import threading
from collections.abc import Set
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from aegis_core.ports import Clock

from .client import Engine
from .past import Ending, ending, happenings
from .state import Inspection, moment, restart_policy, stop_signal, stop_timeout

# Longer than the engine takes to say that a process has ended, and than people wait with `docker stop --time`.
_MARGIN: Final = timedelta(seconds=30)


class _Mark(NamedTuple):
    """A restart that Aegis began: which run it was to end, and by when that has happened if at all."""

    started_at: str
    until: datetime


class Stops:
    """Answers for each run of each container once, because the engine soon forgets. Used by many threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._marks: dict[str, _Mark] = {}
        self._answers: dict[str, tuple[str, bool]] = {}  # container id → (FinishedAt, the answer)

    def by_person(self, inspection: Inspection) -> bool:
        """Tell whether a person stopped or paused this container. Raises RuntimeUnavailable."""
        state = inspection["State"]
        if state["Status"] != "exited":
            return bool(state["Status"] == "paused")
        if state.get("Error") or self._in_own_restart(inspection):
            return False
        with self._lock:
            known = self._answers.get(inspection["Id"])
        if known and known[0] == state["FinishedAt"]:
            return known[1]
        answer = self._judge(inspection)
        with self._lock:
            self._answers[inspection["Id"]] = (state["FinishedAt"], answer)
        return answer

    def under_way(self, inspection: Inspection) -> bool:
        """Tell whether a container that runs is being stopped, and not by Aegis. Raises RuntimeUnavailable.

        What has outlived the signal for longer than any stop takes was not being stopped.
        """
        state, now = inspection["State"], self._clock()
        started, mark = moment(state["StartedAt"]), self._mark(inspection)
        if state["Status"] != "running" or started is None or (mark and now <= mark.until):
            return False
        since = max(started, now - timedelta(seconds=stop_timeout(inspection)) - _MARGIN)
        past = happenings(self._engine, inspection["Id"], since, now)
        return any(happening.stops(stop_signal(inspection)) for happening in past if happening.at > started)

    def restart_begins(self, inspection: Inspection) -> None:
        """Remember that the end of the present run will be Aegis' own doing."""
        until = self._clock() + timedelta(seconds=stop_timeout(inspection)) + _MARGIN
        with self._lock:
            self._marks[inspection["Id"]] = _Mark(inspection["State"]["StartedAt"], until)

    def restart_is_over(self, container: str) -> None:
        """Forget the restart: it is done, or was refused."""
        with self._lock:
            self._marks.pop(container, None)

    def keep(self, containers: Set[str]) -> None:
        """Forget all but these container ids."""
        with self._lock:
            for known in (self._marks, self._answers):
                for gone in known.keys() - containers:
                    del known[gone]

    def _in_own_restart(self, inspection: Inspection) -> bool:
        mark, finished = self._mark(inspection), moment(inspection["State"]["FinishedAt"])
        return mark is not None and finished is not None and finished <= mark.until

    def _mark(self, inspection: Inspection) -> _Mark | None:
        """The mark of the restart that was to end this very run."""
        with self._lock:
            mark = self._marks.get(inspection["Id"])
        return mark if mark and mark.started_at == inspection["State"]["StartedAt"] else None

    def _judge(self, inspection: Inspection) -> bool:
        finished = moment(inspection["State"]["FinishedAt"])
        if finished is None:
            return False
        since = finished - timedelta(seconds=stop_timeout(inspection)) - _MARGIN
        past = happenings(self._engine, inspection["Id"], since, max(self._clock(), finished))
        verdict = ending(past, stop_signal(inspection))
        return _guess(inspection) if verdict is Ending.FORGOTTEN else verdict is Ending.ASKED


def _guess(inspection: Inspection) -> bool:
    if restart_policy(inspection) in {"always", "unless-stopped"}:
        return True
    state = inspection["State"]
    orderly = {0, 128 + 15, 128 + stop_signal(inspection)}
    return not state.get("OOMKilled") and state["ExitCode"] in orderly
