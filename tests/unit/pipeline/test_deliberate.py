"""What follows from a verdict."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.events import EventType
from aegis_core.domain.incident import Status
from aegis_core.domain.policy import History
from aegis_core.domain.target import Limits
from aegis_core.errors import RuntimeUnavailable
from aegis_core.pipeline.deliberate import deliberate
from tests import examples as make

from .scene import NAME, Scene, kinds


def test_a_verdict_to_act_goes_on_to_the_hands() -> None:
    scene = Scene()
    incident = scene.incident(make.gathered(), make.diagnosed())
    drafts = deliberate(incident, scene.tools)
    assert kinds(drafts) == [EventType.DECIDED]
    assert scene.after(incident, drafts).status is Status.DECIDED


@pytest.mark.parametrize(
    ("diagnosis", "reason"),
    [
        (make.diagnosis(Action.SCALE_UP), "SCALE_UP needs approval"),
        (make.diagnosis(confidence=0.5), "only 0.50 sure"),
    ],
)
def test_what_needs_a_person_ends_with_the_reason(diagnosis: make.Diagnosis, reason: str) -> None:
    scene = Scene()
    incident = scene.incident(make.gathered(), make.diagnosed(diagnosis))
    after = scene.after(incident, deliberate(incident, scene.tools))
    assert after.status is Status.FAILED
    assert reason in (after.error or "")


def test_a_target_that_did_not_opt_in_ends_with_the_reason() -> None:
    scene = Scene(labels={})
    incident = scene.incident(make.gathered(), make.diagnosed())
    after = scene.after(incident, deliberate(incident, scene.tools))
    assert after.status is Status.FAILED
    assert "not opted in" in (after.error or "")
    assert after.decision, "the decision is there to be read"


def test_in_the_cool_down_it_sleeps_until_the_end_of_it() -> None:
    scene = Scene()
    scene.incidents.past = History(last_action_at=make.NOON)
    incident = scene.incident(make.gathered(), make.diagnosed())
    after = scene.after(incident, deliberate(incident, scene.tools))
    assert (after.status, after.wake_at) == (Status.ANALYZING, make.later(60))
    assert after.evidence is None, "then it looks anew"


def test_it_judges_the_target_as_it_is_now() -> None:
    """Since the evidence was gathered a person has stopped it."""
    scene = Scene(limits=Limits())
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed())
    scene.runtime.end(NAME, 0, by_person=True)
    after = scene.after(incident, deliberate(incident, scene.tools))
    assert after.decision
    assert (after.status, after.decision.action) == (Status.DECIDED, Action.NOOP)


def test_what_somebody_has_begun_to_stop_since_it_was_looked_at_is_looked_at_anew() -> None:
    scene = Scene()
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed())
    scene.runtime._change(NAME, stopped_by_person=True)  # and it still runs
    after = scene.after(incident, deliberate(incident, scene.tools))
    assert (after.status, after.evidence, after.decision) == (Status.ANALYZING, None, None)


def test_what_somebody_never_comes_to_an_end_with_is_respected_and_not_looked_at_for_ever() -> None:
    scene = Scene()
    scene.runtime._change(NAME, stopped_by_person=True)
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed())
    after = scene.after(incident, deliberate(incident, scene.tools))
    assert after.decision
    assert (after.status, after.decision.action) == (Status.DECIDED, Action.NOOP)


def test_without_a_diagnosis_there_is_nothing_to_decide() -> None:
    scene = Scene()
    assert deliberate(scene.incident(make.gathered()), scene.tools) == ()


def test_a_runtime_that_is_away_is_no_verdict() -> None:
    scene = Scene()
    scene.runtime.failures.append(RuntimeUnavailable())
    with pytest.raises(RuntimeUnavailable):
        deliberate(scene.incident(make.gathered(), make.diagnosed()), scene.tools)
