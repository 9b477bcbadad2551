"""The vote of the four agents, and what follows from the verdict."""

from datetime import timedelta

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Agent, EventType
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.leave import Autonomy
from aegis_core.domain.policy import History, Policy
from aegis_core.domain.target import Limits
from aegis_core.errors import RunbookError, RuntimeUnavailable
from aegis_core.pipeline.deliberate import deliberate
from tests import examples as make

from .scene import MIB, NAME, Scene, kinds


def full(scene: Scene, diagnosis: make.Diagnosis | None = None) -> Incident:
    """The target's memory is nearly used up: its state itself calls for a restart."""
    scene.runtime.use(NAME, memory_bytes=120 * MIB)
    return scene.incident(make.gathered(scene.state()), make.diagnosed(diagnosis))


def after(scene: Scene, incident: Incident) -> Incident:
    return scene.after(incident, deliberate(incident, scene.tools))


def test_an_ordinary_trouble_without_lessons_has_three_votes_and_goes_on_to_the_hands() -> None:
    scene = Scene()
    incident = full(scene)
    drafts = deliberate(incident, scene.tools)
    assert kinds(drafts) == [EventType.OPINION_GIVEN] * 3 + [EventType.DECIDED]
    assert [draft.agent for draft in drafts[:3]] == [Agent.DETECTION, Agent.DIAGNOSIS, Agent.RESOLUTION]
    decided = scene.after(incident, drafts)
    assert decided.status is Status.DECIDED
    assert decided.decision
    assert decided.decision.consensus
    assert decided.decision.confidence == pytest.approx((0.2 * 0.9 + 0.4 * 0.9 + 0.1 * 0.9) / 0.7, abs=1e-6)
    assert set(decided.decision.consensus.abstained) == {Agent.PREDICTION}


def test_with_a_lesson_all_four_vote() -> None:
    scene = Scene()
    scene.runbook.entries.append(make.lesson(image="shop/web:1", timestamp=make.later(-60)))
    decided = after(scene, full(scene))
    assert [one.agent for one in decided.opinions] == [
        Agent.DETECTION, Agent.DIAGNOSIS, Agent.PREDICTION, Agent.RESOLUTION,
    ]  # fmt: skip
    assert "RESTART helped 1 of 1 times here" in decided.opinions[2].reason


def test_what_did_not_help_here_before_is_asked_about() -> None:
    scene = Scene()
    failure = make.lesson(image="shop/web:1", timestamp=make.later(-60), verified_healthy=False)
    scene.runbook.entries.append(failure)
    asked = after(scene, full(scene))
    assert asked.status is Status.AWAITING_APPROVAL
    assert asked.decision
    assert asked.decision.consensus
    assert any("prediction: NOOP" in words for words in asked.decision.consensus.dissent)


@pytest.mark.parametrize(
    ("diagnosis", "reason"),
    [
        (make.diagnosis(Action.SCALE_UP), "SCALE_UP needs approval"),
        (make.diagnosis(confidence=0.4), "Together they are only 0.61 sure"),
    ],
)
def test_what_needs_a_person_waits_for_one_and_shows_who_thinks_what(diagnosis: make.Diagnosis, reason: str) -> None:
    scene = Scene()
    incident = full(scene, diagnosis)
    drafts = deliberate(incident, scene.tools)
    assert kinds(drafts)[-2:] == [EventType.DECIDED, EventType.APPROVAL_REQUESTED]
    asked = scene.after(incident, drafts)
    assert asked.status is Status.AWAITING_APPROVAL
    question = asked.approval
    assert question
    assert question.action is diagnosis.action
    assert question.shown
    assert question.shown.ref == scene.ref
    assert reason in question.reasons[0]
    assert [words.split(":")[0] for words in question.reasons[-3:]] == ["detection", "diagnosis", "resolution"]
    assert asked.wake_at == question.expires_at == question.asked_at + timedelta(seconds=1800)


def test_people_have_as_long_as_the_setting_says() -> None:
    scene = Scene()
    scene.use(policy=Policy(approval_seconds=60))
    scene.knows_release()
    question = after(scene, full(scene, make.diagnosis(Action.ROLLBACK))).approval
    assert question
    assert question.expires_at - question.asked_at == timedelta(seconds=60)


@pytest.mark.parametrize("policy", [Policy(autonomy=Autonomy.OBSERVE), Policy(dry_run=True)])
def test_who_may_not_act_at_all_asks_nobody_and_says_what_it_would_have_done(policy: Policy) -> None:
    scene = Scene()
    scene.use(policy=policy)
    ended = after(scene, full(scene))
    assert (ended.status, ended.approval) == (Status.FAILED, None)
    assert "RESTART" in (ended.error or "")


def test_a_target_that_did_not_opt_in_ends_with_the_reason() -> None:
    scene = Scene(labels={})
    ended = after(scene, full(scene))
    assert ended.status is Status.FAILED
    assert "not opted in" in (ended.error or "")
    assert ended.decision, "the decision is there to be read"


def test_in_the_cool_down_it_sleeps_until_the_end_of_it() -> None:
    scene = Scene()
    scene.incidents.past = History(last_action_at=make.NOON)
    resting = after(scene, full(scene))
    assert (resting.status, resting.wake_at) == (Status.ANALYZING, make.later(60))
    assert resting.evidence is None, "then it looks anew"


