"""One decision, one effect: whatever happened to the agent, to the reply, or to the target in between."""

from datetime import datetime

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.intent import Goal
from aegis_core.domain.leave import Autonomy
from aegis_core.domain.policy import History, Policy, Verdict
from aegis_core.domain.target import RunState, TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, Interrupted, RuntimeUnavailable, TargetGone
from aegis_core.pipeline import remediate as module
from aegis_core.pipeline.remediate import MOST_TURNS, SETTLE, intend, remediate
from aegis_core.testing import FakeRuntime
from tests import examples as make

from .scene import NAME, Scene, kinds


def decided(scene: Scene, action: Action = Action.RESTART) -> Incident:
    seen = make.gathered(scene.state())
    return scene.incident(seen, make.diagnosed(make.diagnosis(action)), make.decided(make.decision(action=action)))


def intended(scene: Scene) -> Incident:
    before = decided(scene)
    drafts = intend(before, scene.tools)
    assert kinds(drafts) == [EventType.ACTION_INTENDED]
    return scene.after(before, drafts)


def resumed(scene: Scene) -> None:
    """From here on it is another agent that works: the one that wrote the intent was killed."""
    scene.use(born=scene.clock())


# ---- the intent


def test_the_intent_says_what_was_seen_before() -> None:
    scene = Scene()
    began = scene.state().started_at
    incident = intended(scene)
    assert incident.status is Status.EXECUTING
    assert incident.intent
    assert (incident.intent.action, incident.intent.before.ref) == (Action.RESTART, scene.ref)
    assert incident.intent.before.started_at == began
    assert scene.runtime.applied == [], "the intent is committed before anything happens"


def test_no_secret_of_the_target_is_stored_with_the_intent() -> None:
    scene = Scene(labels={**make.LABELS, "aegis.tier": "critical", "proxy.auth": "s3cr3t"})
    scene.runtime._change(NAME, health_log=("s3cr3t refused",))
    intent = intended(scene).intent
    assert intent
    assert "s3cr3t" not in intent.model_dump_json()
    assert intent.before.labels["aegis.tier"] == "critical"


def test_no_action_goes_straight_on_to_be_verified() -> None:
    scene = Scene()
    incident = decided(scene, Action.NOOP)
    after = scene.after(incident, intend(incident, scene.tools))
    assert (after.status, after.attempts, after.last_action) == (Status.VERIFYING, 0, None)


def not_done(scene: Scene, incident: Incident) -> Incident:
    after = scene.after(incident, intend(incident, scene.tools))
    assert scene.runtime.applied == []
    assert after.intent is None
    return after


def test_a_target_that_is_gone_is_looked_for_anew() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.runtime.remove(NAME)
    after = not_done(scene, incident)
    assert (after.status, after.evidence) == (Status.ANALYZING, None)
    assert "no longer exists" in after.tried[0]


def test_a_target_that_was_recreated_is_looked_at_anew() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.runtime.add(NAME, labels=make.LABELS)
    after = not_done(scene, incident)
    assert after.status is Status.ANALYZING
    assert "recreated" in after.tried[0]


def test_a_service_that_was_updated_is_looked_at_anew() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.runtime._change(NAME, definition="another")
    after = not_done(scene, incident)
    assert after.status is Status.ANALYZING
    assert "was updated since it was looked at" in after.tried[0]


def test_a_target_that_somebody_has_restarted_is_looked_at_anew() -> None:
    """Also when it was hours ago: the agent was down, and a person has helped."""
    scene = Scene()
    incident = decided(scene)
    scene.runtime.end(NAME, 0)
    scene.runtime.start(NAME)
    after = not_done(scene, incident)
    assert after.status is Status.ANALYZING
    assert "Somebody has restarted web" in after.tried[0]


def test_a_restart_by_its_own_restart_policy_is_part_of_the_trouble() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.runtime.end(NAME, 1)
    scene.runtime.start(NAME)
    scene.runtime._change(NAME, restart_count=1)
    assert kinds(intend(incident, scene.tools)) == [EventType.ACTION_INTENDED]


def test_a_target_that_was_down_and_still_is_may_be_started() -> None:
    scene = Scene()
    scene.runtime.end(NAME, 1)
    intended(scene)


def test_what_a_person_stopped_meanwhile_is_looked_at_anew() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.runtime.end(NAME, 0, by_person=True)
    after = not_done(scene, incident)
    assert after.status is Status.ANALYZING
    assert "respected" in after.tried[0]


