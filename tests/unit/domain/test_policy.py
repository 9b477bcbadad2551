"""What may be done about a diagnosis, rule by rule, in the order of the rules."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.policy import Autonomy, History, Policy, Verdict, attempts_in_window, decide, rests_until
from aegis_core.domain.target import Health, RunState, TargetState, Watch
from tests.examples import NOON, diagnosis, later, state

POLICY = Policy()
FRESH = History()
OWN = state("aegis", labels={"aegis.enable": "true", "aegis.self": "true"})
STRANGER = state(labels={})
STOPPED = state(run=RunState.EXITED, stopped_by_person=True)


def acted(*seconds_ago: float) -> History:
    moments = tuple(later(-ago) for ago in seconds_ago)
    return History(attempts=moments, last_action_at=max(moments))


def test_a_sure_restart_of_an_opted_in_target_is_carried_out() -> None:
    decision = decide(diagnosis(), state(), FRESH, POLICY, NOON)
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.RESTART)


def test_a_target_that_is_not_there_cannot_be_acted_on() -> None:
    decision = decide(diagnosis(), None, FRESH, POLICY, NOON)
    assert decision.verdict is Verdict.REFUSE
    assert "no target of this name" in decision.reasons[0]


def test_aegis_itself_is_refused_with_the_reason() -> None:
    decision = decide(diagnosis(), OWN, FRESH, POLICY, NOON)
    assert decision.verdict is Verdict.REFUSE
    assert "part of Aegis itself" in decision.reasons[0]


@pytest.mark.parametrize("known_as", ["store", "0123456789ab"])
def test_what_belongs_to_aegis_by_name_or_hostname_is_refused_also_when_everything_is_watched(known_as: str) -> None:
    policy = Policy(watch=Watch.ALL, own_names=frozenset({known_as}))
    target = state("store", id="0123456789abcdef" * 4, labels={})
    assert decide(diagnosis(), target, FRESH, policy, NOON).verdict is Verdict.REFUSE


def test_a_target_that_did_not_opt_in_is_refused_with_the_label_that_is_missing() -> None:
    decision = decide(diagnosis(), STRANGER, FRESH, POLICY, NOON)
    assert decision.verdict is Verdict.REFUSE
    assert "aegis.enable=true" in decision.reasons[0]


def test_an_explicit_no_wins_over_watching_everything() -> None:
    target = state(labels={"aegis.enable": "false", "autoheal": "true"})
    assert decide(diagnosis(), target, FRESH, Policy(watch=Watch.ALL), NOON).verdict is Verdict.REFUSE


def test_a_persons_stop_is_respected_with_no_action() -> None:
    decision = decide(diagnosis(), STOPPED, FRESH, POLICY, NOON)
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.NOOP)
    assert "respected" in decision.reasons[0]


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_no_action_needs_nobodys_leave(autonomy: Autonomy) -> None:
    decision = decide(diagnosis(Action.NOOP, 0.1), state(), acted(1, 2, 3), Policy(autonomy=autonomy), NOON)
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.NOOP)


@pytest.mark.parametrize("target", [state(), None, OWN, STRANGER, state(health=Health.UNHEALTHY)])
@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_that_nothing_is_wrong_any_more_needs_nobodys_leave_and_nothing_is_done(
    target: TargetState | None, autonomy: Autonomy
) -> None:
    """Also of targets that must not be touched: their incident ends as what it is."""
    well = diagnosis(Action.NOOP, 0.1, category=Category.HEALTHY)
    decision = decide(well, target, acted(1, 2, 3), Policy(autonomy=autonomy), NOON)
    assert (decision.verdict, decision.action) == (Verdict.ACT, Action.NOOP)
    assert "any more" in decision.reasons[0]


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.NOOP])
def test_who_calls_it_healthy_and_yet_wants_to_act_is_asked_about_the_target_first(action: Action) -> None:
    contradiction = diagnosis(action, 1.0, category=Category.HEALTHY)
    assert decide(contradiction, STRANGER, FRESH, POLICY, NOON).verdict is Verdict.REFUSE
    assert decide(contradiction, None, FRESH, POLICY, NOON).verdict is Verdict.REFUSE


@pytest.mark.parametrize("category", [one for one in Category if one is not Category.HEALTHY])
def test_no_action_on_a_stranger_is_refused_unless_nothing_is_wrong(category: Category) -> None:
    noop = diagnosis(Action.NOOP, 1.0, category=category)
    assert decide(noop, STRANGER, FRESH, POLICY, NOON).verdict is Verdict.REFUSE


@pytest.mark.parametrize("autonomy", [Autonomy.OBSERVE, Autonomy.SUGGEST])
def test_without_autonomy_every_action_is_asked_for(autonomy: Autonomy) -> None:
    decision = decide(diagnosis(), state(), FRESH, Policy(autonomy=autonomy), NOON)
    assert decision.verdict is Verdict.ASK
    assert autonomy in decision.reasons[0]


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_is_not_a_restart_needs_approval_however_sure_the_brain_is(action: Action) -> None:
    decision = decide(diagnosis(action, 1.0), state(), FRESH, POLICY, NOON)
    assert decision.verdict is Verdict.ASK
    assert decision.reasons == (f"{action} needs approval.",)


@pytest.mark.parametrize(("confidence", "verdict"), [(0.69, Verdict.ASK), (0.7, Verdict.ACT)])
def test_a_restart_needs_the_confidence_of_the_threshold(confidence: float, verdict: Verdict) -> None:
    assert decide(diagnosis(confidence=confidence), state(), FRESH, POLICY, NOON).verdict is verdict


def test_within_the_cool_down_it_rests_until_the_end_of_it() -> None:
    decision = decide(diagnosis(), state(), History(last_action_at=later(-59)), POLICY, NOON)
    assert (decision.verdict, decision.until) == (Verdict.REST, later(1))


def test_when_the_cool_down_is_over_it_acts() -> None:
    assert decide(diagnosis(), state(), History(last_action_at=later(-60)), POLICY, NOON).verdict is Verdict.ACT


def test_the_pause_doubles_with_each_attempt_in_vain_and_ends_with_the_window() -> None:
    pauses = []
    for attempts in range(6):
        history = History(attempts=(NOON,) * attempts, last_action_at=NOON)
        until = rests_until(history, POLICY)
        assert until
        pauses.append((until - NOON).total_seconds())
    assert pauses == [60, 60, 120, 240, 480, 600]


def test_three_attempts_in_ten_minutes_are_enough() -> None:
    decision = decide(diagnosis(), state(), acted(599, 400, 300), POLICY, NOON)
    assert decision.verdict is Verdict.REFUSE
    assert "3 attempts within 10 minutes" in decision.reasons[0]


def test_an_attempt_outside_the_window_no_longer_counts() -> None:
    assert decide(diagnosis(), state(), acted(601, 500, 400), POLICY, NOON).verdict is Verdict.ACT


def test_a_clock_that_was_set_back_an_hour_ends_no_limit_and_makes_no_pause_of_an_hour() -> None:
    many = acted(-3600, -3500, -3400)
    assert attempts_in_window(many, POLICY, NOON) == 3
    assert decide(diagnosis(), state(), many, POLICY, NOON).verdict is Verdict.REFUSE
    assert decide(diagnosis(), state(), acted(-3600), POLICY, NOON).verdict is Verdict.ACT


def test_the_rules_are_asked_in_order_the_target_before_the_action_before_the_history() -> None:
    worn = acted(3, 2, 1)
    asked = diagnosis(Action.SCALE_UP, 0.1)
    assert decide(asked, STRANGER, worn, POLICY, NOON).verdict is Verdict.REFUSE
    assert decide(asked, state(), worn, POLICY, NOON).verdict is Verdict.ASK
    assert decide(diagnosis(confidence=0.1), state(), worn, POLICY, NOON).verdict is Verdict.ASK
    assert "attempts within" in decide(diagnosis(), state(), worn, POLICY, NOON).reasons[0]


MOMENTS = st.floats(-7200, 7200).map(later)


@given(
    action=st.sampled_from(Action),
    confidence=st.floats(0, 1),
    labels=st.dictionaries(
        st.sampled_from(["aegis.enable", "autoheal", "aegis.self"]), st.sampled_from(["true", "no"])
    ),
    autonomy=st.sampled_from(Autonomy),
    watch=st.sampled_from(Watch),
    stopped=st.booleans(),
    attempts=st.lists(MOMENTS, max_size=6),
)
def test_whatever_comes_only_a_sure_restart_of_a_willing_target_in_its_limits_is_ever_done(
    *, action, confidence, labels, autonomy, watch, stopped, attempts
) -> None:
    policy = Policy(autonomy=autonomy, watch=watch)
    history = History(attempts=tuple(attempts), last_action_at=max(attempts, default=None))
    target = state(labels=labels, stopped_by_person=stopped)
    decision = decide(diagnosis(action, confidence), target, history, policy, NOON)
    assert decision.reasons
    assert (decision.until is not None) == (decision.verdict is Verdict.REST)
    if decision.until:
        assert NOON < decision.until <= NOON + timedelta(seconds=policy.attempt_window_seconds)
    if decision.verdict is not Verdict.ACT or decision.action is Action.NOOP:
        return
    assert (decision.action, autonomy, stopped) == (Action.RESTART, Autonomy.AUTO, False)
    assert confidence >= policy.confidence_threshold
    assert labels.get("aegis.enable") != "no"
    assert labels.get("aegis.self") != "true"
    assert watch is Watch.ALL or "true" in {labels.get("aegis.enable"), labels.get("autoheal")}
    assert attempts_in_window(history, policy, NOON) < policy.max_attempts
