"""The container is removed, and another one made under its name, between the decision and the action.

The decision was about the old one. It is dropped, and everything begins anew with the new one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.events import EventType
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Status
from tests.integration.small_containers import docker

from .moments import RestartsAlways, diagnosis
from .story import Story
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine
MOMENTS = ["after:Decided", "after:ActionIntended"]


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


def recreate(patient: Patient, ward: Ward, *options: str) -> None:
    docker("rm", "--force", patient.name)
    ward.admit(*options, name=patient.name)


class WantsOnlyTheFirstRestarted(RestartsAlways):
    def diagnose(self, evidence: Evidence) -> Diagnosis:
        first = super().diagnose(evidence)
        return first if len(self.asked) == 1 else diagnosis(evidence, Action.NOOP)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_decision_about_the_old_container_is_not_carried_out_on_the_new_one(
    moment: str, ward: Ward, tmp_path: Path
) -> None:
    story = Story(ward, ward.admit(OPTED_IN), tmp_path, WantsOnlyTheFirstRestarted())

    story.tell(moment, lambda: recreate(story.patient, ward, OPTED_IN))

    new = story.patient.id
    assert story.patient.restarts(of=new) == 0
    assert story.patient.restarts(of=story.old) == 0
    assert story.looked_at == [story.old, new]
    assert (story.incident.status, story.incident.attempts) == (Status.RESOLVED, 0)
    assert story.incident.lesson is None


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_the_new_container_needs_is_decided_anew_and_done_to_it_once(
    moment: str, ward: Ward, tmp_path: Path
) -> None:
    brain = RestartsAlways()
    story = Story(ward, ward.admit(OPTED_IN), tmp_path, brain)

    story.tell(moment, lambda: recreate(story.patient, ward, OPTED_IN))

    new = story.patient.id
    assert story.patient.restarts(of=new) == 1
    assert story.patient.restarts(of=story.old) == 0
    assert [one.target.ref.id for one in brain.asked if one.target] == [story.old, new]
    assert len(story.told(EventType.DECIDED)) == 2
    assert story.incident.intent
    assert story.incident.intent.before.ref.id == new
    assert (story.incident.status, story.incident.attempts) == (Status.RESOLVED, 1)
    [reason] = [data["reason"] for data in story.told(EventType.ACTION_FAILED)]
    assert "recreated" in reason or "no longer" in reason or "No such container" in reason


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_new_container_that_has_not_opted_in_is_left_alone(moment: str, ward: Ward, tmp_path: Path) -> None:
    story = Story(ward, ward.admit(OPTED_IN), tmp_path, RestartsAlways())

    story.tell(moment, lambda: recreate(story.patient, ward))

    assert story.patient.restarts(of=story.patient.id) == 0
    assert story.incident.status is Status.FAILED
    assert "has not opted in" in (story.incident.error or "")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_container_that_is_gone_for_good_is_said_to_be_gone(moment: str, ward: Ward, tmp_path: Path) -> None:
    story = Story(ward, ward.admit(OPTED_IN), tmp_path, RestartsAlways())

    story.tell(moment, lambda: docker("rm", "--force", story.patient.name))

    assert story.patient.restarts() == 0
    assert story.incident.status is Status.FAILED
    assert "knows no target of this name" in (story.incident.error or "")
    assert story.looked_at == [story.old, None]
