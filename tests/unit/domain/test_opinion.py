"""What a consensus must never do, whatever the agents say."""

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, canonical
from aegis_core.domain.opinion import (
    NEEDS,
    PENALTIES,
    QUORUM,
    SURE,
    TERMS,
    VOTERS,
    Consensus,
    Data,
    Opinion,
    consensus,
    lowered,
)
from aegis_core.domain.policy import Circumstances, Policy, Verdict, decide
from tests.examples import NOON, diagnosis, state

SHARES = st.floats(0, 1)
OPEN = state(labels={"aegis.enable": "true", "aegis.actions": "restart,scale_up,rollback"})
LIES = st.floats(allow_nan=True, allow_infinity=True).filter(lambda one: not 0 <= one <= 1)


def vote(agent: Agent, action: Any = Action.RESTART, confidence: float = 0.9, target: str = "") -> Opinion:
    return Opinion(agent=agent, action=action, confidence=confidence, reason="It hangs.", target=target)


def count(*opinions: Opinion, **known: Any) -> Consensus:
    return consensus(opinions, "web", **known)


def acts(result: Consensus, policy: Policy = Policy()) -> bool:
    """Whether anything would be done to a target that allows everything."""
    decision = decide(diagnosis(), result, Circumstances(target=OPEN), policy, NOON)
    return decision.verdict is Verdict.ACT and decision.action is not Action.NOOP


@st.composite
def panels(draw: st.DrawFn, least: int = 0) -> list[Opinion]:
    """One valid opinion of each of some agents."""
    agents = draw(st.lists(st.sampled_from(VOTERS), unique=True, min_size=least))
    return [vote(agent, draw(st.sampled_from(Action)), draw(SHARES)) for agent in agents]


# ---- what it must never do


@given(
    agent=st.sampled_from(VOTERS), threshold=SHARES, others=panels(), confidence=SHARES, action=st.sampled_from(Action)
)
def test_one_agent_alone_never_acts(
    agent: Agent, threshold: float, others: list[Opinion], confidence: float, action: Action
) -> None:
    """However sure it is, however low the threshold is set, and whatever the others want instead."""
    against = [one for one in others if one.agent is not agent and one.action is not action]
    result = count(vote(agent, action, confidence), *against)
    assume(result.action is action)
    assert not acts(result, Policy(confidence_threshold=threshold))


@given(panel=panels())
def test_without_a_quorum_nothing_is_done(panel: list[Opinion]) -> None:
    assert not acts(count(*panel[: QUORUM - 1]), Policy(confidence_threshold=0.0))


@given(panel=panels(least=1), data=st.data())
def test_raising_a_confidence_never_turns_the_winner_into_a_loser(panel: list[Opinion], data: st.DataObject) -> None:
    before = count(*panel)
    place = data.draw(st.sampled_from([at for at, one in enumerate(panel) if one.action is before.action]))
    surer = data.draw(st.floats(panel[place].confidence, 1))
    panel[place] = panel[place].model_copy(update={"confidence": surer})
    after = count(*panel)
    assert after.action is before.action
    assert after.confidence >= before.confidence
    assert acts(after) or not acts(before)


@given(panel=panels(), data=st.data())
def test_the_order_of_the_opinions_does_not_matter(panel: list[Opinion], data: st.DataObject) -> None:
    panel += data.draw(st.lists(st.sampled_from(panel), max_size=2)) if panel else []
    assert count(*data.draw(st.permutations(panel))) == count(*panel)


def told(result: Consensus) -> dict[str, Any]:
    return result.model_dump(exclude={"set_aside"})


@given(panel=panels(), liar=st.sampled_from(VOTERS), lie=LIES, action=st.sampled_from(Action))
def test_a_liar_out_of_range_changes_nothing(panel: list[Opinion], liar: Agent, lie: float, action: Action) -> None:
    honest = [one for one in panel if one.agent is not liar]
    result = count(*honest, vote(liar, action, lie))
    assert told(result) == told(count(*honest))
    assert "is not between 0 and 1" in result.set_aside[liar]


@given(panel=panels(), liar=st.sampled_from(VOTERS), lie=LIES)
def test_who_has_lied_once_is_not_believed_beside_it(panel: list[Opinion], liar: Agent, lie: float) -> None:
    honest = [one for one in panel if one.agent is not liar]
    assert told(count(*panel, vote(liar, confidence=lie))) == told(count(*honest))


@given(panel=panels(), agent=st.sampled_from(VOTERS), target=st.text(min_size=1))
def test_what_speaks_of_another_target_changes_nothing(panel: list[Opinion], agent: Agent, target: str) -> None:
    assume(target != "web")
    honest = [one for one in panel if one.agent is not agent]
    result = count(*honest, vote(agent, target=target))
    assert told(result) == told(count(*honest))
    assert "it speaks of" in result.set_aside[agent]


@given(panel=panels(), agent=st.sampled_from(VOTERS), action=st.text())
def test_an_unknown_action_changes_nothing_and_is_never_chosen(panel: list[Opinion], agent: Agent, action: str) -> None:
    assume(action not in set(Action))
    honest = [one for one in panel if one.agent is not agent]
    result = count(*honest, vote(agent, action))
    assert told(result) == told(count(*honest))
    assert agent in result.set_aside


@given(panel=panels())
def test_the_confidence_is_a_share_and_at_most_that_of_the_surest_who_is_for_it(panel: list[Opinion]) -> None:
    result = count(*panel)
    assert (
        0
        <= result.confidence
        <= max((one.confidence for one in panel if one.action is result.action), default=0) + 1e-6
    )
    assert sorted((*result.backers, *(Agent(words.split(":")[0]) for words in result.dissent))) == sorted(
        one.agent for one in panel
    )