def test_about_what_is_over_nobody_has_to_vote() -> None:
    scene = Scene()
    well = make.diagnosis(Action.NOOP, category=Category.HEALTHY)
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed(well))
    drafts = deliberate(incident, scene.tools)
    assert kinds(drafts) == [EventType.DECIDED]
    assert scene.after(incident, drafts).status is Status.DECIDED


def test_to_do_nothing_needs_no_majority() -> None:
    """The agents disagree: the state calls for a restart, the brain and the hands are against it."""
    scene = Scene()
    decided = after(scene, full(scene, make.diagnosis(Action.NOOP, 0.8)))
    assert decided.decision
    assert (decided.status, decided.decision.action) == (Status.DECIDED, Action.NOOP)
    assert decided.decision.confidence < 0.7
    assert decided.decision.consensus
    assert "detection: RESTART" in decided.decision.consensus.dissent[0]


def test_it_judges_the_target_as_it_is_now() -> None:
    """Since the evidence was gathered a person has stopped it."""
    scene = Scene(limits=Limits())
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed())
    scene.runtime.end(NAME, 0, by_person=True)
    decided = after(scene, incident)
    assert decided.decision
    assert (decided.status, decided.decision.action) == (Status.DECIDED, Action.NOOP)


def test_what_was_recreated_since_it_was_looked_at_is_not_acted_on_without_a_person() -> None:
    scene = Scene()
    scene.runtime.use(NAME, memory_bytes=120 * MIB)
    seen = scene.state().model_copy(update={"ref": make.state(NAME, id="old").ref})
    asked = after(scene, scene.incident(make.gathered(seen), make.diagnosed(make.diagnosis(confidence=0.7))))
    assert asked.status is Status.AWAITING_APPROVAL
    assert "recreated" in asked.opinions[-1].reason


def test_what_the_runtime_cannot_do_is_said_by_the_hands() -> None:
    scene = Scene()
    told = after(scene, full(scene, make.diagnosis(Action.ROLLBACK)))
    assert told.opinions[-1].action is Action.NOOP
    assert told.opinions[-1].reason == "There is no image that web has run healthily with before."


def test_what_the_runtime_cannot_do_is_refused_and_nobody_is_asked_for_it() -> None:
    scene = Scene()
    told = after(scene, full(scene, make.diagnosis(Action.ROLLBACK)))
    assert (told.status, told.approval) == (Status.FAILED, None)
    assert told.error == "There is no image that web has run healthily with before."


def test_an_agent_that_fails_abstains_and_that_is_kept() -> None:
    scene = Scene()
    scene.runbook.problem = RunbookError("the disk is full of password=hunter2hunter2")
    decided = after(scene, full(scene))
    assert decided.status is Status.DECIDED
    assert decided.decision
    assert decided.decision.consensus
    assert decided.decision.consensus.abstained[Agent.PREDICTION].startswith("it failed: the disk is full")
    assert "hunter2" not in str(decided.decision)


def test_data_that_is_missing_makes_less_sure() -> None:
    scene = Scene()
    scene.runtime.use(NAME, memory_bytes=120 * MIB)
    incident = scene.incident(make.gathered(scene.state(), missing=("logs: not readable",)), make.diagnosed())
    diagnosis = after(scene, incident).opinions[1]
    assert (diagnosis.agent, diagnosis.confidence) == (Agent.DIAGNOSIS, pytest.approx(0.7))
    assert diagnosis.reason.endswith("(0.20 less sure, without logs)")


def test_a_brain_out_of_range_is_set_aside_and_has_no_vote_in_this_incident_any_more() -> None:
    scene = Scene()
    liar = full(scene, make.diagnosis(Action.ROLLBACK, 7.0))
    asked = after(scene, liar)
    assert (asked.status, asked.distrusted) == (Status.AWAITING_APPROVAL, (Agent.DIAGNOSIS,))
    assert asked.decision
    assert asked.decision.consensus
    assert "7 is not between 0 and 1" in asked.decision.consensus.set_aside[Agent.DIAGNOSIS]
    anew = scene.after(
        asked, [make.rested(scene.clock()), make.gathered(scene.state()), make.diagnosed(make.diagnosis())]
    )
    once_more = after(scene, anew)
    assert once_more.status is Status.AWAITING_APPROVAL
    assert once_more.decision
    assert once_more.decision.consensus
    assert once_more.decision.consensus.votes == 2


def test_what_somebody_has_begun_to_stop_since_it_was_looked_at_is_looked_at_anew() -> None:
    scene = Scene()
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed())
    scene.runtime._change(NAME, stopped_by_person=True)  # and it still runs
    resting = after(scene, incident)
    assert (resting.status, resting.evidence, resting.decision) == (Status.ANALYZING, None, None)


def test_what_somebody_never_comes_to_an_end_with_is_respected_and_not_looked_at_for_ever() -> None:
    scene = Scene()
    scene.runtime._change(NAME, stopped_by_person=True)
    decided = after(scene, scene.incident(make.gathered(scene.state()), make.diagnosed()))
    assert decided.decision
    assert (decided.status, decided.decision.action) == (Status.DECIDED, Action.NOOP)


def test_without_a_diagnosis_there_is_nothing_to_decide() -> None:
    scene = Scene()
    assert deliberate(scene.incident(make.gathered()), scene.tools) == ()


def test_a_runtime_that_is_away_is_no_verdict() -> None:
    scene = Scene()
    scene.runtime.failures.append(RuntimeUnavailable())
    with pytest.raises(RuntimeUnavailable):
        deliberate(scene.incident(make.gathered(), make.diagnosed()), scene.tools)
