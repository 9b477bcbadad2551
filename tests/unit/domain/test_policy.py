"""What may be done about a consensus, rule by rule, in the order of the rules."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.action import Action
from aegis_core.domain.approval import Approval, Via
from aegis_core.domain.diagnosis import Category, Diagnosis
from aegis_core.domain.events import Agent
from aegis_core.domain.leave import Autonomy
from aegis_core.domain.opinion import Consensus
from aegis_core.domain.policy import (
    Circumstances,
    Decision,
    History,
    Policy,
    Verdict,
    attempts_in_window,
    decide,
    quarantined_until,
    rests_until,
    still,
)
from aegis_core.domain.standing import Standing
from aegis_core.domain.target import Health, Limits, RunState, TargetState, Watch
from tests.examples import NOON, approval, diagnosis, later, state

POLICY = Policy()
FRESH = History()
OWN = state("aegis", labels={"aegis.enable": "true", "aegis.self": "true"})
STRANGER = state(labels={})
STOPPED = state(run=RunState.EXITED, stopped_by_person=True)
THREE = (Agent.DETECTION, Agent.DIAGNOSIS, Agent.RESOLUTION)


def acted(*seconds_ago: float) -> History:
    moments = tuple(later(-ago) for ago in seconds_ago)
    return History(attempts=moments, last_action_at=max(moments))


def agreed(action: Action = Action.RESTART, confidence: float = 0.9, **known: Any) -> Consensus:
    return Consensus(action=action, confidence=confidence, **{"votes": 3, "backers": THREE, **known})


def labeled(**labels: str) -> TargetState:
    return state(labels={"aegis.enable": "true", **{f"aegis.{name}": word for name, word in labels.items()}})


def judge(
    action: Action = Action.RESTART,
    confidence: float = 0.9,
    target: TargetState | None = state(),
    policy: Policy = POLICY,
    said: Diagnosis | None = None,
    **known: Any,
) -> Decision:
    """Decide about three agents of four that agree."""
    around = Circumstances(target=target, **known)
    said = said or diagnosis(action, confidence)
    return decide(said, agreed(action, confidence), around, policy, NOON)


def test_a_sure_restart_of_an_opted_in_target_is_carried_out() -> None:
    decision = judge()
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.RESTART)
    assert "0.90 sure together (detection, diagnosis, resolution)" in decision.reasons[0]


# 1: the target


def test_a_target_that_is_not_there_cannot_be_acted_on() -> None:
    decision = judge(target=None)
    assert decision.verdict is Verdict.REFUSE
    assert "no target of this name" in decision.reasons[0]


def test_aegis_itself_is_refused_with_the_reason() -> None:
    decision = judge(target=OWN)
    assert decision.verdict is Verdict.REFUSE
    assert "part of Aegis itself" in decision.reasons[0]


@pytest.mark.parametrize("known_as", ["store", "0123456789ab"])
def test_what_belongs_to_aegis_by_name_or_hostname_is_refused_also_when_everything_is_watched(known_as: str) -> None:
    policy = Policy(watch=Watch.ALL, own_names=frozenset({known_as}))
    target = state("store", id="0123456789abcdef" * 4, labels={})
    assert judge(target=target, policy=policy).verdict is Verdict.REFUSE


def test_a_target_that_did_not_opt_in_is_refused_with_the_label_that_is_missing() -> None:
    decision = judge(target=STRANGER)
    assert decision.verdict is Verdict.REFUSE
    assert "aegis.enable=true" in decision.reasons[0]


def test_an_explicit_no_wins_over_watching_everything() -> None:
    target = state(labels={"aegis.enable": "false", "autoheal": "true"})
    assert judge(target=target, policy=Policy(watch=Watch.ALL)).verdict is Verdict.REFUSE


@pytest.mark.parametrize("target", [state(), None, OWN, STRANGER, state(health=Health.UNHEALTHY)])
@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_that_nothing_is_wrong_any_more_needs_nobodys_leave_and_nothing_is_done(
    target: TargetState | None, autonomy: Autonomy
) -> None:
    """Also of targets that must not be touched: their incident ends as what it is."""
    well = diagnosis(Action.NOOP, 0.1, category=Category.HEALTHY)
    decision = judge(target=target, history=acted(1, 2, 3), policy=Policy(autonomy=autonomy), said=well)
    assert (decision.verdict, decision.action, decision.confidence) == (Verdict.ACT, Action.NOOP, 0.1)
    assert "any more" in decision.reasons[0]


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.NOOP])
def test_who_calls_it_healthy_and_yet_wants_to_act_is_asked_about_the_target_first(action: Action) -> None:
    contradiction = diagnosis(action, 1.0, category=Category.HEALTHY)
    assert judge(action, 1.0, STRANGER, said=contradiction).verdict is Verdict.REFUSE
    assert judge(action, 1.0, None, said=contradiction).verdict is Verdict.REFUSE


@pytest.mark.parametrize("category", [one for one in Category if one is not Category.HEALTHY])
def test_no_action_on_a_stranger_is_refused_unless_nothing_is_wrong(category: Category) -> None:
    noop = diagnosis(Action.NOOP, 1.0, category=category)
    assert judge(Action.NOOP, 1.0, STRANGER, said=noop).verdict is Verdict.REFUSE


# 2: a person


def test_a_persons_stop_is_respected_with_no_action() -> None:
    decision = judge(target=STOPPED)
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.NOOP)
    assert "respected" in decision.reasons[0]


# 3: maintenance and autonomy


def test_in_maintenance_it_rests_and_looks_again_every_few_minutes_as_people_may_be_done_sooner() -> None:
    standing = Standing(maintenance_until=later(7200), by="ann", reason="new disks")
    decision = judge(standing=standing)
    assert (decision.verdict, decision.until) == (Verdict.REST, later(300))
    assert "Maintenance until 2026-11-20 14:00 UTC (ann, new disks)" in decision.reasons[0]
    assert judge(standing=Standing(maintenance_until=later(20))).until == later(20)


def test_when_maintenance_is_over_it_acts() -> None:
    assert judge(standing=Standing(maintenance_until=NOON)).verdict is Verdict.ACT


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_no_action_needs_nobodys_leave(autonomy: Autonomy) -> None:
    decision = judge(Action.NOOP, 0.1, history=acted(1), policy=Policy(autonomy=autonomy))
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.NOOP)


def test_who_only_observes_never_asks_and_says_what_it_would_have_done() -> None:
    decision = judge(policy=Policy(autonomy=Autonomy.OBSERVE))
    assert decision.verdict is Verdict.REFUSE
    assert decision.reasons == ("Autonomy is 'observe', so nothing is done. It would have been RESTART.",)


def test_who_only_suggests_asks_for_every_action() -> None:
    decision = judge(policy=Policy(autonomy=Autonomy.SUGGEST))
    assert decision.verdict is Verdict.ASK
    assert decision.reasons == ("Autonomy is 'suggest': RESTART needs a person.",)


@pytest.mark.parametrize(
    ("setting", "label", "verdict"),
    [
        (Autonomy.AUTO, "auto", Verdict.ACT),
        (Autonomy.AUTO, " Suggest ", Verdict.ASK),
        (Autonomy.AUTO, "observe", Verdict.REFUSE),
        (Autonomy.SUGGEST, "auto", Verdict.ASK),
        (Autonomy.SUGGEST, "observe", Verdict.REFUSE),
        (Autonomy.OBSERVE, "auto", Verdict.REFUSE),
        (Autonomy.AUTO, "", Verdict.ACT),
        (Autonomy.AUTO, "sugest", Verdict.ASK),
    ],
)
def test_of_setting_and_label_the_stricter_holds_and_a_misspelt_label_asks(
    setting: Autonomy, label: str, verdict: Verdict
) -> None:
    assert judge(target=labeled(autonomy=label), policy=Policy(autonomy=setting)).verdict is verdict


# 4: the allowed actions, and the votes


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_is_not_a_restart_needs_approval_however_sure_all_are(action: Action) -> None:
    decision = judge(action, 1.0)
    assert decision.verdict is Verdict.ASK
    assert decision.reasons == (f"{action} needs approval.",)


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("restart,scale_up,rollback", {Action.RESTART, Action.SCALE_UP, Action.ROLLBACK}),
        (" Scale-Up , restart ", {Action.RESTART, Action.SCALE_UP}),
        ("rollback", {Action.ROLLBACK}),
        ("", set()),
        ("everything", set()),
    ],
)
def test_the_label_says_what_needs_no_approval_and_nothing_else_does(label: str, allowed: set[Action]) -> None:
    target = labeled(actions=label, max_memory="1g")
    acts = {action for action in Action if judge(action, target=target).verdict is Verdict.ACT}
    assert acts == {*allowed, Action.NOOP}


@pytest.mark.parametrize("label", [{}, {"max_memory": "lots"}, {"max_cpus": "0"}])
def test_more_is_given_without_a_person_only_where_a_label_says_how_far(label: dict[str, str]) -> None:
    asked = judge(Action.SCALE_UP, target=labeled(actions="scale_up", **label))
    assert asked.verdict is Verdict.ASK
    assert asked.reasons == (
        "SCALE_UP needs approval: no label (aegis.max_memory or aegis.max_cpus) says how far it may go.",
    )
    assert judge(Action.SCALE_UP, target=labeled(actions="scale_up", max_cpus="2")).verdict is Verdict.ACT


@pytest.mark.parametrize(("label", "verdict"), [("", Verdict.ASK), ("many", Verdict.ASK), ("3", Verdict.ACT)])
def test_a_service_grows_without_a_person_only_where_a_label_says_how_far(label: str, verdict: Verdict) -> None:
    """A ceiling of memory says nothing of replicas."""
    known = labeled(actions="scale_up", max_replicas=label, max_memory="1g")
    decision = judge(Action.SCALE_UP, target=known.model_copy(update={"replicas": 1}))
    assert decision.verdict is verdict
    if verdict is Verdict.ASK:
        assert "aegis.max_replicas" in decision.reasons[0]


@pytest.mark.parametrize(("confidence", "verdict"), [(0.69, Verdict.ASK), (0.7, Verdict.ACT)])
def test_a_restart_needs_the_confidence_of_the_threshold(confidence: float, verdict: Verdict) -> None:
    assert judge(confidence=confidence).verdict is verdict


def test_without_a_quorum_a_person_is_asked() -> None:
    two = agreed(votes=2, backers=(Agent.DIAGNOSIS, Agent.RESOLUTION))
    decision = decide(diagnosis(), two, Circumstances(target=state()), POLICY, NOON)
    assert decision.verdict is Verdict.ASK
    assert "Only 2 of 4 agents" in decision.reasons[0]


def test_one_agent_alone_is_not_enough_however_low_the_threshold_is_set() -> None:
    alone = agreed(confidence=0.5, backers=(Agent.DIAGNOSIS,))
    around = Circumstances(target=state())
    assert decide(diagnosis(), alone, around, Policy(confidence_threshold=0.1), NOON).verdict is Verdict.ASK


def test_a_person_is_told_everything_that_needs_them() -> None:
    weak = agreed(Action.ROLLBACK, 0.3, votes=2, backers=(Agent.DIAGNOSIS,))
    suggest = Policy(autonomy=Autonomy.SUGGEST)
    decision = decide(diagnosis(Action.ROLLBACK), weak, Circumstances(target=state()), suggest, NOON)
    assert [reason.split()[0] for reason in decision.reasons] == ["Autonomy", "ROLLBACK", "Only", "Together", "One"]


# 5: cool-down and quarantine


def test_within_the_cool_down_it_rests_until_the_end_of_it() -> None:
    decision = judge(history=History(last_action_at=later(-59)))
    assert (decision.verdict, decision.until) == (Verdict.REST, later(1))


def test_when_the_cool_down_is_over_it_acts() -> None:
    assert judge(history=History(last_action_at=later(-60))).verdict is Verdict.ACT


def test_nobody_is_asked_within_the_cool_down() -> None:
    assert judge(confidence=0.1, history=History(last_action_at=later(-59))).verdict is Verdict.REST


def test_the_pause_doubles_with_each_attempt_in_vain_and_ends_with_the_window() -> None:
    pauses = []
    for attempts in range(6):
        history = History(attempts=(NOON,) * attempts, last_action_at=NOON)
        until = rests_until(history, POLICY)
        assert until
        pauses.append((until - NOON).total_seconds())
    assert pauses == [60, 60, 120, 240, 480, 600]


@pytest.mark.parametrize("action", list(Action))
def test_three_attempts_in_ten_minutes_are_enough_whatever_is_asked_for(action: Action) -> None:
    decision = judge(action, history=acted(899, 700, 300))
    assert (decision.verdict, decision.quarantined) == (Verdict.REFUSE, True)
    assert "3 attempts within 10 minutes" in decision.reasons[0]
    assert "left alone until 2026-11-20 12:55 UTC" in decision.reasons[0]


def test_three_attempts_that_lie_further_apart_are_no_quarantine() -> None:
    assert judge(history=acted(901, 700, 300)).verdict is Verdict.ACT
    assert quarantined_until(acted(1500, 900, 300), Standing(), POLICY) is None


def test_quarantine_ends_by_itself_after_its_time() -> None:
    assert judge(history=acted(3800, 3700, 3599)).verdict is Verdict.REFUSE
    assert judge(history=acted(3800, 3700, 3600)).verdict is Verdict.ACT


def test_after_a_quarantine_it_takes_three_more_attempts_to_the_next_one() -> None:
    before = (9000, 8900, 8800)
    assert judge(history=acted(*before, 1300)).verdict is Verdict.ACT
    assert judge(history=acted(*before, 1300, 1000, 800)).verdict is Verdict.REFUSE


def test_after_a_quarantine_the_pauses_grow_from_the_beginning() -> None:
    before = (9000, 8900, 8800)
    assert rests_until(acted(*before), POLICY) == later(-8800 + 240)
    assert rests_until(acted(*before, 100), POLICY) == later(-100 + 60)


def test_what_a_person_approved_within_a_quarantine_makes_it_no_shorter() -> None:
    assert quarantined_until(acted(3000, 2900, 2800, 1000), Standing(), POLICY) == later(-2800 + 3600)
    assert quarantined_until(acted(3000, 2900, 2800, 2700), Standing(), POLICY) == later(-2700 + 3600)


def test_a_release_by_hand_takes_what_was_before_out_of_account() -> None:
    assert judge(history=acted(899, 700, 300), standing=Standing(released_at=later(-299))).verdict is Verdict.ACT
    assert judge(history=acted(899, 700, 300), standing=Standing(released_at=later(-900))).verdict is Verdict.REFUSE


def test_a_quarantine_by_hand_holds_until_its_end() -> None:
    standing = Standing(quarantined_until=later(60), by="ann", reason="a puzzle")
    decision = judge(standing=standing)
    assert decision.verdict is Verdict.REFUSE
    assert "In quarantine (ann, a puzzle)" in decision.reasons[0]
    assert judge(standing=Standing(quarantined_until=NOON)).verdict is Verdict.ACT


def test_a_clock_that_was_set_back_an_hour_ends_no_limit_and_makes_no_pause_of_an_hour() -> None:
    many = acted(-3600, -3500, -3400)
    assert attempts_in_window(many, POLICY, NOON) == 3
    assert judge(history=many).verdict is Verdict.REFUSE
    assert judge(history=acted(-3600)).verdict is Verdict.ACT


def test_of_all_that_objects_the_strictest_verdict_holds() -> None:
    worn, asks = acted(3, 2, 1), {"action": Action.SCALE_UP, "confidence": 0.1}
    assert judge(**asks).verdict is Verdict.ASK
    assert judge(**asks, history=acted(3)).verdict is Verdict.REST
    assert judge(**asks, history=acted(3), policy=Policy(autonomy=Autonomy.OBSERVE)).verdict is Verdict.REFUSE
    assert judge(**asks, history=worn).verdict is Verdict.REFUSE
    assert judge(**asks, target=STRANGER, history=worn).reasons[0].startswith("web has not opted in")


# 6: dry run

DRY = Policy(dry_run=True)


def test_a_dry_run_says_what_it_would_have_done_and_does_nothing() -> None:
    decision = judge(policy=DRY)
    assert decision.verdict is Verdict.REFUSE
    assert decision.reasons == ("Dry run, so nothing is done. RESTART of web: that would have been done.",)


def test_a_dry_run_asks_nobody_for_what_would_not_be_done_anyway() -> None:
    decision = judge(Action.ROLLBACK, policy=DRY)
    assert decision.verdict is Verdict.REFUSE
    assert "a person would have been asked: ROLLBACK needs approval." in decision.reasons[0]


def test_a_dry_run_verifies_as_always_what_is_over_by_itself() -> None:
    assert judge(Action.NOOP, policy=DRY).verdict is Verdict.ACT


# at the moment of acting

BEFORE = state(limits=Limits(memory_bytes=2**27))
ASKED = judge(Action.ROLLBACK)
YES = approval(shown=BEFORE, approved=True, by="ann", via=Via.SLACK)


def again(decision: Decision, yes: Approval | None = None, policy: Policy = POLICY, **known: Any) -> Decision:
    return still(decision, yes, Circumstances(**{"target": BEFORE, **known}), policy, NOON)


def test_what_has_not_changed_is_still_agreed() -> None:
    assert again(judge()).verdict is Verdict.ACT


def test_what_a_person_has_approved_needs_no_votes_no_leave_and_no_cool_down() -> None:
    assert again(ASKED).verdict is Verdict.ASK
    decision = again(ASKED, YES, Policy(autonomy=Autonomy.SUGGEST), history=acted(5))
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.ROLLBACK)
    assert decision.reasons == ("ann has approved it.",)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"target": None}, "no target of this name"),
        ({"target": state(id="b2", limits=BEFORE.limits)}, "recreated since ann was asked"),
        ({"target": state(limits=Limits(memory_bytes=2**28))}, "limits of web were changed"),
        ({"target": BEFORE.model_copy(update={"definition": "another"})}, "updated since ann was asked"),
        ({"target": state(labels={}, limits=BEFORE.limits)}, "has not opted in"),
        ({"target": BEFORE, "history": acted(3, 2, 1)}, "In quarantine"),
        ({"target": BEFORE, "policy": DRY}, "Dry run"),
        ({"target": BEFORE, "policy": Policy(autonomy=Autonomy.OBSERVE)}, "'observe'"),
    ],
)
def test_an_approval_of_what_has_changed_meanwhile_is_refused_and_said(changed: dict[str, Any], reason: str) -> None:
    decision = again(ASKED, YES, **changed)
    assert decision.verdict is Verdict.REFUSE
    assert reason in decision.reasons[0]


def test_an_approval_waits_for_the_end_of_maintenance_and_for_nobody_who_stopped_it() -> None:
    assert again(ASKED, YES, standing=Standing(maintenance_until=later(60))).until == later(60)
    assert again(ASKED, YES, target=BEFORE.model_copy(update={"stopped_by_person": True})).until == NOON


@pytest.mark.parametrize("no", [None, approval(shown=BEFORE), approval(shown=BEFORE, approved=False)])
def test_without_a_yes_nothing_is_approved(no: Approval | None) -> None:
    assert again(ASKED, no).verdict is Verdict.ASK


def test_a_yes_to_one_action_is_no_yes_to_another() -> None:
    assert again(ASKED, YES.model_copy(update={"action": Action.SCALE_UP})).verdict is Verdict.ASK


def test_a_decision_of_before_the_agents_voted_is_asked_no_votes() -> None:
    """It was made by an earlier version of Aegis."""
    old = Decision(verdict=Verdict.ACT, action=Action.RESTART, confidence=0.9, reasons=("Opted in.",))
    assert again(old).verdict is Verdict.ACT


# whatever comes

MOMENTS = st.floats(-7200, 7200).map(later)


@given(
    action=st.sampled_from(Action),
    confidence=st.floats(0, 1),
    votes=st.integers(0, 4),
    labels=st.dictionaries(
        st.sampled_from(["aegis.enable", "autoheal", "aegis.self"]), st.sampled_from(["true", "no"])
    ),
    word=st.sampled_from(["", "restart", "scale_up", "rollback"]) | st.none(),
    autonomy=st.sampled_from(Autonomy),
    watch=st.sampled_from(Watch),
    stopped=st.booleans(),
    dry=st.booleans(),
    attempts=st.lists(MOMENTS, max_size=6),
)
def test_whatever_comes_only_what_is_allowed_and_sure_of_a_willing_target_in_its_limits_is_ever_done(
    *, action, confidence, votes, labels, word, autonomy, watch, stopped, dry, attempts
) -> None:
    policy = Policy(autonomy=autonomy, watch=watch, dry_run=dry)
    history = History(attempts=tuple(attempts), last_action_at=max(attempts, default=None))
    labels = labels if word is None else {**labels, "aegis.actions": word}
    target = state(labels=labels, stopped_by_person=stopped)
    heard = agreed(action, confidence, votes=votes, backers=THREE[:votes])
    decision = decide(diagnosis(action), heard, Circumstances(target=target, history=history), policy, NOON)
    assert decision.reasons
    assert (decision.until is not None) == (decision.verdict is Verdict.REST)
    if decision.until:
        assert NOON < decision.until <= NOON + timedelta(seconds=policy.attempt_window_seconds)
    if decision.verdict is not Verdict.ACT or decision.action is Action.NOOP:
        return
    assert decision.action == action
    assert action.lower() == (word or "restart") if word is not None else action is Action.RESTART
    assert (autonomy, stopped, dry) == (Autonomy.AUTO, False, False)
    assert votes >= 3
    assert confidence >= policy.confidence_threshold
    assert labels.get("aegis.enable") != "no"
    assert labels.get("aegis.self") != "true"
    assert watch is Watch.ALL or "true" in {labels.get("aegis.enable"), labels.get("autoheal")}
    assert attempts_in_window(history, policy, NOON) < policy.max_attempts
