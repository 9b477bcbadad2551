"""SCALE_UP and ROLLBACK: planned before, one effect whatever happens in between, and called off cleanly."""

from typing import Any

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.events import EventType
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.intent import Goal
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Limits, TargetState, Usage
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeAway, RuntimeUnavailable
from aegis_core.pipeline.deliberate import deliberate
from aegis_core.pipeline.planning import planned, prospect
from aegis_core.pipeline.remediate import MOST_TRIES, intend, remediate
from aegis_core.pipeline.undo import undo
from aegis_core.pipeline.verify import verify
from aegis_core.testing import FakeRuntime
from tests import examples as make

from .scene import LIMITS, MIB, NAME, Scene, kinds

FREE = {**make.LABELS, "aegis.actions": "restart,scale_up,rollback", "aegis.max_memory": "1g"}
MORE = Limits(memory_bytes=192 * MIB, cpus=0.5)


def scene(**known: Any) -> Scene:
    """A target that may be changed by itself, of release 2; release 1 was well."""
    one = Scene(**{"labels": FREE, "image_id": "sha256:2", "image": "shop/web:2", **known})
    one.knows_release(1)
    return one


def decided(one: Scene, action: Action, fault: Fault = Fault.MEMORY_PRESSURE) -> Incident:
    seen = make.gathered(one.state())
    chosen = make.decided(make.decision(action=action))
    return one.incident(seen, make.diagnosed(make.diagnosis(action)), chosen, fault=fault)


def intended(one: Scene, action: Action, fault: Fault = Fault.MEMORY_PRESSURE) -> Incident:
    before = decided(one, action, fault)
    drafts = intend(before, one.tools)
    assert kinds(drafts) == [EventType.ACTION_INTENDED], drafts
    return one.after(before, drafts)


def executed(one: Scene, action: Action, fault: Fault = Fault.MEMORY_PRESSURE) -> Incident:
    incident = intended(one, action, fault)
    return one.after(incident, remediate(incident, one.tools))


def goal(incident: Incident) -> Goal:
    assert incident.intent
    return incident.intent.goal


# ---- the plan


def test_the_intent_says_what_the_limits_are_to_be_and_nothing_has_changed_yet() -> None:
    one = scene()
    assert goal(intended(one, Action.SCALE_UP)) == Goal(limits=MORE)
    assert one.state().limits == LIMITS


def test_the_intent_says_which_release_is_gone_back_to() -> None:
    one = scene()
    one.knows_release(2)
    assert goal(intended(one, Action.ROLLBACK)) == Goal(image="shop/web:1", image_id="sha256:1")
    assert one.state().ref == one.ref


def raised_before(one: Scene) -> Incident:
    """A new incident; in an earlier one a person has approved of more, and it was kept."""
    first = decided(one, Action.SCALE_UP)
    first = one.after(first, [make.asked(make.approval(Action.SCALE_UP, shown=one.state())), make.approved()])
    first = one.after(first, intend(first, one.tools))
    first = one.after(first, remediate(first, one.tools))
    one.incidents.known["earlier"] = one.after(first, [make.verified(healthy=True), make.resolved()])
    return decided(one, Action.SCALE_UP)


def test_twice_the_first_limit_is_the_end_also_after_it_was_raised_before() -> None:
    """Nobody has set a ceiling: what it had at first is what an earlier incident has kept of it."""
    one = scene(labels=make.LABELS)
    now = raised_before(one)
    assert planned(now, Action.SCALE_UP, one.state(), one.tools).limits == Limits(memory_bytes=256 * MIB, cpus=0.5)


def test_the_limits_of_another_target_of_the_name_do_not_count() -> None:
    one = scene(labels=make.LABELS)
    now = raised_before(one)
    one.runtime.add(NAME, labels=one.state().labels, limits=Limits(memory_bytes=400 * MIB))
    assert planned(now, Action.SCALE_UP, one.state(), one.tools).limits == Limits(memory_bytes=600 * MIB)


@pytest.mark.parametrize(
    ("action", "reason"), [(Action.SCALE_UP, "no memory limit"), (Action.ROLLBACK, "no image that web has run")]
)
def test_what_cannot_be_done_is_refused_with_the_reason_and_nothing_is_done(action: Action, reason: str) -> None:
    one = Scene(labels=FREE, limits=Limits())
    before = decided(one, action)
    after = one.after(before, intend(before, one.tools))
    assert (after.status, after.attempts) == (Status.FAILED, 0)
    assert reason in (after.error or "")
    assert one.runtime.applied == []


