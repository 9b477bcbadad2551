"""What becomes of a question to people that nobody answers with yes."""

from datetime import timedelta

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident, Status
from aegis_core.pipeline.approve import approve
from tests import examples as make

from .scene import Scene

CLEARED = Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)


def asked(scene: Scene, *before: Draft) -> Incident:
    looked_at = scene.incident(*before, make.gathered(scene.state()), make.diagnosed())
    now = scene.clock()
    question = make.approval(asked_at=now, expires_at=now + timedelta(seconds=1800))
    return scene.after(looked_at, [make.asked(question)])


def after(scene: Scene, incident: Incident) -> Incident:
    return scene.after(incident, approve(incident, scene.tools))


def test_a_question_that_nobody_answers_in_time_ends_with_nothing_done() -> None:
    scene = Scene()
    incident = asked(scene)
    scene.clock.advance(1800)
    ended = after(scene, incident)
    assert ended.status is Status.FAILED
    assert ended.error == "Nobody answered in time whether ROLLBACK may be done; nothing was done."


@pytest.mark.parametrize("comment", ["", "it is being replaced"])
def test_a_no_ends_it_with_who_said_so_and_what(comment: str) -> None:
    scene = Scene()
    incident = asked(scene)
    ended = after(scene, scene.after(incident, [make.declined("ann", comment=comment)]))
    assert ended.status is Status.FAILED
    assert (ended.error or "").startswith("ann has declined ROLLBACK; nothing was done.")
    assert (ended.error or "").endswith(comment)


def test_what_its_sender_takes_back_meanwhile_is_looked_at_anew() -> None:
    scene = Scene()
    incident = asked(scene)
    anew = after(scene, scene.after(incident, [CLEARED]))
    assert (anew.status, anew.approval, anew.evidence) == (Status.ANALYZING, None, None)


def test_what_was_taken_back_before_people_were_asked_does_not_ask_them_for_ever() -> None:
    """It was looked at anew then, and was not over."""
    scene = Scene()
    incident = asked(scene, CLEARED)
    scene.clock.advance(1800)
    assert after(scene, incident).status is Status.FAILED


def test_what_comes_back_right_after_it_was_taken_back_is_looked_at_anew_as_well() -> None:
    scene = Scene()
    incident = scene.after(asked(scene), [CLEARED])
    anew = after(scene, scene.after(incident, [make.joined()]))
    assert (anew.status, anew.approval) == (Status.ANALYZING, None)


def test_a_question_is_about_what_was_shown_and_nothing_else_is_done_here() -> None:
    scene = Scene()
    incident = scene.after(asked(scene), [make.declined()])
    assert {draft.type for draft in approve(incident, scene.tools)} == {EventType.FAILED}
    assert incident.approval
    assert incident.approval.action is Action.ROLLBACK
    assert scene.runtime.applied == []


def test_where_nobody_is_asked_there_is_nothing_to_do() -> None:
    scene = Scene()
    assert approve(scene.incident(), scene.tools) == ()
