"""What lives in the network namespace of a target is restarted after it: once, and only where Aegis may."""

from collections.abc import Sequence

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.change import Neighbour, Relation
from aegis_core.domain.events import EventType
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.target import RunState, TargetRef, TargetState
from aegis_core.errors import RuntimeUnavailable
from aegis_core.pipeline.remediate import remediate
from aegis_core.testing import FakeRuntime
from tests import examples as make

from .scene import NAME, Scene, kinds

CHILD = "sidecar"


class Family(Scene):
    """A target that has crashed, and others that hang together with it."""

    def __init__(self) -> None:
        super().__init__()
        self.child = self.adopt(CHILD)

    def adopt(self, name: str, relation: Relation = Relation.NETWORK_CHILD, **known: object) -> TargetRef:
        ref = self.runtime.add(name, **{"labels": make.LABELS, "stop_timeout": 0.0, **known})
        self.runtime.relate(NAME, relation, name)
        return ref

    def intended(self) -> Incident:
        self.runtime.end(NAME, 1)
        before = self.state()
        steps = [make.gathered(before), make.diagnosed(), make.decided(), make.intended(before, at=self.clock())]
        return self.incident(*steps)

    def restarted(self) -> list[str]:
        return [ref.name for action, ref in self.runtime.applied if action is Action.RESTART]


def done(scene: Scene, incident: Incident) -> str:
    drafts = remediate(incident, scene.tools)
    assert kinds(drafts) == [EventType.ACTION_EXECUTED]
    return str(drafts[0].data["seen"])


def test_a_child_is_restarted_after_its_parent_and_that_is_told() -> None:
    family = Family()
    told = done(family, family.intended())
    assert family.restarted() == [NAME, CHILD]
    assert "sidecar restarted after it, for it shares its network" in told


@pytest.mark.parametrize("relation", [one for one in Relation if one is not Relation.NETWORK_CHILD])
def test_nobody_else_is_restarted_along_with_it(relation: Relation) -> None:
    family = Family()
    family.runtime.remove(CHILD)
    family.adopt("other", relation)
    done(family, family.intended())
    assert family.restarted() == [NAME]


@pytest.mark.parametrize("labels", [{}, {"aegis.enable": "false"}, {**make.LABELS, "aegis.self": "true"}])
def test_a_child_that_aegis_must_not_touch_is_left_and_that_is_told(labels: dict[str, str]) -> None:
    family = Family()
    family.adopt(CHILD, labels=labels)
    told = done(family, family.intended())
    assert family.restarted() == [NAME]
    assert "sidecar shares its network and was left as it is: sidecar" in told


def test_a_child_that_a_person_stopped_stays_stopped() -> None:
    family = Family()
    family.runtime.end(CHILD, 137, by_person=True)
    done(family, family.intended())
    assert family.restarted() == [NAME]


def test_a_child_that_a_person_is_just_stopping_is_left() -> None:
    family = Family()
    family.runtime._change(CHILD, stopped_by_person=True)
    done(family, family.intended())
    assert family.restarted() == [NAME]


def test_a_child_that_has_done_its_work_is_not_begun_anew() -> None:
    family = Family()
    family.runtime.end(CHILD, 0)
    done(family, family.intended())
    assert family.restarted() == [NAME]


def test_a_child_that_nobody_ever_started_is_not_started() -> None:
    family = Family()
    family.runtime._change(CHILD, run=RunState.CREATED, started_at=None)
    done(family, family.intended())
    assert family.restarted() == [NAME]


def test_a_child_that_has_crashed_with_it_is_started() -> None:
    family = Family()
    family.runtime.end(CHILD, 1)
    done(family, family.intended())
    assert family.restarted() == [NAME, CHILD]


# ---- resumed


def resumed(scene: Scene) -> None:
    """From here on it is another agent that works: the one before was killed."""
    scene.clock.advance(5)
    scene.use(born=scene.clock())


def test_after_a_kill_between_parent_and_child_only_the_child_is_restarted() -> None:
    family = Family()
    incident = family.intended()
    assert incident.intent
    family.runtime.apply(Action.RESTART, incident.intent.before)
    resumed(family)
    done(family, incident)
    assert family.restarted() == [NAME, CHILD]


def test_after_a_kill_behind_the_child_nothing_is_restarted_again() -> None:
    family = Family()
    incident = family.intended()
    done(family, incident)
    resumed(family)
    done(family, incident)
    assert family.restarted() == [NAME, CHILD]


class SlowStop(FakeRuntime):
    """A runtime that has begun to restart the child: it still runs for two looks, and then has started anew."""

    looks = 0

    def begun(self, target: TargetRef, since: object) -> bool:
        return True

    def observe(self, target: TargetRef) -> TargetState:
        if target.name == CHILD:
            self.looks += 1
            if self.looks == 2:
                self.start(CHILD)
        return super().observe(target)


def test_after_a_kill_in_the_middle_of_the_childs_restart_its_end_is_waited_for() -> None:
    family = Family()
    incident = family.intended()
    assert incident.intent
    family.runtime.apply(Action.RESTART, incident.intent.before)
    resumed(family)
    family.runtime.__class__ = SlowStop
    done(family, incident)
    assert family.restarted() == [NAME]
    assert family.runtime.starts(CHILD) == 2


class Strangers(FakeRuntime):
    """A runtime that for once cannot say who hangs together."""

    problems = 1

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        if self.problems:
            self.problems -= 1
            raise RuntimeUnavailable
        return super().neighbours(target)


def test_children_that_could_not_be_asked_for_are_restarted_by_the_next_try_and_the_parent_is_not() -> None:
    family = Family()
    incident = family.intended()
    family.runtime.__class__ = Strangers
    with pytest.raises(RuntimeUnavailable):
        remediate(incident, family.tools)
    incident = family.after(incident, [make.stage_failed(family.clock())])
    assert family.after(incident, remediate(incident, family.tools)).status is Status.VERIFYING
    assert family.restarted() == [NAME, CHILD]


def test_a_child_that_is_removed_meanwhile_is_no_failure() -> None:
    family = Family()

    class Vanishing(FakeRuntime):
        def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
            found = super().neighbours(target)
            self.remove(CHILD)
            return found

    incident = family.intended()
    family.runtime.__class__ = Vanishing
    assert CHILD not in done(family, incident)