def test_what_was_taken_back_once_is_not_done_again_in_the_same_incident() -> None:
    one = scene()
    incident = executed(one, Action.SCALE_UP).model_copy(update={"in_vain": (Action.SCALE_UP,)})
    assert "was taken back" in prospect(incident, Action.SCALE_UP, one.state(), one.tools).hindrance
    assert prospect(incident, Action.ROLLBACK, one.state(), one.tools).hindrance == ""


def test_what_was_taken_back_in_an_earlier_incident_is_not_done_to_the_same_target_again() -> None:
    one = scene()
    first = judged(one, Action.ROLLBACK, healthy=False)
    ended = one.after(one.after(first, undo(first, one.tools)), [make.gathered(one.state()), make.failed()])
    one.incidents.known["earlier"] = ended.model_copy(update={"id": "earlier"})
    told = prospect(decided(one, Action.ROLLBACK), Action.ROLLBACK, one.state(), one.tools).hindrance
    assert "did not help and was taken back" in told
    assert "earlier" in told
    assert prospect(decided(one, Action.SCALE_UP), Action.SCALE_UP, one.state(), one.tools).hindrance == ""


def test_the_next_release_of_a_service_may_be_rolled_back_again() -> None:
    """A service stays the same target whatever it runs."""
    one = scene()
    first = judged(one, Action.ROLLBACK, healthy=False)
    ended = one.after(one.after(first, undo(first, one.tools)), [make.gathered(one.state()), make.failed()])
    one.incidents.known["earlier"] = ended.model_copy(update={"id": "earlier"})
    one.runtime._change(NAME, image_id="sha256:3")
    assert prospect(decided(one, Action.ROLLBACK), Action.ROLLBACK, one.state(), one.tools).hindrance == ""


def test_a_newer_target_of_the_name_may_be_rolled_back_again() -> None:
    one = scene()
    first = judged(one, Action.ROLLBACK, healthy=False)
    ended = one.after(one.after(first, undo(first, one.tools)), [make.gathered(one.state()), make.failed()])
    one.incidents.known["earlier"] = ended.model_copy(update={"id": "earlier"})
    one.runtime.add(NAME, labels=FREE, limits=LIMITS, image_id="sha256:3")
    assert prospect(decided(one, Action.ROLLBACK), Action.ROLLBACK, one.state(), one.tools).hindrance == ""


# ---- one effect


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_was_done_is_told_and_on_which_target_it_can_be_verified(action: Action) -> None:
    one = scene()
    done = executed(one, action)
    assert (done.status, done.executed_on) == (Status.VERIFYING, one.state().ref)
    assert (done.executed_on == one.ref) is (action is Action.SCALE_UP)
    assert one.runtime.applied == [(action, one.ref)]


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_was_done_before_the_agent_was_killed_is_seen_and_not_done_again(action: Action) -> None:
    one = scene()
    incident = intended(one, action)
    assert incident.intent
    one.runtime.apply(action, incident.intent.before, incident.intent.goal)
    one.use(born=one.clock())
    now = one.state()
    done = one.after(incident, remediate(incident, one.tools))
    assert done.status is Status.VERIFYING
    assert (one.state().ref, one.state().limits, one.state().started_at) == (now.ref, now.limits, now.started_at)
    assert len(one.runtime.applied) == 1


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_a_lost_reply_is_made_up_for_by_looking(action: Action) -> None:
    one = scene()
    incident = intended(one, action)
    one.runtime.lost_replies.append(RuntimeUnavailable("reset by peer"))
    with pytest.raises(RuntimeUnavailable):
        remediate(incident, one.tools)
    stumbled = one.after(incident, [make.stage_failed(one.clock())])
    assert one.after(stumbled, remediate(stumbled, one.tools)).status is Status.VERIFYING
    assert len(one.runtime.applied) == 1


def test_what_a_person_has_stopped_meanwhile_is_not_changed() -> None:
    one = scene()
    incident = intended(one, Action.SCALE_UP)
    one.runtime.end(NAME, 143, by_person=True)
    after = one.after(incident, remediate(incident, one.tools))
    assert (after.status, after.attempts) == (Status.ANALYZING, 0)
    assert one.state().limits == LIMITS


def test_what_is_another_target_by_now_is_not_changed() -> None:
    one = scene()
    incident = intended(one, Action.SCALE_UP)
    one.runtime.add(NAME, labels=FREE, limits=LIMITS)
    after = one.after(incident, remediate(incident, one.tools))
    assert after.status is Status.ANALYZING
    assert one.state().limits == LIMITS


