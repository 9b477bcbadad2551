"""One target, the tools of the stages around it, and nothing real but the stages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aegis_core.domain.events import Draft, Event, EventType, chain
from aegis_core.domain.impact import Rates
from aegis_core.domain.incident import Incident, fold
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.policy import History, Policy
from aegis_core.domain.release import Release
from aegis_core.domain.target import Limits, TargetState
from aegis_core.errors import RunbookError
from aegis_core.pipeline.tools import Tools, Verification
from aegis_core.ports import Filter
from aegis_core.testing import FakeClock, FakeRuntime, MarksRecall, MemoryReleases, StubBrain, StubProber
from tests import examples as make

NAME = "web"
MIB = 2**20
LIMITS = Limits(memory_bytes=128 * MIB, cpus=0.5)
QUICK = Verification(attempts=3, wait_seconds=0.0, limit_seconds=0.05, stability_seconds=10.0)


class MemoryIncidents:
    """As much of the port `Incidents` as the stages ask: one incident as it stands, and a history that a test sets."""

    def __init__(self) -> None:
        self.known: dict[str, Incident] = {}
        self.past = History()

    def get(self, incident_id: str) -> Incident:
        return self.known[incident_id]

    def list(self, wanted: Filter, limit: int, offset: int) -> tuple[Sequence[Incident], int]:
        fitting = {"target": wanted.target, "fault": wanted.fault, "status": wanted.status}
        asked = {key: value for key, value in fitting.items() if value is not None}
        same = [one for one in self.known.values() if all(getattr(one, key) == asked[key] for key in asked)]
        same = [one for one in same if wanted.open in (None, not one.closed)]
        return same[offset : offset + limit], len(same)

    def events(self, incident_id: str) -> Sequence[Event]:
        raise NotImplementedError

    def history(self, target: str) -> History:
        return self.past


class MemoryRunbook:
    """A runbook that lives as long as the test. `problem` is raised as long as it is set."""

    def __init__(self) -> None:
        self.entries: list[Lesson] = []
        self.problem: RunbookError | None = None

    def lessons(self) -> Sequence[Lesson]:
        if self.problem:
            raise self.problem
        return self.entries

    def add(self, lesson: Lesson) -> None:
        self.entries.append(lesson)


class Scene:
    """A target named `web` that runs, has opted in and has a memory limit, unless told otherwise."""

    def __init__(self, **known: Any) -> None:
        self.clock = FakeClock(make.NOON)
        self.runtime = FakeRuntime(self.clock)
        self.brain = StubBrain(make.diagnosis())
        self.prober = StubProber()
        self.runbook = MemoryRunbook()
        self.incidents = MemoryIncidents()
        self.releases = MemoryReleases()
        fields = {"labels": make.LABELS, "limits": LIMITS, "image": "shop/web:1", "stop_timeout": 0.0}
        self.ref = self.runtime.add(NAME, **{**fields, **known})
        self.tools = Tools(
            clock=self.clock,
            born=make.later(-3600),
            sensor=self.runtime,
            effector=self.runtime,
            reverter=self.runtime,
            source=self.runtime,
            prober=self.prober,
            brain=self.brain,
            runbook=self.runbook,
            recall=MarksRecall(self.runbook),
            incidents=self.incidents,
            releases=self.releases,
            policy=Policy(),
            rates=Rates(),
            verification=QUICK,
        )

    def use(self, **changes: Any) -> None:
        """Give the stages other tools."""
        self.tools = replace(self.tools, **changes)

    def state(self) -> TargetState:
        state = self.runtime.find(NAME)
        assert state
        return state

    def knows_release(self, number: int = 1) -> Release:
        """A release that the target ran healthily with, and that is still there to go back to."""
        known = Release(target=NAME, image_id=f"sha256:{number}", image=f"shop/web:{number}", verified_at=self.clock())
        self.runtime.images.add(known.image_id)
        self.releases.note(known)
        return known

    def incident(self, *drafts: Draft, **signal: Any) -> Incident:
        """An incident about the target to which all this has happened already, one event a moment."""
        one = fold(make.events_of(make.received(target=NAME, **signal), at=self.clock()))
        for draft in drafts:
            one = self.after(one, [draft])
        self.incidents.known[one.id] = one
        return one

    def after(self, incident: Incident, drafts: Sequence[Draft]) -> Incident:
        """The incident once a stage's drafts are written."""
        now: datetime = self.clock()
        one = fold(chain(drafts, incident.id, now, incident.version, incident.head), incident)
        self.incidents.known[one.id] = one
        return one


def kinds(drafts: Sequence[Draft]) -> list[EventType]:
    return [draft.type for draft in drafts]