@given(panel=panels(least=1))
def test_whoever_the_votes_come_from_nobody_has_more_weight_than_was_agreed(panel: list[Opinion]) -> None:
    result = count(*panel)
    weights = sum(TERMS[one.agent].weight for one in panel)
    mine = sum(TERMS[one.agent].weight * one.confidence for one in panel if one.action is result.action)
    assert result.confidence == pytest.approx(mine / weights, abs=1e-6)


@given(panel=panels(), data=st.data())
def test_to_do_without_something_never_makes_surer(panel: list[Opinion], data: st.DataObject) -> None:
    missing = data.draw(st.sets(st.sampled_from(Data)))
    for one in panel:
        assert 0 <= lowered(one, missing).confidence <= one.confidence + 1e-6


@given(lie=LIES, missing=st.sets(st.sampled_from(Data)), agent=st.sampled_from(VOTERS))
def test_a_lie_is_not_lowered_into_the_truth(lie: float, missing: set[Data], agent: Agent) -> None:
    liar = vote(agent, confidence=lie)
    assert lowered(liar, missing) == liar


# ---- the figures


def test_the_weights_are_those_that_were_agreed_and_nobody_else_votes() -> None:
    weights = {agent: TERMS[agent].weight for agent in Agent}
    assert weights == {
        Agent.DETECTION: 0.2, Agent.DIAGNOSIS: 0.4, Agent.PREDICTION: 0.3, Agent.RESOLUTION: 0.1,
        Agent.COMMUNICATION: 0,
    }  # fmt: skip
    assert (QUORUM, SURE) == (3, 0.7)
    assert PENALTIES == {Data.LOGS: 0.2, Data.METRICS: 0.15, Data.TRACES: 0.1, Data.FRESHNESS: 0.05}


def test_three_that_agree_come_to_their_weighted_mean() -> None:
    result = count(vote(Agent.DETECTION, confidence=1.0), vote(Agent.DIAGNOSIS), vote(Agent.RESOLUTION, confidence=0.5))
    assert result.confidence == pytest.approx((0.2 + 0.36 + 0.05) / 0.7, abs=1e-6)
    assert (result.action, result.votes, result.quorate) == (Action.RESTART, 3, True)


def test_who_disagrees_lowers_the_confidence_and_is_on_record() -> None:
    result = count(
        vote(Agent.DIAGNOSIS, confidence=1.0),
        vote(Agent.DETECTION, confidence=1.0),
        vote(Agent.PREDICTION, Action.NOOP, 0.75),
    )
    assert result.confidence == pytest.approx(0.6 / 0.9, abs=1e-6)
    assert result.backers == (Agent.DETECTION, Agent.DIAGNOSIS)
    assert result.dissent == ("prediction: NOOP (0.75). It hangs.",)


@pytest.mark.parametrize(("milder", "bolder"), [(Action.NOOP, Action.RESTART), (Action.SCALE_UP, Action.ROLLBACK)])
def test_of_actions_that_are_level_the_milder_one_wins(milder: Action, bolder: Action) -> None:
    level = vote(Agent.PREDICTION, bolder, 0.4), vote(Agent.DIAGNOSIS, milder, 0.3)
    assert count(*level).action is milder


def test_where_nobody_votes_nothing_is_proposed() -> None:
    result = count(abstained={Agent.PREDICTION: "there is no forecast"})
    assert (result.action, result.confidence, result.votes) == (Action.NOOP, 0, 0)
    assert result.abstained == {Agent.PREDICTION: "there is no forecast"}


def test_who_speaks_twice_has_no_vote_at_all() -> None:
    result = count(vote(Agent.DIAGNOSIS), vote(Agent.DIAGNOSIS, Action.NOOP), vote(Agent.DETECTION))
    assert result.backers == (Agent.DETECTION,)
    assert result.set_aside == {Agent.DIAGNOSIS: "it speaks more than once"}


def test_who_only_tells_people_has_no_vote() -> None:
    assert count(vote(Agent.COMMUNICATION)).set_aside == {Agent.COMMUNICATION: "it has no vote"}


def test_who_was_set_aside_earlier_in_the_incident_stays_so() -> None:
    result = count(vote(Agent.DIAGNOSIS), distrusted=(Agent.DIAGNOSIS,))
    assert (result.votes, result.set_aside[Agent.DIAGNOSIS]) == (0, "it was set aside earlier in this incident")


def test_an_agent_is_less_sure_without_what_it_judges_by_and_says_so() -> None:
    brain = lowered(vote(Agent.DIAGNOSIS), {Data.LOGS, Data.METRICS})
    assert brain.confidence == pytest.approx(0.55)
    assert brain.reason == "It hangs. (0.35 less sure, without logs and metrics)"
    hands = vote(Agent.RESOLUTION)
    assert lowered(hands, {Data.LOGS, Data.METRICS}) == hands, "it judges by neither"
    assert lowered(vote(Agent.DIAGNOSIS, confidence=0.1), set(Data)).confidence == 0


def test_all_that_can_be_missing_costs_and_is_missed_by_somebody() -> None:
    assert set(PENALTIES) == set(Data) == set().union(*NEEDS.values())


# ---- kept as it was given


@pytest.mark.parametrize("action", ["RESTART", "rm -rf /", ""])
@pytest.mark.parametrize("confidence", [0.5, -3.0, 7.0, math.nan, math.inf])
def test_whatever_an_agent_says_can_be_kept_and_read_back(action: str, confidence: float) -> None:
    said = vote(Agent.DIAGNOSIS, action, confidence, target="db")
    kept = said.model_dump(mode="json")
    canonical({"opinion": kept})
    assert Opinion.model_validate(kept) == said
    assert Opinion.model_validate_json(said.model_dump_json()) == said
    assert isinstance(said.action, Action) == (action == "RESTART")
