"""Model and rules are arbitrated: what they share is surer, and nothing is done that the rules would not do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.action import Action
from aegis_core.domain.arbitration import Witnessed, arbitrate
from aegis_core.domain.diagnosis import Category, Diagnosis, Source, Suspicion, Tokens
from aegis_core.domain.opinion import SURE
from tests.examples import diagnosis

RULES = {"source": Source.RULES, "model": "rules-9", "root_cause": "It ran out of memory.", "evidence": ("E of rules",)}
MODEL = {"source": Source.CLOUD, "model": "small-1", "root_cause": "The cache is too big.", "evidence": ("E of model",)}
CERTAIN, HALF = 0.9, 0.6

confidences = st.floats(min_value=0, max_value=1)
diagnoses = st.builds(
    lambda source, category, action, confidence: diagnosis(action, confidence, source=source, category=category),
    st.sampled_from([Source.CLOUD, Source.OLLAMA]),
    st.sampled_from(Category),
    st.sampled_from(Action),
    confidences,
)
suspicions = st.builds(
    lambda category, action, confidence: suspicion(category, confidence, action),
    st.sampled_from(Category),
    st.sampled_from(Action),
    confidences,
)
witnessed = st.builds(
    lambda said, suspected: Witnessed(diagnosis=said.model_copy(update=RULES), suspected=tuple(suspected)),
    diagnoses,
    st.lists(suspicions, max_size=4),
)


def suspicion(category: Category, confidence: float, action: Action = Action.NOOP) -> Suspicion:
    return Suspicion(category=category, action=action, confidence=confidence, evidence=("E of rules",))


def said(category: Category, action: Action, confidence: float = CERTAIN) -> Diagnosis:
    return diagnosis(action, confidence, **MODEL, category=category)


def heard(category: Category, action: Action, confidence: float, *suspected: Suspicion) -> Witnessed:
    return Witnessed(
        diagnosis=diagnosis(action, confidence, **RULES, category=category),
        suspected=suspected or (suspicion(category, confidence, action),),
    )


@given(diagnoses, witnessed)
def test_it_never_acts_where_the_rules_alone_would_not(model: Diagnosis, rules: Witnessed) -> None:
    made, alone = arbitrate(model, rules), rules.diagnosis
    if made.action is not Action.NOOP and made.confidence >= SURE:
        assert made.action is alone.action
        assert alone.confidence >= SURE


@given(diagnoses, witnessed)
def test_a_model_that_is_right_by_the_rules_never_makes_them_less_sure(model: Diagnosis, rules: Witnessed) -> None:
    alone = rules.diagnosis
    agreeing = model.model_copy(update={"category": alone.category, "action": alone.action})
    made = arbitrate(agreeing, rules)
    assert (made.category, made.action) == (alone.category, alone.action)
    assert made.confidence >= round(alone.confidence, 2)
    assert made.dissent == ()


@given(diagnoses, witnessed)
def test_whoever_is_contradicted_never_makes_the_other_surer(model: Diagnosis, rules: Witnessed) -> None:
    made = arbitrate(model, rules)
    if (model.category, model.action) != (rules.diagnosis.category, rules.diagnosis.action):
        assert made.confidence <= round(max(model.confidence, rules.diagnosis.confidence), 2)


@given(diagnoses, witnessed)
def test_an_action_on_which_they_differ_is_never_done_without_a_person(model: Diagnosis, rules: Witnessed) -> None:
    made = arbitrate(model, rules)
    if model.action is not rules.diagnosis.action and made.action is not Action.NOOP:
        assert made.confidence < SURE


@given(diagnoses, witnessed)
def test_the_cause_is_one_that_somebody_named_and_so_is_the_action(model: Diagnosis, rules: Witnessed) -> None:
    made = arbitrate(model, rules)
    assert made.category in (model.category, rules.diagnosis.category)
    assert made.action in (model.action, rules.diagnosis.action, Action.NOOP)


@given(diagnoses, witnessed)
def test_whatever_both_say_the_confidence_stays_between_0_and_1(model: Diagnosis, rules: Witnessed) -> None:
    assert 0.0 <= arbitrate(model, rules).confidence <= 1.0


def test_it_is_the_answer_of_the_model_that_was_asked_whoever_was_believed() -> None:
    asked = said(Category.DNS_FAILURE, Action.NOOP).model_copy(
        update={"seconds": 4.2, "tokens": Tokens(prompt=9, completion=3), "prompt": "diagnose_v9"}
    )
    for certainty in (CERTAIN, HALF, 0.3):
        made = arbitrate(asked, heard(Category.OOM, Action.RESTART, certainty))
        assert (made.source, made.model, made.prompt) == (Source.CLOUD, "small-1", "diagnose_v9")
        assert (made.seconds, made.tokens) == (4.2, Tokens(prompt=9, completion=3))


def test_sure_rules_are_believed_about_the_cause_and_the_dissent_says_what_the_model_saw() -> None:
    made = arbitrate(said(Category.DNS_FAILURE, Action.NOOP), heard(Category.OOM, Action.NOOP, CERTAIN))
    assert (made.category, made.root_cause) == (Category.OOM, "It ran out of memory.")
    assert SURE <= made.confidence < CERTAIN
    assert made.dissent == ("cloud small-1: dns_failure, NOOP (0.90). The cache is too big.",)
    assert "the rules are surer" in made.justification


def test_a_model_that_would_not_act_where_the_rules_would_has_a_person_asked() -> None:
    for category in (Category.OOM, Category.DNS_FAILURE):
        made = arbitrate(said(category, Action.NOOP), heard(Category.OOM, Action.RESTART, 0.95))
        assert made.action is Action.RESTART
        assert made.confidence < SURE
        assert made.dissent


def test_a_model_that_would_act_where_the_rules_would_not_acts_on_nothing() -> None:
    for certainty in (CERTAIN, HALF, 0.3):
        for category in (Category.OOM, Category.TLS_EXPIRED):
            made = arbitrate(said(category, Action.RESTART), heard(Category.TLS_EXPIRED, Action.NOOP, certainty))
            assert made.action is Action.NOOP


@pytest.mark.parametrize("cause", [Category.TLS_EXPIRED, Category.STALE_CONNECTION])
def test_where_the_rules_would_do_nothing_only_a_model_that_is_surer_has_a_person_asked(cause: Category) -> None:
    rules = heard(Category.TLS_EXPIRED, Action.NOOP, CERTAIN)
    for sure, asked in ((0.7, False), (0.95, True)):
        made = arbitrate(said(cause, Action.RESTART, sure), rules)
        assert (made.category, made.action) == (Category.TLS_EXPIRED, Action.NOOP)
        assert (made.confidence < SURE) is asked
        assert made.dissent[0].startswith(f"cloud small-1: {cause}, RESTART")


def test_where_the_rules_know_nothing_the_model_names_the_cause_and_a_person_is_asked() -> None:
    nothing = Witnessed(diagnosis=diagnosis(Action.NOOP, 0.3, **RULES, category=Category.UNKNOWN))
    made = arbitrate(said(Category.APP_CRASH_BUG, Action.RESTART), nothing)
    assert (made.category, made.action) == (Category.APP_CRASH_BUG, Action.RESTART)
    assert made.confidence < SURE
    assert "a person should look" in made.justification


def test_of_a_cause_that_nobody_else_sees_only_a_sure_model_proposes_an_action() -> None:
    nothing = Witnessed(diagnosis=diagnosis(Action.NOOP, 0.3, **RULES, category=Category.UNKNOWN))
    made = arbitrate(said(Category.APP_CRASH_BUG, Action.RESTART, 0.7), nothing)
    assert (made.category, made.action) == (Category.APP_CRASH_BUG, Action.NOOP)
    assert "would RESTART" in made.justification


@pytest.mark.parametrize(("second", "believed"), [(0.35, Category.DISK_FULL), (0.1, Category.OOM)])
def test_of_two_causes_that_the_rules_suspect_alike_the_model_decides(second: float, believed: Category) -> None:
    two = (suspicion(Category.OOM, HALF, Action.RESTART), suspicion(Category.DISK_FULL, second))
    made = arbitrate(said(Category.DISK_FULL, Action.NOOP), heard(Category.OOM, Action.RESTART, HALF, *two))
    assert made.category is believed
    assert made.confidence < SURE
    assert len(made.dissent) == 1


def test_what_the_model_decides_between_is_proposed_only_where_both_would_do_it() -> None:
    two = (suspicion(Category.OOM, HALF, Action.RESTART), suspicion(Category.STALE_CONNECTION, 0.4, Action.RESTART))
    for action, proposed in ((Action.RESTART, Action.RESTART), (Action.NOOP, Action.NOOP)):
        rules = heard(Category.OOM, action, HALF, *two)
        made = arbitrate(said(Category.STALE_CONNECTION, Action.NOOP), rules)
        assert (made.category, made.action) == (Category.STALE_CONNECTION, proposed)
        assert made.dissent[0].startswith("rules rules-9: oom")


def test_unsure_rules_that_see_no_more_than_a_crash_give_way_to_any_cause_of_it() -> None:
    crash = heard(Category.APP_CRASH_BUG, Action.RESTART, HALF)
    assert arbitrate(said(Category.TLS_EXPIRED, Action.NOOP), crash).category is Category.TLS_EXPIRED
    sure = heard(Category.APP_CRASH_BUG, Action.RESTART, CERTAIN)
    assert arbitrate(said(Category.TLS_EXPIRED, Action.NOOP), sure).category is Category.APP_CRASH_BUG


@pytest.mark.parametrize("vague", [Category.UNKNOWN, Category.HEALTHY, Category.APP_CRASH_BUG])
def test_a_model_that_sees_nothing_in_particular_takes_no_cause_away(vague: Category) -> None:
    two = (suspicion(Category.OOM, 0.4, Action.RESTART), suspicion(vague, 0.4))
    assert arbitrate(said(vague, Action.NOOP), heard(Category.OOM, Action.RESTART, 0.4, *two)).category is Category.OOM


def test_of_two_actions_the_one_of_whoever_is_surer_is_put_before_a_person() -> None:
    rules = heard(Category.OOM, Action.RESTART, CERTAIN)
    for sure, proposed in ((0.99, Action.SCALE_UP), (0.6, Action.RESTART)):
        made = arbitrate(said(Category.OOM, Action.SCALE_UP, sure), rules)
        assert made.action is proposed
        assert made.confidence < SURE
        assert "SCALE_UP" in made.dissent[0]


def test_unsure_about_what_follows_is_not_unsure_about_the_cause() -> None:
    """An action that a person has to agree to is told with little confidence, whatever is known of the cause."""
    sure_of_cause = heard(Category.OOM, Action.RESTART, HALF, suspicion(Category.OOM, CERTAIN, Action.RESTART))
    assert arbitrate(said(Category.DISK_FULL, Action.NOOP), sure_of_cause).category is Category.OOM


def test_the_lines_of_both_are_cited_each_once() -> None:
    model = said(Category.OOM, Action.RESTART).model_copy(update={"evidence": ("E of model", "E of rules")})
    made = arbitrate(model, heard(Category.OOM, Action.RESTART, CERTAIN))
    assert sorted(made.evidence) == ["E of model", "E of rules"]