def test_what_was_taken_back_while_it_was_thought_about_is_looked_at_anew() -> None:
    """Its sender says that it is over; that is believed once, and nobody is asked about it."""
    scene = Scene()
    cleared = Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)
    after = not_done(scene, scene.after(decided(scene), [cleared]))
    assert (after.status, after.evidence, after.tried) == (Status.ANALYZING, None, ())
    turn = [make.verified(healthy=False), make.rested(make.NOON), make.gathered(scene.state())]
    believed_once = scene.after(after, [*turn, make.diagnosed(), make.decided()])
    assert kinds(intend(believed_once, scene.tools)) == [EventType.ACTION_INTENDED]


def test_what_opted_out_meanwhile_is_refused() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.runtime._change(NAME, labels={"aegis.enable": "false"})
    after = not_done(scene, incident)
    assert after.status is Status.FAILED
    assert "not opted in" in (after.error or "")


def test_what_was_acted_on_meanwhile_rests() -> None:
    """Another incident of the same target came first, while this one slept between its decision and its intent."""
    scene = Scene()
    incident = decided(scene)
    scene.incidents.past = History(last_action_at=scene.clock())
    after = not_done(scene, incident)
    assert after.status is Status.ANALYZING
    assert after.wake_at
    assert (after.wake_at - scene.clock()).total_seconds() == pytest.approx(60, abs=1)


def test_what_has_used_up_its_attempts_meanwhile_is_refused() -> None:
    scene = Scene()
    incident = decided(scene)
    attempts = tuple(make.later(-60 * number) for number in (1, 2, 3))
    scene.incidents.past = History(attempts=attempts, last_action_at=attempts[0])
    after = not_done(scene, incident)
    assert after.status is Status.FAILED
    assert "3 attempts" in (after.error or "")


def test_when_the_settings_have_changed_meanwhile_they_count() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.use(policy=Policy(autonomy=Autonomy.OBSERVE))
    assert not_done(scene, incident).status is Status.FAILED


def test_when_a_person_has_to_be_asked_by_now_it_is_looked_at_anew_first() -> None:
    scene = Scene()
    incident = decided(scene)
    scene.use(policy=Policy(autonomy=Autonomy.SUGGEST))
    after = not_done(scene, incident)
    assert (after.status, after.decision) == (Status.ANALYZING, None)


def approved(scene: Scene) -> Incident:
    """A person has said yes to a restart that they were asked about."""
    seen = scene.state()
    question = make.approval(Action.RESTART, shown=seen)
    ask = make.decision(Verdict.ASK)
    return scene.incident(
        make.gathered(seen), make.diagnosed(), make.decided(ask), make.asked(question), make.approved()
    )


def test_what_a_person_approved_after_hours_is_done_although_the_evidence_is_old() -> None:
    scene = Scene()
    incident = approved(scene)
    scene.clock.advance(7200)
    assert kinds(intend(incident, scene.tools)) == [EventType.ACTION_INTENDED]


def test_what_a_person_approved_is_not_done_to_what_was_recreated_meanwhile() -> None:
    scene = Scene()
    incident = approved(scene)
    scene.runtime.remove(NAME)
    scene.runtime.add(NAME, labels=make.LABELS)
    after = not_done(scene, incident)
    assert after.approval is None, "the yes is used up: whoever is asked again sees the new one"
    assert "recreated" in after.tried[-1]


def test_what_a_person_approved_is_refused_where_policy_no_longer_agrees() -> None:
    scene = Scene()
    incident = approved(scene)
    scene.use(policy=Policy(dry_run=True))
    after = not_done(scene, incident)
    assert after.status is Status.FAILED
    assert "Dry run" in (after.error or "")


def test_a_target_that_never_holds_still_is_given_up_in_the_end() -> None:
    scene = Scene()
    turns = 0
    incident = decided(scene)
    while not incident.closed:
        scene.runtime.add(NAME, labels=make.LABELS)
        incident = scene.after(incident, intend(incident, scene.tools))
        if not incident.closed:
            steps = [make.gathered(make.state(NAME, id="long gone")), make.diagnosed(), make.decided()]
            incident = scene.after(incident, steps)
        turns += 1
    assert turns == MOST_TURNS + 1
    assert (incident.status, incident.attempts) == (Status.FAILED, 0)


# ---- the effect


def test_a_fresh_intent_is_carried_out_once() -> None:
    scene = Scene()
    incident = intended(scene)
    after = scene.after(incident, remediate(incident, scene.tools))
    assert after.status is Status.VERIFYING
    assert scene.runtime.applied == [(Action.RESTART, scene.ref)]
    assert (after.attempts, after.last_action) == (1, Action.RESTART)


def test_a_target_that_is_down_is_started() -> None:
    scene = Scene()
    scene.runtime.end(NAME, 1)
    incident = intended(scene)
    assert scene.after(incident, remediate(incident, scene.tools)).status is Status.VERIFYING
    assert scene.state().running


