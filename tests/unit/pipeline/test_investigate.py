"""Gathering evidence: complete where it can be, honest where it cannot, and never with a secret in it."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.case import Case, evidence_of
from aegis_core.domain.change import Neighbour
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.gathering import LOG_LINES, MOST_TEMPLATES, TAIL_LINES
from aegis_core.domain.incident import Incident
from aegis_core.domain.target import Health, RunState, TargetRef, TargetState
from aegis_core.errors import RunbookError, RuntimeProblem, RuntimeUnavailable, TargetGone
from aegis_core.pipeline import investigate as module
from aegis_core.pipeline.investigate import investigate
from aegis_core.testing import FakeRuntime
from tests import examples as make

from .scene import MIB, NAME, Scene, kinds

SECRET = "s3cr3t-of-the-shop"
ENV = {"DB_PASSWORD": SECRET}


def gathered(scene: Scene, incident: Incident | None = None) -> Evidence:
    drafts = investigate(incident or scene.incident(), scene.tools)
    assert kinds(drafts) == [EventType.EVIDENCE_GATHERED]
    evidence = Evidence.model_validate(drafts[0].data["evidence"])
    assert SECRET not in evidence.model_dump_json()
    return evidence


def test_everything_that_is_known_of_the_target_is_gathered() -> None:
    scene = Scene()
    scene.runtime.use(NAME, memory_bytes=120 * MIB, cpu_percent=12.0)
    scene.runtime.say(NAME, "cache grew to 90 MiB")
    scene.runtime.say(NAME, "cache grew to 95 MiB")
    scene.runtime.say(NAME, "ERROR allocation failed")
    evidence = gathered(scene, scene.incident(metrics={"memory_percent": 93.75}))
    assert evidence.target
    assert evidence.target.usage
    assert evidence.target.usage.memory_percent == pytest.approx(93.75)
    assert [(one.count, one.error) for one in evidence.templates if "ready" not in one.example] == [
        (1, True),
        (2, False),
    ]
    assert evidence.tail[-1] == "ERROR allocation failed"
    assert any("start" in text for text in evidence.happenings)
    assert evidence.metrics == {"memory_percent": 93.75}
    assert evidence.missing == ()


class BeingStopped(FakeRuntime):
    """A person's stop is under way: at look number `over_at` it has ended."""

    over_at = 3
    looks = 0

    def find(self, name: str) -> TargetState | None:
        self.looks += 1
        if self.looks == self.over_at:
            self.end(NAME, 0, by_person=True)
        return super().find(name)


def test_a_stop_that_is_under_way_is_waited_for_and_what_it_leaves_is_looked_at() -> None:
    scene = Scene()
    scene.runtime._change(NAME, stopped_by_person=True)  # and it still runs
    scene.runtime.__class__ = BeingStopped
    evidence = gathered(scene)
    assert evidence.target
    assert (evidence.target.run, evidence.target.stopped_by_person) == (RunState.EXITED, True)


def test_a_stop_that_does_not_end_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_PATIENCE", 0.3)
    scene = Scene()
    scene.runtime._change(NAME, stopped_by_person=True)
    evidence = gathered(scene)
    assert evidence.target
    assert (evidence.target.run, evidence.target.stopped_by_person) == (RunState.RUNNING, True)


def test_what_is_gathered_already_is_not_gathered_again() -> None:
    scene = Scene()
    assert investigate(scene.incident(make.gathered()), scene.tools) == ()


def test_after_a_rest_it_is_gathered_anew_with_what_was_tried() -> None:
    scene = Scene()
    rested = scene.incident(
        make.gathered(), make.intended(), make.executed(), make.verified(healthy=False), make.rested(make.later(60))
    )
    assert gathered(scene, rested).tried == ("RESTART: not healthy afterwards (running: as seen)",)


def test_a_target_that_is_not_there_is_named_and_what_was_reported_is_kept() -> None:
    scene = Scene()
    scene.runtime.remove(NAME)
    evidence = gathered(scene, scene.incident(logs=("the last words",)))
    assert evidence.target is None
    assert evidence.missing == ("target: the runtime knows none of this name",)
    assert evidence.tail == ("the last words",)


def test_a_target_that_printed_nothing_is_said_to_have_printed_nothing() -> None:
    scene = Scene()
    scene.use(source=Silent())
    assert gathered(scene).missing == ("logs: the target has printed nothing",)


def test_the_senders_lines_stand_in_where_the_target_printed_nothing() -> None:
    scene = Scene()
    scene.use(source=Silent())
    evidence = gathered(scene, scene.incident(logs=("as reported",)))
    assert (evidence.tail, evidence.missing) == (("as reported",), ())


def test_a_runtime_that_does_not_answer_at_all_is_no_evidence_and_is_asked_again_later() -> None:
    scene = Scene()
    scene.runtime.failures.append(RuntimeUnavailable())
    with pytest.raises(RuntimeUnavailable):
        investigate(scene.incident(), scene.tools)


