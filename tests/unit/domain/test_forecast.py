"""When a leak will reach the limit, and what is no leak."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.forecast import Forecast, forecast, hurries, leak_of, pressing
from aegis_core.domain.longseries import LongSeries
from aegis_core.domain.signal import FORESEEN, Fault
from aegis_core.domain.symptom import Symptom
from aegis_core.domain.target import Health, Limits, RunState, Usage
from tests.examples import NOON, later
from tests.unit.domain.memory_shapes import (
    HARMLESS,
    LIMIT,
    Shape,
    exponential,
    linear,
    rising_floor,
    samples,
    target,
    walk,
)

MIB = 2**20
LEAD = 120.0
EACH = 200  # series of every harmless shape


def used(share: float, second: float) -> Usage:
    return Usage(at=later(second), memory_bytes=int(share * LIMIT), memory_percent=share * 100)


def line(begin: float, end: float, seconds: float, pace: float = 2.0) -> list[Usage]:
    """Samples on a line between two shares of the limit; the last at noon."""
    count = int(seconds / pace)
    return [used(begin + (end - begin) * i / count, i * pace - seconds) for i in range(count + 1)]


@dataclass(frozen=True)
class Moment:
    """What a watcher has when it has just taken a sample."""

    series: Sequence[Usage]
    long: LongSeries

    @property
    def second(self) -> float:
        return (self.series[-1].at - NOON).total_seconds()

    def forecast(self) -> Forecast | None:
        return forecast(self.series, LIMIT, self.series[-1].at, self.long.points())

    def leak(self, lead: float = LEAD) -> Symptom | None:
        return leak_of(target(), self.series, lead, self.series[-1].at, self.long.points())


def watched(shape: Shape, rng: Random, pace: float = 2.0) -> Iterator[Moment]:
    """Watch a shape sample by sample, as the watcher does: 180 samples, and one a minute."""
    series: deque[Usage] = deque(maxlen=180)
    long = LongSeries()
    for usage in samples(shape, rng, pace):
        series.append(usage)
        long.add(usage)
        yield Moment(list(series), long)


def called(shape: Shape, rng: Random, pace: float = 2.0, lead: float = LEAD) -> float | None:
    """How many seconds before the kill the first call for action came; None when none came."""
    killed = shape.killed_at()
    assert killed is not None
    return next((killed - moment.second for moment in watched(shape, rng, pace) if moment.leak(lead)), None)


# What a forecast says


def test_a_line_into_the_limit_is_told_with_its_time_rate_and_interval() -> None:
    seen = forecast(line(0.2, 0.6, 80), LIMIT, NOON)
    assert seen
    assert seen.seconds_to_limit == pytest.approx(80, rel=0.01)
    assert seen.earliest <= seen.seconds_to_limit <= seen.latest
    assert seen.bytes_per_second == pytest.approx(0.4 * LIMIT / 80, rel=0.01)
    assert (seen.samples, seen.span_seconds, seen.limit_bytes) == (41, 80, LIMIT)
    assert seen.memory_percent == pytest.approx(60, abs=0.1)
    assert seen.words == "a leak of 2.6 MiB/s over the last 80 s reaches the limit of 512 MiB in about 80 s"


def test_the_seconds_count_from_now_and_not_from_the_last_sample() -> None:
    seen = forecast(line(0.2, 0.6, 80), LIMIT, later(10))
    assert seen
    assert seen.seconds_to_limit == pytest.approx(70, rel=0.01)


def test_slow_leaks_are_told_in_their_own_units() -> None:
    slow = forecast(line(0.2, 0.6, 3600, 60), LIMIT, NOON)
    assert slow
    assert slow.words == ("a leak of 3.4 MiB/min over the last 60 min reaches the limit of 512 MiB in about 60 min")
    slower = forecast(line(0.2, 0.3, 4 * 3600, 60), LIMIT, NOON)
    assert slower
    assert "12.8 MiB/h over the last 4.0 h" in slower.words


@given(
    begin=st.floats(0.0, 0.4),
    seconds=st.floats(15, 20_000),
    quiet=st.sampled_from([0.0, 0.5, 2.0]),
    seed=st.integers(0, 10**6),
)
def test_at_half_way_the_time_of_the_kill_is_known_within_a_fifth(
    begin: float, seconds: float, quiet: float, seed: int
) -> None:
    """Before the leak there is a quiet time of so many times its own; the samples are a little uneven."""
    rng, pace = Random(seed), max(0.9, seconds / 150)
    half, series, second = seconds / 2, [], -quiet * seconds
    while second <= half:
        share = begin + max(0.0, second) / seconds * (1 - begin) + rng.gauss(0, 0.0005)
        series.append(used(max(0.0, share), second))
        second += pace * rng.uniform(0.9, 1.1)
    seen = forecast(series, LIMIT, series[-1].at)
    assert seen
    assert seen.seconds_to_limit == pytest.approx(seconds - (series[-1].at - NOON).total_seconds(), rel=0.2)


@given(st.integers(1, 2000), st.integers(-(10**6), 10**6), st.integers(0, 400))
def test_neither_the_size_of_the_limit_nor_the_hour_matters(size: int, hours: int, seed: int) -> None:
    series = line(0.1, 0.5, 60)
    rng = Random(seed)
    rough = [one.model_copy(update={"memory_bytes": one.memory_bytes + rng.randint(0, MIB)}) for one in series]
    moved = [Usage(at=one.at + timedelta(minutes=hours), memory_bytes=one.memory_bytes * size) for one in rough]
    here = forecast(rough, LIMIT, NOON)
    there = forecast(moved, LIMIT * size, NOON + timedelta(minutes=hours))
    assert (here is None) == (there is None)
    if here and there:
        assert there.seconds_to_limit == pytest.approx(here.seconds_to_limit, rel=1e-3)


def test_a_leak_that_begins_after_a_quiet_time_is_measured_from_its_beginning() -> None:
    series = [*[used(0.3, second) for second in range(-300, -40, 2)], *line(0.3, 0.7, 40)]
    seen = forecast(series, LIMIT, NOON)
    assert seen
    assert seen.seconds_to_limit == pytest.approx(30, rel=0.1)
    assert 30 <= seen.span_seconds <= 42


def test_a_leak_that_got_faster_is_told_by_its_present_speed() -> None:
    series = [*line(0.1, 0.3, 60)[:-1], *[used(0.3 + 0.01 * second, second) for second in range(0, 31, 2)]]
    seen = forecast(series, LIMIT, later(30))
    assert seen
    assert seen.seconds_to_limit == pytest.approx(40, rel=0.15)


def test_an_hour_long_leak_is_foreseen_out_of_the_long_series() -> None:
    shape = linear(Random(1), 3600, noise=0.01)
    seen = [moment for moment in watched(shape, Random(2)) if 1500 < moment.second < 1800]
    errors = [abs(one.second + foreseen.seconds_to_limit - 3600) for one in seen if (foreseen := one.forecast())]
    assert len(errors) > 0.9 * len(seen)
    assert max(errors) < 0.2 * 1800


# What is no leak


@pytest.mark.parametrize(
    "series",
    [
        [],
        line(0.2, 0.6, 80)[-3:],
        line(0.2, 0.6, 3, pace=0.5),
        line(0.6, 0.2, 80),
        line(0.5, 0.515, 360),
        [*line(0.2, 0.8, 80)[:-5], used(0.4, 0)],
    ],
    ids=["nothing", "three samples", "three seconds", "falling", "hardly growing", "released just now"],
)
def test_there_is_no_forecast(series: list[Usage]) -> None:
    assert forecast(series, LIMIT, NOON) is None


def test_without_a_limit_or_with_samples_of_long_ago_there_is_no_forecast() -> None:
    assert forecast(line(0.2, 0.6, 80), LIMIT, NOON)
    assert forecast(line(0.2, 0.6, 80), 0, NOON) is None
    assert forecast(line(0.2, 0.6, 80), LIMIT, later(60)) is None


def test_samples_that_do_not_go_forward_in_time_are_left_out() -> None:
    series = line(0.2, 0.6, 80)
    repeated = [one for one in series for _ in range(2)]
    assert forecast(repeated, LIMIT, NOON) == forecast(series, LIMIT, NOON)
    assert forecast([series[-1]] * 20, LIMIT, NOON) is None


@pytest.mark.parametrize("seeds", [range(EACH // 2), range(EACH // 2, EACH)], ids=["half", "other half"])
@pytest.mark.parametrize("shape", HARMLESS, ids=lambda shape: shape.__name__)
def test_harmless_memory_never_calls_for_action(shape: Callable[[Random], Shape], seeds: range) -> None:
    for seed in seeds:
        rng = Random(f"{shape.__name__} {seed}")
        for moment in watched(shape(rng), rng):
            assert moment.leak() is None, f"seed {seed}, second {moment.second:.0f}"


@given(
    st.lists(st.tuples(st.floats(-1, 400), st.integers(0, 2 * LIMIT)), max_size=60),
    st.lists(st.tuples(st.floats(0, 10_000), st.floats(0, 2 * LIMIT)), max_size=30),
)
def test_whatever_is_measured_a_forecast_is_in_order(
    measured: list[tuple[float, int]], before: list[tuple[float, float]]
) -> None:
    series = [Usage(at=later(second), memory_bytes=size) for second, size in measured]
    earlier = [(NOON.timestamp() - 10_000 + second, size) for second, size in sorted(before)]
    seen = forecast(series, LIMIT, later(400), earlier)
    if seen:
        assert 0 <= seen.earliest <= seen.seconds_to_limit <= seen.latest
        assert seen.bytes_per_second > 0
        assert seen.words


def test_a_plateau_has_no_forecast_once_it_is_reached() -> None:
    series = [*line(0.1, 0.5, 40)[:-1], *[used(0.5, second) for second in range(0, 41, 2)]]
    assert forecast(series, LIMIT, later(40)) is None


def test_growth_that_slows_down_has_no_forecast() -> None:
    """It would end at 70 %."""
    series = [used(0.1 + 0.6 * (1 - 0.95**second), second) for second in range(0, 40, 2)]
    assert forecast(series, LIMIT, later(38)) is None


def test_a_long_rise_is_taken_for_a_tooth_where_there_was_one_before() -> None:
    rise = line(0.2, 0.8, 100)
    tooth = [used(0.2 + 0.6 * part / 50, part * 2 - 202) for part in range(50)]
    assert leak_of(target(), rise, LEAD, NOON)
    assert leak_of(target(), [*tooth, *rise], LEAD, NOON) is None


def test_teeth_of_an_hour_are_known_from_the_long_series() -> None:
    tooth = Shape(lambda second: 0.2 + 0.7 * (second / 3000 % 1), 0.001, 3 * 3000)
    for moment in watched(tooth, Random(3), pace=6):
        if moment.second > 3100:
            assert moment.leak(lead=3600) is None
    alone = [one for one in watched(tooth, Random(3), pace=6) if 5800 < one.second < 5990]
    assert any(leak_of(target(), one.series, 3600, one.series[-1].at) for one in alone), "the long series mattered"


def test_random_work_is_hardly_ever_taken_for_a_leak() -> None:
    alarms = 0
    for seed in range(300):
        rng = Random(seed)
        alarms += any(moment.leak() for moment in watched(walk(rng), rng))
    assert alarms <= 4


# When a leak calls for action


@pytest.mark.parametrize("quiet", [0.0, 30.0, 400.0])
@pytest.mark.parametrize(
    ("seconds", "least"), [(15.0, 3.5), (20.0, 4.0), (45.0, 9.0), (120.0, 30.0), (600.0, 80.0)], ids=str
)
def test_a_leak_is_called_early_enough_at_every_speed(seconds: float, least: float, quiet: float) -> None:
    for seed in range(40):
        rng = Random(seed)
        before = called(linear(rng, seconds, quiet, noise=rng.choice([0.0, 0.002, 0.005])), rng)
        assert before is not None
        assert before >= least, f"seed {seed}"


@pytest.mark.parametrize("seconds", [60.0, 240.0])
def test_a_leak_that_gets_faster_and_faster_is_called(seconds: float) -> None:
    for seed in range(30):
        assert (called(exponential(Random(seed), seconds), Random(seed)) or 0) >= 0.04 * seconds


@pytest.mark.parametrize("seconds", [240.0, 600.0, 900.0])
def test_a_sawtooth_whose_floor_rises_is_called(seconds: float) -> None:
    for seed in range(30):
        assert (called(rising_floor(Random(seed), seconds), Random(seed)) or 0) >= 0.05 * seconds


def test_a_call_for_action_says_what_was_seen_and_when_it_ends() -> None:
    symptom = leak_of(target(), line(0.2, 0.8, 60), LEAD, NOON)
    assert symptom
    assert (symptom.fault, symptom.target_id, symptom.since) == (Fault.MEMORY_PRESSURE, target().ref.id, None)
    assert symptom.metrics == {"memory_percent": 80.0, FORESEEN: pytest.approx(20, rel=0.02)}
    assert symptom.told[0].startswith("a leak of 5.1 MiB/s")


def test_the_lead_is_kept() -> None:
    series = line(0.2, 0.7, 300)  # 180 s to the limit
    assert leak_of(target(), series, 120, NOON) is None
    assert leak_of(target(), series, 200, NOON) is None, "half of the span is 150 s"
    series = line(0.2, 0.75, 300)  # 136 s to the limit
    assert leak_of(target(), series, 120, NOON) is None
    assert leak_of(target(), series, 200, NOON)


def test_below_sixty_percent_nothing_is_done() -> None:
    assert leak_of(target(), line(0.05, 0.59, 10, pace=1), LEAD, NOON) is None
    assert leak_of(target(), line(0.05, 0.61, 10, pace=1), LEAD, NOON)


@pytest.mark.parametrize(
    "changed",
    [{"run": RunState.PAUSED}, {"health": Health.STARTING}, {"limits": Limits()}],
    ids=["paused", "never ready yet", "no limit"],
)
def test_what_cannot_or_should_not_be_helped_is_left_alone(changed: dict[str, object]) -> None:
    series = line(0.2, 0.8, 60)
    assert leak_of(target(), series, LEAD, NOON)
    assert leak_of(target().model_copy(update=changed), series, LEAD, NOON) is None


def test_a_forecast_at_hand_is_judged_as_a_series_is() -> None:
    series = line(0.2, 0.8, 60)
    assert pressing(target(), forecast(series, LIMIT, NOON), LEAD) == leak_of(target(), series, LEAD, NOON)
    assert pressing(target(), None, LEAD) is None


# Who is sampled again at once


def test_only_what_shoots_up_is_in_a_hurry() -> None:
    assert hurries([used(0.2, 0), used(0.33, 3)], LIMIT)
    assert not hurries([used(0.2, 0), used(0.23, 3)], LIMIT)
    assert not hurries([used(0.33, 0), used(0.2, 3)], LIMIT)
    assert not hurries([used(0.99, 0), used(1.0, 3)], LIMIT)
    assert not hurries([used(0.2, 0)], LIMIT)
    assert not hurries([used(0.2, 0), used(0.4, 0)], LIMIT)