def test_what_has_happened_before_the_crash_is_not_repeated() -> None:
    scene = Scene()
    incident = intended(scene)
    remediate(incident, scene.tools)  # and the agent is killed before it is written down
    resumed(scene)
    assert scene.after(incident, remediate(incident, scene.tools)).status is Status.VERIFYING
    assert scene.runtime.starts(NAME) == 2


def test_what_had_not_begun_before_the_crash_is_done_after_it() -> None:
    scene = Scene()
    incident = intended(scene)
    resumed(scene)
    scene.clock.advance(60)
    assert scene.after(incident, remediate(incident, scene.tools)).status is Status.VERIFYING
    assert scene.runtime.starts(NAME) == 2


class Settling(FakeRuntime):
    """A runtime whose record shows a restart only after it was asked `after` times."""

    asked = 0
    after = 1

    def begun(self, target: TargetRef, since: datetime) -> bool:
        self.asked += 1
        return self.asked > self.after and super().begun(target, since)


def settling(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the record lag behind, and return how long is waited for it."""
    scene.runtime.__class__ = Settling
    waits: list[float] = []
    monkeypatch.setattr(type(scene.tools), "wait", lambda _, seconds: waits.append(seconds))
    return waits


def test_a_request_that_was_still_on_its_way_when_the_agent_died_is_given_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    incident = intended(scene)
    remediate(incident, scene.tools)
    resumed(scene)
    waits = settling(scene, monkeypatch)
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert scene.runtime.starts(NAME) == 2
    assert 0 < waits[0] <= SETTLE.total_seconds()


def test_a_request_whose_reply_was_lost_is_given_a_moment_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime.lost_replies.append(RuntimeUnavailable("the connection was reset"))
    with pytest.raises(RuntimeUnavailable):
        remediate(incident, scene.tools)
    incident = scene.after(incident, [make.stage_failed(scene.clock())])
    waits = settling(scene, monkeypatch)
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert scene.runtime.starts(NAME) == 2
    assert waits


def test_an_intent_of_long_ago_needs_no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    incident = intended(scene)
    scene.clock.advance(60)
    resumed(scene)
    waits = settling(scene, monkeypatch)
    remediate(incident, scene.tools)
    assert waits == []


def test_a_fresh_intent_needs_no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    waits = settling(scene, monkeypatch)
    remediate(intended(scene), scene.tools)
    assert waits == []


def test_a_lost_reply_does_not_restart_twice() -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime.lost_replies.append(RuntimeUnavailable("the connection was reset"))
    with pytest.raises(RuntimeUnavailable):
        remediate(incident, scene.tools)
    incident = scene.after(incident, [make.stage_failed(scene.clock())])
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert scene.runtime.starts(NAME) == 2


def test_a_request_that_never_arrived_is_sent_again() -> None:
    scene = Scene()
    incident = intended(scene)
    scene.clock.advance(10)
    scene.use(effector=Unlucky(scene.runtime))
    with pytest.raises(RuntimeUnavailable):
        remediate(incident, scene.tools)
    incident = scene.after(incident, [make.stage_failed(scene.clock())])
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert scene.runtime.starts(NAME) == 2


class Unlucky:
    """An effector whose first request for an action gets lost on its way."""

    def __init__(self, runtime: FakeRuntime) -> None:
        self.find, self.observe, self.begun = runtime.find, runtime.observe, runtime.begun
        self._apply = runtime.apply
        self._lose = True

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        if self._lose:
            self._lose = False
            raise RuntimeUnavailable("no route to the engine")
        self._apply(action, before, goal)


class HalfDone(FakeRuntime):
    """A runtime in the middle of a restart: the stop was begun, and the start comes at look number `starts_at`."""

    starts_at = 3
    looks = 0

    def begun(self, target: TargetRef, since: datetime) -> bool:
        return True

    def observe(self, target: TargetRef) -> TargetState:
        self.looks += 1
        if self.looks == self.starts_at:
            self.start(NAME)
        return super().observe(target)


@pytest.fixture
def half_done(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The agent was killed in the middle of a restart that it had asked for, and the engine goes on with it."""
    monkeypatch.setattr(module, "STOP_MARGIN", 0.0)
    return Scene(stop_timeout=0.3)


def test_a_restart_that_is_under_way_is_watched_to_its_end_and_not_repeated(half_done: Scene) -> None:
    scene = half_done
    incident = intended(scene)
    resumed(scene)
    scene.runtime.__class__ = HalfDone
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert scene.runtime.applied == []
    assert scene.runtime.starts(NAME) == 2


def test_a_restart_that_was_begun_and_never_ended_is_begun_again(half_done: Scene) -> None:
    scene = half_done
    scene.runtime.end(NAME, 137)
    incident = intended(scene)
    resumed(scene)
    scene.runtime.__class__ = HalfDone
    scene.runtime.starts_at = 10_000
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert len(scene.runtime.applied) == 1


def test_a_stop_that_turns_out_to_be_a_persons_is_respected(half_done: Scene) -> None:
    """To the runtime's record it is a stop that was begun, as the half of our own restart would be."""
    scene = half_done
    incident = intended(scene)
    resumed(scene)
    scene.runtime.end(NAME, 0, by_person=True)
    scene.runtime.__class__ = HalfDone
    scene.runtime.starts_at = 10_000
    after = scene.after(incident, remediate(incident, scene.tools))
    assert scene.runtime.applied == []
    assert scene.state().run is RunState.EXITED
    assert (after.status, after.attempts) == (Status.ANALYZING, 0)


def test_a_stop_that_was_begun_before_anything_was_asked_for_is_somebody_elses() -> None:
    """It is not watched as if it were the half of our own restart: there is nothing of ours to wait for."""
    scene = Scene(stop_timeout=600.0)
    incident = intended(scene)
    scene.runtime._change(NAME, stopped_by_person=True)  # and it still runs
    scene.runtime.__class__ = HalfDone
    scene.runtime.starts_at = 10_000
    after = scene.after(incident, remediate(incident, scene.tools))
    assert (scene.runtime.applied, scene.runtime.looks) == ([], 1)
    assert (after.status, after.attempts) == (Status.ANALYZING, 0)


def test_an_intent_of_a_while_ago_may_be_another_agents_and_its_stop_is_watched(half_done: Scene) -> None:
    scene = half_done
    incident = intended(scene)
    scene.clock.advance(SETTLE.total_seconds())
    scene.runtime.__class__ = HalfDone
    assert kinds(remediate(incident, scene.tools)) == [EventType.ACTION_EXECUTED]
    assert scene.runtime.applied == []


def test_what_a_person_stops_between_intent_and_effect_stays_stopped() -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime.end(NAME, 0, by_person=True)
    after = scene.after(incident, remediate(incident, scene.tools))
    assert scene.runtime.applied == []
    assert (after.status, after.attempts, after.last_action) == (Status.ANALYZING, 0, None)
    assert "respected" in after.tried[0]


def test_what_opts_out_between_intent_and_effect_is_left_alone() -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime._change(NAME, labels={})
    after = scene.after(incident, remediate(incident, scene.tools))
    assert scene.runtime.applied == []
    assert (after.status, after.attempts) == (Status.FAILED, 0)
    assert "not opted in" in (after.error or "")


@pytest.mark.parametrize("recreated", [False, True])
def test_an_action_meant_for_a_target_that_is_gone_touches_nothing_else(recreated: bool) -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime.remove(NAME)
    if recreated:
        scene.runtime.add(NAME, labels=make.LABELS)
    after = scene.after(incident, remediate(incident, scene.tools))
    assert scene.runtime.applied == []
    assert (after.status, after.evidence, after.attempts) == (Status.ANALYZING, None, 0)


class Vanishing(FakeRuntime):
    """A runtime whose target goes away at the very moment of acting."""

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        raise TargetGone(f"{before.ref.name} is gone.")


def test_a_target_that_goes_away_at_the_very_moment_of_acting_is_looked_for_anew() -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime.__class__ = Vanishing
    assert scene.after(incident, remediate(incident, scene.tools)).tried == ("web is gone.",)


class Unable(FakeRuntime):
    """A runtime that cannot do what is asked."""

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        raise ActionUnsupported(f"{action} cannot be carried out here.")


def test_an_action_that_the_runtime_cannot_do_ends_with_the_reason() -> None:
    scene = Scene()
    incident = intended(scene)
    scene.runtime.__class__ = Unable
    after = scene.after(incident, remediate(incident, scene.tools))
    assert (after.status, after.error, after.attempts) == (Status.FAILED, "RESTART cannot be carried out here.", 0)


def test_an_agent_that_is_told_to_stop_leaves_a_restart_under_way_to_the_next_one(half_done: Scene) -> None:
    scene = half_done
    incident = intended(scene)
    resumed(scene)
    scene.runtime.__class__ = HalfDone
    scene.tools.stopping.set()
    with pytest.raises(Interrupted):
        remediate(incident, scene.tools)
    assert scene.runtime.applied == []


def test_without_an_intent_nothing_is_done() -> None:
    scene = Scene()
    assert remediate(decided(scene), scene.tools) == ()
    assert intend(scene.incident(), scene.tools) == ()
    assert scene.runtime.applied == []


def test_a_decision_that_rests_on_old_evidence_is_made_anew() -> None:
    """The agent was away for long between deciding and acting: what it knew says nothing about now."""
    scene = Scene()
    incident = scene.incident(make.gathered(scene.state()), make.diagnosed(), make.decided())
    scene.clock.advance(301)
    assert kinds(intend(incident, scene.tools)) == [EventType.ACTION_FAILED, EventType.RESTED]
