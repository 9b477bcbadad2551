"""What each of the four agents says, and when it abstains."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain import voices
from aegis_core.domain.action import Action
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.logs import fold
from aegis_core.domain.opinion import Data, Opinion
from aegis_core.domain.policy import Circumstances, History, Policy
from aegis_core.domain.signal import FORESEEN, Fault, Severity
from aegis_core.domain.symptom import Thresholds
from aegis_core.domain.target import Health, RunState, TargetState, Usage
from aegis_core.domain.trust import Trust
from tests.examples import LABELS, NOON, diagnosis, later, state

LOOPING = state(run=RunState.RESTARTING)
RELEASED = ("11:58:00 image changed from shop:1 to shop:2",)


def evidence(target: TargetState | None = state(), fault: Fault = Fault.CRASHED, **known: Any) -> Evidence:
    return Evidence(**{"fault": fault, "severity": Severity.CRITICAL, "at": NOON, "target": target, **known})


def used(memory: float | None = None, cpu: float | None = None, **known: Any) -> TargetState:
    return state(usage=Usage(at=NOON, memory_bytes=1, memory_percent=memory, cpu_percent=cpu), **known)


def ended(exit_code: int | None = 1, **known: Any) -> TargetState:
    return state(run=RunState.EXITED, exit_code=exit_code, **known)


def detects(seen: Evidence, proposed: Action = Action.RESTART) -> Opinion | None:
    said = voices.detection(seen, proposed, Thresholds())
    return said if isinstance(said, Opinion) else None


# ---- detection


@pytest.mark.parametrize(
    ("seen", "called_for"),
    [
        (evidence(ended()), {Action.RESTART}),
        (evidence(ended(), changes=RELEASED), {Action.RESTART, Action.ROLLBACK}),
        (evidence(ended(137, oom_killed=True), Fault.OOM_KILLED), {Action.RESTART, Action.SCALE_UP}),
        (evidence(ended(127)), {Action.NOOP}),
        (evidence(ended(127), changes=RELEASED), {Action.ROLLBACK}),
        (evidence(LOOPING, Fault.CRASH_LOOP), {Action.RESTART}),
        (evidence(LOOPING, Fault.CRASH_LOOP, changes=RELEASED), {Action.RESTART, Action.ROLLBACK}),
        (evidence(state(started_at=later(-5)), Fault.CRASH_LOOP), {Action.RESTART}),
        (evidence(state(health=Health.UNHEALTHY), Fault.UNHEALTHY), {Action.RESTART}),
        (evidence(used(memory=93), Fault.MEMORY_PRESSURE), {Action.RESTART, Action.SCALE_UP}),
        (evidence(used(cpu=97), Fault.CPU_SATURATION), {Action.RESTART, Action.SCALE_UP}),
        (evidence(used(memory=70), Fault.MEMORY_PRESSURE, metrics={FORESEEN: 40.0}), {Action.RESTART}),
        (evidence(state(stopped_by_person=True)), {Action.NOOP}),
        (evidence(used(memory=40), Fault.MEMORY_PRESSURE), {Action.NOOP}),
        (evidence(state(), Fault.CRASHED), {Action.NOOP}),
        (evidence(state(), Fault.CRASH_LOOP), {Action.NOOP}),
        (evidence(state(health=Health.HEALTHY), Fault.UNHEALTHY), {Action.NOOP}),
        (evidence(state(), Fault.UNHEALTHY), {Action.RESTART, Action.NOOP}),
        (evidence(state(), Fault.LATENCY), {Action.RESTART, Action.NOOP}),
        (evidence(state(), Fault.CUSTOM), {Action.RESTART, Action.NOOP}),
    ],
)  # fmt: skip
def test_the_state_itself_calls_for_some_actions_and_for_no_other(seen: Evidence, called_for: set[Action]) -> None:
    said = {action: detects(seen, action) for action in Action}
    assert {opinion.action for opinion in said.values() if opinion} == called_for
    for action in called_for:
        assert said[action].action is action, "what is proposed and fits is not argued about"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "seen",
    [
        evidence(None),
        evidence(ended(0)),
        evidence(ended(None)),
        evidence(ended(0), Fault.CUSTOM),
        evidence(ended(0), Fault.LATENCY),
    ],
)
def test_where_nothing_can_be_observed_it_abstains(seen: Evidence) -> None:
    assert all(detects(seen, action) is None for action in Action)


def test_a_report_that_cannot_be_checked_counts_less_than_what_is_observed() -> None:
    reported, observed = detects(evidence(state(), Fault.UNHEALTHY)), detects(evidence(ended()))
    assert reported
    assert observed
    assert reported.confidence < observed.confidence


def test_the_thresholds_of_the_targets_own_labels_count() -> None:
    patient = used(memory=93, labels={**LABELS, "aegis.memory_percent": "95"})
    said = detects(evidence(patient, Fault.MEMORY_PRESSURE))
    assert said
    assert said.action is Action.NOOP


def test_what_has_not_helped_in_this_incident_is_called_for_less_surely_each_time() -> None:
    tried = ["RESTART: not healthy afterwards (running)", "web was recreated", "SCALE_UP: not healthy afterwards (…)"]
    said = [detects(evidence(ended(), tried=(*tried, *tried[:1] * more))) for more in range(2)]
    assert [one.confidence for one in said if one] == [0.85, 0.75]
    assert said[1]
    assert said[1].reason == "It ended with exit code 1. RESTART has not helped 2×."


LINES = st.lists(st.text(max_size=80) | st.sampled_from(["OOMKilled", "exit code 1", "action: ROLLBACK"]), max_size=8)


@given(lines=LINES, proposed=st.sampled_from(Action), fault=st.sampled_from(Fault))
def test_nothing_that_a_log_says_changes_what_it_detects(lines: list[str], proposed: Action, fault: Fault) -> None:
    silent = evidence(state(), fault)
    talking = silent.model_copy(update={"templates": fold(lines), "tail": tuple(lines), "happenings": tuple(lines)})
    thresholds = Thresholds()
    assert voices.detection(talking, proposed, thresholds) == voices.detection(silent, proposed, thresholds)


# ---- diagnosis


def test_the_brain_is_heard_as_it_spoke() -> None:
    said = voices.diagnosis(diagnosis(Action.ROLLBACK, 0.8))
    assert isinstance(said, Opinion)
    assert (said.action, said.confidence, said.reason) == (Action.ROLLBACK, 0.8, "A cache grows without bound.")


def test_a_brain_that_took_longer_than_its_limit_abstains() -> None:
    assert voices.diagnosis(diagnosis(seconds=180.5)) == "it took 180.5 s, and has 180 s"
    assert isinstance(voices.diagnosis(diagnosis(seconds=180)), Opinion)


# ---- prediction


def trust(successes: int, failures: int) -> Trust:
    mean = (1 + successes) / (2 + successes + failures)
    return Trust(
        action=Action.RESTART, successes=successes, failures=failures, streak=0, mean=mean, lower=0.5, newest=NOON
    )


def predicts(known: Trust | None, proposed: Action = Action.RESTART, foreseen: str = "", **seen: Any) -> Any:
    return voices.prediction(evidence(**{"fault": Fault.MEMORY_PRESSURE, **seen}), proposed, known, foreseen)


def test_without_a_lesson_or_a_forecast_it_abstains() -> None:
    assert predicts(None) == "there is no forecast, and no verified outcome of this action here"


def test_what_has_helped_here_is_expected_to_help_again_as_surely_as_it_did() -> None:
    said = predicts(trust(3, 0))
    assert (said.action, said.confidence) == (Action.RESTART, 0.8)
    assert said.reason == "RESTART helped 3 of 3 times here."


def test_what_has_not_helped_here_is_spoken_against() -> None:
    said = predicts(trust(0, 2))
    assert (said.action, said.confidence) == (Action.NOOP, 0.75)


def test_a_leak_that_is_about_to_end_calls_for_a_restart_and_not_for_more_memory() -> None:
    said = predicts(None, Action.SCALE_UP, "a leak reaches the limit in about 40 s")
    assert (said.action, said.reason) == (Action.RESTART, "A leak reaches the limit in about 40 s.")


def test_a_forecast_of_memory_says_nothing_of_other_troubles() -> None:
    assert isinstance(predicts(None, foreseen="a leak reaches the limit", fault=Fault.LATENCY), str)


# ---- resolution


def resolves(proposed: Action = Action.RESTART, target: TargetState | None = state(), **known: Any) -> Any:
    seen, hindrance = known.pop("seen", state()), known.pop("hindrance", "")
    around = Circumstances(target=target, **known)
    return voices.resolution(proposed, seen, around, hindrance=hindrance, policy=Policy(), now=NOON)


def test_it_can_be_done_and_the_bolder_the_less_sure() -> None:
    sure = [resolves(action).confidence for action in (Action.RESTART, Action.SCALE_UP, Action.ROLLBACK)]
    assert sure == sorted(sure, reverse=True)
    assert resolves().action is Action.RESTART


def test_soon_after_the_last_action_it_is_less_safe() -> None:
    just_now = History(attempts=(later(-5),), last_action_at=later(-5))
    assert resolves(history=just_now).confidence == 0.7
    long_ago = History(attempts=(later(-500),), last_action_at=later(-500))
    assert resolves(history=long_ago).confidence == 0.9


@pytest.mark.parametrize("action", list(Action))
def test_what_cannot_be_done_here_is_spoken_against_with_the_reason(action: Action) -> None:
    said = resolves(action, hindrance="It has no limit of its own.")
    assert (said.action, said.reason) == (Action.NOOP, "It has no limit of its own.")


def test_what_was_recreated_meanwhile_is_not_acted_on() -> None:
    said = resolves(target=state(id="b2"))
    assert said.action is Action.NOOP
    assert "recreated" in said.reason


@pytest.mark.parametrize(("target", "why"), [(None, "knows no such target"), (state(labels={}), "has not opted in")])
def test_of_what_must_not_be_touched_it_has_no_opinion(target: TargetState | None, why: str) -> None:
    assert why in resolves(target=target)


# ---- missing data


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (evidence(), set()),
        (evidence(missing=("logs: connection refused",)), {Data.LOGS}),
        (evidence(missing=("logs: the target has printed nothing",)), set()),
        (evidence(missing=("lessons: locked", "traces: no collector")), {Data.TRACES}),
        (evidence(state(), Fault.MEMORY_PRESSURE), {Data.METRICS}),
        (evidence(used(cpu=3), Fault.MEMORY_PRESSURE), {Data.METRICS}),
        (evidence(used(memory=3), Fault.MEMORY_PRESSURE), set()),
        (evidence(ended(), Fault.MEMORY_PRESSURE), set()),
        (evidence(at=NOON - timedelta(seconds=61)), {Data.FRESHNESS}),
    ],
)
def test_what_could_not_be_had_is_missed_and_what_is_merely_empty_is_not(seen: Evidence, missing: set[Data]) -> None:
    assert voices.missing_data(seen, NOON) == missing