def test_what_was_killed_for_its_memory_is_started_with_more() -> None:
    one = scene()
    one.runtime.use(NAME, memory_bytes=200 * MIB)
    assert one.state().oom_killed
    executed(one, Action.SCALE_UP, Fault.OOM_KILLED)
    assert (one.state().running, one.state().limits) == (True, MORE)


# ---- what cannot be finished


class Unwilling(FakeRuntime):
    """A runtime that begins a change, and then says no, or nothing, for ever."""

    problem: RuntimeUnavailable | ActionUnsupported = ActionUnsupported("no such file to run")

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        if not self.applied:
            super().apply(action, before, goal)
            self._targets[NAME].state = self._targets[NAME].state.model_copy(update={"started_at": None})
        raise self.problem


def unwilling(problem: RuntimeUnavailable | ActionUnsupported) -> Scene:
    one = scene()
    runtime = Unwilling(one.clock)
    runtime.problem = problem
    known = one.state()
    one.runtime = runtime
    one.ref = runtime.add(NAME, labels=FREE, limits=LIMITS, image_id="sha256:2", image=known.image)
    runtime.under_way = lambda intent: bool(runtime.applied)
    one.runtime.images.add("sha256:1")
    one.use(effector=runtime, reverter=runtime, sensor=runtime, source=runtime)
    return one


def test_a_change_that_the_runtime_refuses_half_way_is_taken_back_and_counts_as_an_attempt() -> None:
    one = unwilling(ActionUnsupported("no such file to run"))
    incident = intended(one, Action.ROLLBACK)
    drafts = remediate(incident, one.tools)
    assert kinds(drafts) == [EventType.UNDONE, EventType.FAILED]
    after = one.after(incident, drafts)
    assert (after.attempts, after.in_vain, after.tried) == (
        1,
        (Action.ROLLBACK,),
        ("ROLLBACK: no such file to run",),
    )
    assert one.state().ref == one.ref


def test_a_change_that_is_not_finished_after_some_tries_is_taken_back() -> None:
    one = unwilling(RuntimeUnavailable("port is already allocated"))
    incident = intended(one, Action.ROLLBACK)
    for _ in range(MOST_TRIES):
        with pytest.raises(RuntimeUnavailable):
            remediate(incident, one.tools)
        incident = one.after(incident, [make.stage_failed(one.clock())])
    after = one.after(incident, remediate(incident, one.tools))
    assert after.status is Status.FAILED
    assert "port is already allocated" in (after.error or "")
    assert one.state().ref == one.ref


def test_while_the_engine_is_away_nothing_is_given_up() -> None:
    one = unwilling(RuntimeAway("the engine is stopped"))
    incident = intended(one, Action.ROLLBACK)
    for _ in range(MOST_TRIES + 2):
        with pytest.raises(RuntimeAway):
            remediate(incident, one.tools)
        incident = one.after(incident, [make.stage_failed(one.clock())])


# ---- kept, or taken back


def judged(one: Scene, action: Action, healthy: bool) -> Incident:
    return one.after(executed(one, action), [make.verified(healthy)])


def test_what_can_be_taken_back_is_judged_first_and_concluded_afterwards() -> None:
    one = scene()
    incident = executed(one, Action.SCALE_UP)
    one.clock.advance(15)
    drafts = verify(incident, one.tools)
    assert kinds(drafts) == [EventType.VERIFIED]
    after = one.after(incident, drafts)
    assert verify(after, one.tools) == ()
    assert kinds(undo(after, one.tools)) == [EventType.RESOLVED]


def leaks(one: Scene, bytes_per_second: float) -> None:
    """What the watcher measures for three minutes, every other second."""
    one.tools.sightings.saw([one.state()], {})
    for second in range(0, 180, 2):
        one.clock.advance(2)
        size = 60 * MIB + int(bytes_per_second * second)
        one.tools.sightings.measured(NAME, Usage(at=one.clock(), memory_bytes=size))
    one.runtime.use(NAME, memory_bytes=60 * MIB + int(bytes_per_second * 180))


@pytest.mark.parametrize(("pace", "helped"), [(0.3 * MIB, False), (0.05 * MIB, True), (0.0, True)])
def test_more_memory_is_no_help_to_a_leak_that_fills_it_within_ten_minutes(pace: float, helped: bool) -> None:
    one = scene()
    leaks(one, pace)
    incident = executed(one, Action.SCALE_UP)
    one.clock.advance(15)
    after = one.after(incident, verify(incident, one.tools))
    assert after.judgement
    assert after.judgement.healthy is helped, after.judgement.failures


