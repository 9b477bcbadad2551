"""What the state of a target, its samples and its ends say about it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.signal import Fault
from aegis_core.domain.symptom import (
    Symptom,
    Thresholds,
    loop_of,
    pressure_of,
    steady_seconds,
    subsided,
    symptom_of,
    thresholds_of,
)
from aegis_core.domain.target import Health, RunState, Usage
from tests.examples import NOON, later, state

ENDED = {"run": RunState.EXITED, "finished_at": later(-5)}


@pytest.mark.parametrize("health", [Health.NONE, Health.STARTING, Health.HEALTHY])
def test_what_runs_and_is_not_unhealthy_is_well(health: Health) -> None:
    assert symptom_of(state(health=health)) is None


def test_what_runs_and_fails_its_check_is_unhealthy() -> None:
    symptom = symptom_of(state(health=Health.UNHEALTHY))
    assert symptom
    assert symptom.fault is Fault.UNHEALTHY


@pytest.mark.parametrize("run", [RunState.EXITED, RunState.DEAD])
def test_an_end_with_an_exit_code_is_a_crash(run: RunState) -> None:
    symptom = symptom_of(state(**{**ENDED, "run": run}, exit_code=3))
    assert symptom
    assert (symptom.fault, symptom.since, symptom.metrics) == (Fault.CRASHED, later(-5), {"exit_code": 3.0})


def test_a_kill_for_memory_is_told_from_a_crash() -> None:
    symptom = symptom_of(state(**ENDED, exit_code=137, oom_killed=True))
    assert symptom
    assert symptom.fault is Fault.OOM_KILLED


def test_an_end_whose_exit_code_nobody_knows_is_a_crash() -> None:
    symptom = symptom_of(state(**ENDED, exit_code=None))
    assert symptom
    assert (symptom.fault, symptom.metrics) == (Fault.CRASHED, {})


def test_an_orderly_end_and_a_persons_stop_are_no_trouble() -> None:
    assert symptom_of(state(**ENDED, exit_code=0)) is None
    assert symptom_of(state(**ENDED, exit_code=137, stopped_by_person=True)) is None


@pytest.mark.parametrize("run", [RunState.CREATED, RunState.PAUSED, RunState.RESTARTING, RunState.REMOVING])
def test_what_is_on_its_way_somewhere_is_not_judged(run: RunState) -> None:
    assert symptom_of(state(run=run, exit_code=1, health=Health.UNHEALTHY)) is None


def test_two_looks_at_the_same_trouble_give_equal_symptoms_and_another_crash_does_not() -> None:
    first = symptom_of(state(**ENDED, exit_code=3, at=later(1)))
    assert first == symptom_of(state(**ENDED, exit_code=3, at=later(9)))
    assert first != symptom_of(state(**{**ENDED, "finished_at": later(-1)}, exit_code=3))
    assert first != symptom_of(state(id="another", **ENDED, exit_code=3))


# ---- measured


USUAL = Thresholds(memory_percent=85.0, cpu_percent=90.0, sustained_seconds=10.0)


def samples(*percents: float | None, every: float = 2.0, of: str = "memory_percent") -> list[Usage]:
    """One sample every two seconds, of memory unless said otherwise; the last is at noon."""
    last = len(percents) - 1
    return [
        Usage(at=later((number - last) * every), memory_bytes=1, **{of: percent})
        for number, percent in enumerate(percents)
    ]


def pressed(*percents: float | None, **how: Any) -> Fault | None:
    symptom = pressure_of(state(), samples(*percents, **how), USUAL)
    return symptom.fault if symptom else None


def test_memory_over_its_threshold_for_long_enough_is_pressure_and_tells_the_newest_measure() -> None:
    symptom = pressure_of(state(), samples(*[86.0] * 5, 97.0), USUAL)
    assert symptom
    assert (symptom.fault, symptom.metrics) == (Fault.MEMORY_PRESSURE, {"memory_percent": 97.0})


@pytest.mark.parametrize(
    ("percent", "fault"), [(84.9, None), (85.0, Fault.MEMORY_PRESSURE), (100.0, Fault.MEMORY_PRESSURE)]
)
def test_the_threshold_itself_is_too_much(percent: float, fault: Fault | None) -> None:
    assert pressed(*[percent] * 6) is fault


def test_cpu_has_a_threshold_of_its_own() -> None:
    assert pressed(*[90.0] * 6, of="cpu_percent") is Fault.CPU_SATURATION
    assert pressed(*[89.9] * 6, of="cpu_percent") is None


def test_memory_comes_before_cpu_because_it_kills() -> None:
    both = [Usage(at=later(2 * number), memory_bytes=1, memory_percent=99, cpu_percent=99) for number in range(6)]
    symptom = pressure_of(state(), both, USUAL)
    assert symptom
    assert symptom.fault is Fault.MEMORY_PRESSURE


def test_too_short_a_time_is_no_pressure() -> None:
    assert pressed(*[99.0] * 5) is None
    assert pressed(99.0, 99.0, every=9.9) is None
    assert pressed(99.0, every=60.0) is None
    assert pressed() is None


@pytest.mark.parametrize("where", range(6))
def test_every_sample_of_that_time_has_to_be_over(where: int) -> None:
    series = [99.0] * 6
    series[where] = 84.0
    assert pressed(*series) is None
    assert pressed(84.0, *[99.0] * 6) is Fault.MEMORY_PRESSURE, "what was before that time does not count"


def test_what_could_not_be_measured_is_not_over() -> None:
    assert pressed(99.0, 99.0, None, 99.0, 99.0, 99.0) is None
    assert pressed(*[None] * 9) is None


def test_a_gap_in_the_samples_is_not_taken_for_a_long_time_over_the_threshold() -> None:
    """The runtime was away for a minute; two samples after that are no ten seconds."""
    low, *high = samples(10.0, 99.0, 99.0)
    early = low.model_copy(update={"at": later(-60)})
    assert pressure_of(state(), [early, *high], USUAL) is None


def test_what_does_not_run_is_under_no_pressure() -> None:
    assert pressure_of(state(run=RunState.EXITED), samples(*[99.0] * 6), USUAL) is None


# ---- the owner's thresholds


@pytest.mark.parametrize(
    ("text", "value"),
    [("50", 50.0), ("50%", 50.0), (" 72.5 % ", 72.5), ("30s", 30.0), ("2m", 120.0), ("2 M", 120.0), ("0.5", 0.5)],
)
def test_numbers_are_read_with_their_unit(text: str, value: float) -> None:
    assert thresholds_of({"aegis.for": text}, USUAL).sustained_seconds == value


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5", "high", "85%%", "1e3", "nan", "inf", "1,5", "9" * 400, "85;", "0x50", "5h", "\n"]
)
def test_what_is_no_number_above_nothing_leaves_the_usual(text: str) -> None:
    labels = dict.fromkeys(("aegis.memory_percent", "aegis.cpu_percent", "aegis.for"), text)
    assert thresholds_of(labels, USUAL) == USUAL


def test_each_label_sets_its_own_threshold() -> None:
    assert thresholds_of({"aegis.memory_percent": "70"}, USUAL) == USUAL.model_copy(update={"memory_percent": 70.0})
    assert thresholds_of({"aegis.cpu_percent": "70"}, USUAL) == USUAL.model_copy(update={"cpu_percent": 70.0})
    assert thresholds_of({"aegis.for": "70"}, USUAL) == USUAL.model_copy(update={"sustained_seconds": 70.0})
    assert thresholds_of({}, USUAL) == USUAL


@given(st.text() | st.from_regex(r"\s?\d{1,9}(\.\d{1,9})? ?[%sm]?\s?", fullmatch=True))
def test_whatever_stands_on_a_label_it_gives_thresholds_above_nothing(text: str) -> None:
    labels = dict.fromkeys(("aegis.memory_percent", "aegis.cpu_percent", "aegis.for"), text)
    own = thresholds_of(labels, USUAL)
    for value in (own.memory_percent, own.cpu_percent, own.sustained_seconds):
        assert 0 < value < float("inf")


# ---- again and again


def looped(*ago: float, **known: Any) -> Symptom | None:
    return loop_of(state(at=NOON, **known), [later(-seconds) for seconds in ago], NOON)


def test_three_ends_within_two_minutes_are_a_loop() -> None:
    symptom = looped(100, 50, 10)
    assert symptom
    assert (symptom.fault, symptom.since) == (Fault.CRASH_LOOP, None)
    assert symptom.told == ("ended 3 times within 90 s",)
    assert symptom.metrics == {"deaths": 3.0, "lasted_seconds": 50.0}


@pytest.mark.parametrize("ago", [(), (10,), (50, 10), (120, 50, 10), (400, 300, 200)])
def test_fewer_ends_or_older_ones_are_none(ago: tuple[float, ...]) -> None:
    assert looped(*ago) is None


def test_ends_that_are_told_out_of_order_are_counted_all_the_same() -> None:
    assert looped(10, 100, 50) == looped(100, 50, 10)


def test_the_same_loop_later_on_is_the_same_trouble() -> None:
    one, other = looped(30, 20, 10), looped(25, 15, 10, 5)
    assert one
    assert other
    assert one.identity == other.identity


WAITING = {"run": RunState.RESTARTING, "started_at": later(-30), "restart_count": 9}


def test_a_long_pause_of_the_restart_policy_tells_of_a_loop_that_nobody_has_counted() -> None:
    symptom = looped(**WAITING, finished_at=later(-5))
    assert symptom
    assert (symptom.fault, symptom.metrics) == (Fault.CRASH_LOOP, {"deaths": 0.0, "lasted_seconds": 25.0})
    assert "restarted it 9 times" in symptom.told[0]


def test_a_short_pause_and_a_target_that_runs_tell_of_none() -> None:
    assert looped(**WAITING, finished_at=later(-3)) is None
    assert looped(**{**WAITING, "run": RunState.RUNNING}, finished_at=later(-50)) is None
    assert looped(**WAITING, finished_at=None) is None


@pytest.mark.parametrize(
    ("fault", "lasted", "seconds"),
    [
        (Fault.CRASH_LOOP, 1.0, 10.0),
        (Fault.CRASH_LOOP, 20.0, 30.0),
        (Fault.CRASH_LOOP, 5000.0, 120.0),
        (Fault.CRASH_LOOP, float("nan"), 10.0),
        (Fault.CRASHED, 20.0, 10.0),
    ],
)
def test_in_a_loop_it_has_to_outlast_by_half_what_it_lasted_before(fault: Fault, lasted: float, seconds: float) -> None:
    assert steady_seconds(fault, {"lasted_seconds": lasted}, 10.0) == seconds
    assert steady_seconds(fault, {}, 10.0) == 10.0


# ---- over


def used(memory: float | None = None, cpu: float | None = None) -> Usage:
    return Usage(at=NOON, memory_bytes=1, memory_percent=memory, cpu_percent=cpu)


@pytest.mark.parametrize(
    ("fault", "known", "said"),
    [
        (Fault.MEMORY_PRESSURE, {"usage": used(memory=40.2)}, "memory is at 40 % again, below 85 %"),
        (Fault.MEMORY_PRESSURE, {"usage": used(memory=85.0)}, None),
        (Fault.MEMORY_PRESSURE, {"usage": used(cpu=1.0)}, None),
        (Fault.MEMORY_PRESSURE, {}, None),
        (Fault.CPU_SATURATION, {"usage": used(cpu=5.0)}, "CPU is at 5 % again, below 90 %"),
        (Fault.CPU_SATURATION, {"usage": used(memory=1.0, cpu=90.0)}, None),
        (Fault.UNHEALTHY, {"health": Health.HEALTHY}, "its health check passes again"),
        (Fault.UNHEALTHY, {}, None),
        (Fault.CRASHED, {}, "it runs again"),
        (Fault.OOM_KILLED, {"health": Health.HEALTHY}, "it runs again"),
    ],
)
def test_what_can_be_seen_to_be_over_is_said_to_be_over(fault: Fault, known: dict[str, Any], said: str | None) -> None:
    assert subsided(fault, state(**known), USUAL) == said


@pytest.mark.parametrize(
    "fault", [Fault.LATENCY, Fault.ERROR_LOGS, Fault.DISK_PRESSURE, Fault.CUSTOM, Fault.CRASH_LOOP]
)
def test_what_cannot_be_seen_is_never_said_to_be_over(fault: Fault) -> None:
    assert subsided(fault, state(health=Health.HEALTHY, usage=used(memory=1.0, cpu=1.0)), USUAL) is None


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize(
    "known",
    [
        {"health": Health.UNHEALTHY},
        {"health": Health.STARTING},
        {"run": RunState.EXITED},
        {"run": RunState.PAUSED},
        {"run": RunState.RESTARTING},
    ],
)
def test_nothing_is_over_while_it_is_ill_or_does_not_run(fault: Fault, known: dict[str, Any]) -> None:
    assert subsided(fault, state(usage=used(memory=1.0, cpu=1.0), **known), USUAL) is None
    assert subsided(fault, None, USUAL) is None