class Silent:
    """A source of nothing; what it is asked for in `broken` it cannot give."""

    def __init__(self, broken: str = "", problem: RuntimeProblem | None = None) -> None:
        self.broken, self.problem = broken, problem or TargetGone()

    def _answer(self, what: str) -> None:
        if what == self.broken:
            raise self.problem

    def secrets(self, target: TargetRef) -> frozenset[str]:
        self._answer("secrets")
        return frozenset({SECRET})

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        self._answer("logs")
        return ()

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        self._answer("happenings")
        return ()

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        self._answer("neighbours")
        return ()


@pytest.mark.parametrize("broken", ["secrets", "logs", "happenings"])
@pytest.mark.parametrize("problem", [TargetGone(), RuntimeUnavailable(f"GET /?password={SECRET} timed out")])
def test_logs_that_cannot_be_read_are_named_and_the_rest_is_kept(broken: str, problem: RuntimeProblem) -> None:
    scene = Scene()
    scene.use(source=Silent(broken, problem))
    evidence = gathered(scene, scene.incident(logs=("as reported",)))
    assert evidence.target
    assert evidence.missing[0].startswith("logs: ")
    assert evidence.tail == ("as reported",)


def test_a_recorded_log_becomes_the_same_evidence_as_that_of_an_incident() -> None:
    scene = Scene()
    for number in range(300):
        scene.runtime.say(NAME, f"\x1b[31mERROR\x1b[0m order {number} lost, token={number}abcdef{'o' * 3000}")
        scene.runtime.say(NAME, "retrying")
    printed = "\n".join(scene.runtime.logs(scene.ref, tail=1000))
    case = Case(id="c", container=NAME, log=printed, label=Category.UNKNOWN, sensible_action=Action.NOOP)
    recorded, seen = evidence_of(case, make.NOON), gathered(scene)
    assert (recorded.templates, recorded.tail, recorded.name) == (seen.templates, seen.tail, seen.name)
    assert len(seen.templates) > 1


# ---- secrets


def test_secrets_of_the_environment_are_masked_wherever_they_turn_up() -> None:
    scene = Scene(env=ENV)
    scene.runtime.say(NAME, f"cannot log in with {SECRET}")
    scene.runtime.turn(NAME, Health.UNHEALTHY)
    scene.runtime._change(NAME, health_log=(f"curl -u app:{SECRET} refused",))
    evidence = gathered(scene)
    assert "cannot log in with ***" in evidence.tail
    assert evidence.target
    assert evidence.target.health_log == ("curl -u app:*** refused",)


@pytest.mark.parametrize("broken", ["logs", "happenings"])
def test_a_health_log_is_masked_also_where_the_rest_cannot_be_read(broken: str) -> None:
    scene = Scene()
    scene.runtime._change(NAME, health_log=(f"refused {SECRET}",))
    scene.use(source=Silent(broken))
    evidence = gathered(scene)
    assert evidence.target
    assert evidence.target.health_log == ("refused ***",)


def test_where_the_secrets_are_not_known_nothing_that_the_target_printed_is_kept() -> None:
    scene = Scene()
    scene.runtime._change(NAME, health_log=(f"refused {SECRET}",))
    scene.use(source=Silent("secrets"))
    evidence = gathered(scene)
    assert evidence.target
    assert evidence.target.health_log == ()


def test_labels_that_speak_to_other_tools_are_not_stored() -> None:
    scene = Scene(labels={**make.LABELS, "aegis.tier": "critical", "proxy.basicauth": f"admin:{SECRET}"})
    evidence = gathered(scene)
    assert evidence.target
    assert evidence.target.labels == {**make.LABELS, "aegis.tier": "critical"}


# ---- bounds, lessons


def test_a_talkative_target_fills_no_more_than_its_share() -> None:
    scene = Scene()
    for number in range(3 * LOG_LINES):
        scene.runtime.say(NAME, f"{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10 % 10]} line {'x' * 5000}")
    evidence = gathered(scene)
    assert len(evidence.tail) == TAIL_LINES
    assert len(evidence.templates) == MOST_TEMPLATES
    assert all(len(line) <= 2048 for line in evidence.tail)


def test_lessons_that_resemble_the_incident_are_told() -> None:
    scene = Scene()
    scene.runbook.entries += [make.lesson("inc-a"), make.lesson("inc-b", fault=make.Fault.LATENCY)]
    (precedent,) = gathered(scene).precedents
    assert (precedent.fix, precedent.verified_healthy) == (Action.RESTART, True)


def test_a_runbook_that_cannot_be_read_is_named_and_stops_nothing() -> None:
    scene = Scene()
    scene.runbook.problem = RunbookError("the file is locked")
    assert gathered(scene).missing == ("lessons: the file is locked",)


def test_the_third_time_is_told_as_such() -> None:
    scene = Scene()
    for number, minutes in enumerate((80, 40), start=2):
        former = make.incident(make.received(target=NAME), incident_id=f"inc-{number}", at=make.later(-60 * minutes))
        scene.incidents.known[former.id] = former
    (draft,) = investigate(scene.incident(), scene.tools)
    assert draft.data["evidence"]["recurrence"] == "3rd time in 80 min, about every 40 min"