def test_a_rollback_is_verified_on_the_target_that_it_has_put_in_the_place() -> None:
    one = scene()
    incident = executed(one, Action.ROLLBACK, Fault.UNHEALTHY)
    one.clock.advance(15)
    after = one.after(incident, verify(incident, one.tools))
    assert after.judgement
    assert after.judgement.healthy, after.judgement.failures
    assert one.after(after, undo(after, one.tools)).status is Status.RESOLVED


def test_what_has_helped_stays_and_the_broken_release_is_nothing_to_go_back_to() -> None:
    one = scene()
    one.knows_release(2)
    incident = judged(one, Action.ROLLBACK, healthy=True)
    assert one.after(incident, undo(incident, one.tools)).status is Status.RESOLVED
    assert one.state().image_id == "sha256:1"
    assert [known.image_id for known in one.releases.of(NAME)] == ["sha256:1"]
    assert incident.intent
    assert one.runtime.undo(incident.intent) == "", "nothing is kept aside any more"


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_has_not_helped_is_taken_back_before_anything_else_is_tried(action: Action) -> None:
    one = scene()
    incident = judged(one, action, healthy=False)
    drafts = undo(incident, one.tools)
    assert kinds(drafts) == [EventType.UNDONE, EventType.RESTED]
    after = one.after(incident, drafts)
    assert (after.status, after.in_vain) == (Status.ANALYZING, (action,))
    assert (one.state().ref, one.state().limits, one.state().image_id) == (one.ref, LIMITS, "sha256:2")


def test_a_killed_undo_is_finished_and_still_told() -> None:
    one = scene()
    incident = judged(one, Action.SCALE_UP, healthy=False)
    assert incident.intent
    one.runtime.undo(incident.intent)
    told, _ = drafts = undo(incident, one.tools)
    assert kinds(drafts) == [EventType.UNDONE, EventType.RESTED]
    assert told.data["seen"]


def test_what_cannot_be_taken_back_is_given_to_a_person() -> None:
    one = scene()
    incident = judged(one, Action.SCALE_UP, healthy=False)
    one.runtime.use(NAME, memory_bytes=150 * MIB)
    drafts = undo(incident, one.tools)
    assert kinds(drafts) == [EventType.FAILED]
    assert "could not be undone" in (one.after(incident, drafts).error or "")
    assert incident.intent
    with pytest.raises(NotUndone):
        one.runtime.undo(incident.intent)


def test_a_restart_leaves_nothing_to_take_back() -> None:
    one = scene()
    incident = one.after(executed(one, Action.RESTART), [make.verified(healthy=False)])
    assert undo(incident, one.tools) == ()


def test_an_approval_that_was_given_after_half_an_hour_is_still_carried_out() -> None:
    one = scene(labels=make.LABELS)
    incident = decided(one, Action.ROLLBACK)
    asked = make.approval(shown=one.state())
    waited = one.after(incident, [make.asked(asked)])
    one.clock.advance(1700)
    approved = one.after(waited, [make.approved()])
    assert kinds(intend(approved, one.tools)) == [EventType.ACTION_INTENDED]


def test_people_are_shown_what_would_change_and_exactly_that_is_done() -> None:
    one = scene(labels=make.LABELS)
    seen = make.gathered(one.state())
    said = one.incident(seen, make.diagnosed(make.diagnosis(Action.ROLLBACK)), fault=Fault.UNHEALTHY)
    asked = one.after(said, deliberate(said, one.tools))
    assert asked.approval
    assert "It would be shop/web:2 → shop/web:1." in asked.approval.reasons
    one.knows_release(3)
    approved = one.after(asked, [make.approved()])
    assert goal(one.after(approved, intend(approved, one.tools))).image_id == "sha256:1"


def test_what_was_approved_of_the_old_target_is_not_done_to_the_new_one() -> None:
    one = scene(labels=make.LABELS)
    waited = one.after(decided(one, Action.ROLLBACK), [make.asked(make.approval(shown=one.state()))])
    approved = one.after(waited, [make.approved()])
    one.runtime.add(NAME, labels=make.LABELS, image_id="sha256:2")
    after = one.after(approved, intend(approved, one.tools))
    assert (after.status, after.attempts) in {(Status.ANALYZING, 0), (Status.FAILED, 0)}
    assert one.runtime.applied == []
