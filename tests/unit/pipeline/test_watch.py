"""Looking at all targets: each trouble reported once, and only where Aegis is wanted."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.policy import Policy
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.target import Health, TargetRef, TargetState, Usage, Watch
from aegis_core.errors import RuntimeUnavailable, TargetGone
from aegis_core.pipeline.sightings import SAMPLES
from aegis_core.ports import Stopping
from aegis_core.testing import FakeRuntime
from tests import examples as make
from tests.contract.rigs import wait_until

from .scene import MIB, NAME
from .watching import Watching

SECRET = "s3cr3t-of-the-shop"


# ---- what is reported


def test_a_crash_is_reported_with_what_was_seen() -> None:
    watching = Watching()
    watching.runtime.end(NAME, 3)
    watching.look()
    (signal,) = watching.reported
    assert (signal.target, signal.fault, signal.severity) == (NAME, Fault.CRASHED, Severity.CRITICAL)
    assert (signal.source, signal.metrics) == ("sensor", {"exit_code": 3.0})


def test_ill_health_and_a_kill_for_memory_are_reported() -> None:
    ill = Watching()
    ill.runtime.turn(NAME, Health.UNHEALTHY)
    assert ill.look() == [Fault.UNHEALTHY]
    killed = Watching()
    killed.runtime.end(NAME, 137, oom_killed=True)
    assert killed.look() == [Fault.OOM_KILLED]


def test_what_is_well_or_was_stopped_by_a_person_is_not_reported() -> None:
    watching = Watching()
    assert watching.look() == []
    watching.runtime.end(NAME, 137, by_person=True)
    assert watching.look() == []


def test_one_look_is_not_enough() -> None:
    watching = Watching()
    watching.runtime.end(NAME, 1)
    assert watching.look(times=1) == []
    assert watching.look(times=1) == [Fault.CRASHED]


def test_a_restart_that_is_looked_into_in_the_middle_is_not_a_crash() -> None:
    watching = Watching()
    for _ in range(3):
        watching.runtime.end(NAME, 143)
        watching.look(times=1)
        watching.runtime.start(NAME)
        watching.look(times=1)
    assert watching.reported == []


def test_docker_has_counted_its_retries_so_one_look_is_enough_for_ill_health() -> None:
    watching = Watching()
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    assert watching.look(times=1) == [Fault.UNHEALTHY]


def test_two_different_crashes_are_not_taken_for_two_looks_at_one() -> None:
    watching = Watching()
    for _ in range(3):
        watching.runtime.end(NAME, 1)
        watching.look(times=1)
        watching.runtime.start(NAME)
        watching.runtime.end(NAME, 1)
        watching.look(times=1)
        watching.runtime.start(NAME)
    assert watching.reported == []


def test_a_trouble_is_reported_once_however_long_it_lasts() -> None:
    watching = Watching()
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    assert watching.look(times=10) == [Fault.UNHEALTHY]


def test_the_same_trouble_is_reported_again_when_it_had_been_away() -> None:
    watching = Watching()
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    watching.look()
    watching.runtime.turn(NAME, Health.HEALTHY)
    watching.look()
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    assert watching.look() == [Fault.UNHEALTHY] * 2


def test_another_crash_of_the_same_target_is_another_trouble() -> None:
    watching = Watching()
    watching.runtime.end(NAME, 1)
    watching.look()
    watching.runtime.start(NAME)
    watching.runtime.end(NAME, 1)
    assert watching.look() == [Fault.CRASHED] * 2


def test_what_has_ended_long_ago_was_not_left_lying_for_us() -> None:
    watching = Watching()
    watching.runtime.end(NAME, 1)
    watching.scene.clock.advance(601)
    assert watching.look(times=4) == []


def test_what_has_ended_just_before_the_agent_started_is_reported() -> None:
    watching = Watching()
    watching.runtime.end(NAME, 1)
    watching.scene.clock.advance(590)
    assert watching.look() == [Fault.CRASHED]


@pytest.mark.parametrize("labels", [{}, {"aegis.enable": "false"}, {"aegis.enable": "true", "aegis.self": "true"}])
def test_what_did_not_opt_in_and_aegis_itself_are_never_reported(labels: dict[str, str]) -> None:
    watching = Watching(labels=labels)
    watching.runtime.end(NAME, 1)
    assert watching.look(times=4) == []


def test_when_everything_is_watched_everything_but_aegis_is_reported() -> None:
    watching = Watching(labels={})
    watching.scene.use(policy=Policy(watch=Watch.ALL, own_names=frozenset({"aegis"})))
    watching.watcher = watching.anew()
    watching.runtime.add("aegis", labels={})
    for name in (NAME, "aegis"):
        watching.runtime.end(name, 1)
    watching.look()
    assert [signal.target for signal in watching.reported] == [NAME]


def test_a_signal_that_could_not_be_stored_is_reported_again() -> None:
    watching = Watching()
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    watching.unstorable = [NAME, NAME]
    assert watching.look(times=2) == []
    assert watching.look(times=2) == [Fault.UNHEALTHY]


def test_a_signal_that_cannot_be_stored_keeps_nobody_elses_back() -> None:
    watching = Watching()
    watching.runtime.add("db", labels=make.LABELS)
    for name in (NAME, "db"):
        watching.runtime.end(name, 1)
    watching.unstorable = [NAME]
    watching.look()
    assert [signal.target for signal in watching.reported] == ["db"]


# ---- what is measured


def test_memory_over_its_threshold_for_long_enough_is_reported_once() -> None:
    watching = Watching()
    watching.runtime.use(NAME, memory_bytes=120 * MIB)
    watching.measure(seconds=8)
    assert watching.reported == []
    watching.measure(seconds=8)
    (signal,) = watching.reported
    assert signal.fault is Fault.MEMORY_PRESSURE
    assert signal.metrics["memory_percent"] == pytest.approx(93.75)


def test_one_sample_below_begins_the_count_anew() -> None:
    watching = Watching()
    for _ in range(4):
        watching.runtime.use(NAME, cpu_percent=99.0)
        watching.measure(seconds=8)
        watching.runtime.use(NAME, cpu_percent=10.0)
        watching.measure(seconds=2)
    assert watching.reported == []


def test_a_targets_own_thresholds_stand_on_its_labels() -> None:
    labels = {**make.LABELS, "aegis.cpu_percent": "50%", "aegis.for": "4s"}
    watching = Watching(labels=labels)
    watching.runtime.use(NAME, cpu_percent=60.0)
    watching.measure(seconds=6)
    assert [signal.fault for signal in watching.reported] == [Fault.CPU_SATURATION]


# ---- what is told


def change(watching: Watching, kind: ChangeKind) -> Change:
    return Change(kind=kind, at=watching.scene.clock(), target=watching.scene.ref)


def test_a_target_that_dies_again_and_again_is_in_a_crash_loop() -> None:
    watching = Watching()
    for _ in range(3):
        watching.runtime.end(NAME, 1)
        watching.watcher.hear(change(watching, ChangeKind.DIED))
        watching.runtime.start(NAME)
        watching.scene.clock.advance(5)
    watching.watcher.look_at(NAME)
    assert [signal.fault for signal in watching.reported] == [Fault.CRASH_LOOP]
    assert watching.reported[0].logs == ("ended 3 times within 10 s",)


def test_ends_that_were_asked_for_are_no_crash_loop() -> None:
    watching = Watching()
    for _ in range(5):
        watching.watcher.hear(change(watching, ChangeKind.STOPPED))
        watching.watcher.hear(change(watching, ChangeKind.DIED))
    watching.watcher.look_at(NAME)
    assert watching.reported == []


def test_a_crash_that_is_told_is_looked_at_twice_and_reported_without_waiting_for_the_list() -> None:
    watching = Watching()
    watching.watcher = watching.anew(every=3600)
    watching.watcher.start()
    try:
        wait_until(lambda: watching.watcher.problem == "", "the first list")
        watching.runtime.end(NAME, 1)
        wait_until(lambda: watching.reported, "the crash to be reported")
    finally:
        watching.scene.tools.stopping.set()
        watching.watcher.join()
    assert [signal.fault for signal in watching.reported] == [Fault.CRASHED]


# ---- log lines


def test_an_outbreak_of_the_labelled_words_is_reported_with_its_lines() -> None:
    watching = Watching(labels={**make.LABELS, "aegis.log_pattern": "payment failed"})
    watching.look(times=1)
    watching.watcher.read_logs()
    for number in range(6):
        watching.runtime.say(NAME, f"order {number}: Payment Failed")
    watching.scene.clock.advance(5)
    watching.watcher.read_logs()
    (signal,) = watching.reported
    assert (signal.fault, len(signal.logs)) == (Fault.ERROR_LOGS, 6)


def test_without_the_label_no_log_is_read() -> None:
    watching = Watching()
    watching.look(times=1)
    for _ in range(50):
        watching.runtime.say(NAME, "ERROR it burns")
    watching.scene.clock.advance(5)
    watching.watcher.read_logs()
    assert watching.reported == []


# ---- what is known


def test_every_target_is_known_with_its_samples_oldest_first() -> None:
    watching = Watching()
    watching.runtime.add("stranger", labels={})
    for percent in (10.0, 20.0):
        watching.runtime.use(NAME, cpu_percent=percent)
        watching.look(times=1)
    known = {state.ref.name: [one.cpu_percent for one in series] for state, series in watching.sightings.all()}
    assert known == {NAME: [10.0, 20.0], "stranger": []}, "what did not opt in is listed, and not measured"


def test_the_newest_samples_are_kept_and_no_more() -> None:
    watching = Watching()
    watching.look(times=SAMPLES + 5)
    ((_, series),) = watching.sightings.all()
    assert len(series) == SAMPLES
    assert list(series) == sorted(series, key=lambda one: one.at)


def test_what_is_gone_is_no_longer_known() -> None:
    watching = Watching()
    watching.look()
    watching.runtime.remove(NAME)
    watching.look()
    assert watching.sightings.all() == []
    assert watching.sightings.secrets_of(NAME) == frozenset()


class NoSamples(FakeRuntime):
    """A runtime that cannot measure."""

    def usage(self, target: TargetRef) -> Usage | None:
        raise TargetGone


def test_a_target_that_cannot_be_measured_is_watched_all_the_same() -> None:
    watching = Watching()
    watching.runtime.__class__ = NoSamples
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    assert watching.look() == [Fault.UNHEALTHY]
    ((state, series),) = watching.sightings.all()
    assert (state.usage, series) == (None, ())


# ---- secrets


class Secretive(FakeRuntime):
    """A runtime whose environments cannot be read while `away`; `asked` counts how often they were asked for."""

    away = False
    asked = 0

    def secrets(self, target: TargetRef) -> frozenset[str]:
        self.asked += 1
        if self.away:
            raise RuntimeUnavailable
        return super().secrets(target)


def secretive() -> Watching:
    watching = Watching(env={"DB_PASSWORD": SECRET})
    watching.runtime.__class__ = Secretive
    return watching


def test_the_secrets_of_a_target_are_asked_for_once_and_kept() -> None:
    watching = secretive()
    assert watching.sightings.secrets_of(NAME) == frozenset()
    watching.look(times=3)
    assert watching.sightings.secrets_of(NAME) == {SECRET}
    assert watching.runtime.asked == 1


def test_secrets_that_could_not_be_had_are_asked_for_again() -> None:
    watching = secretive()
    watching.runtime.away = True
    watching.look(times=1)
    watching.runtime.away = False
    watching.look(times=1)
    assert watching.sightings.secrets_of(NAME) == {SECRET}


def test_another_target_under_the_same_name_has_its_own_secrets() -> None:
    watching = secretive()
    watching.look()
    watching.runtime.add(NAME, env={"DB_PASSWORD": "another-s3cr3t"}, labels=make.LABELS)
    watching.look()
    assert watching.sightings.secrets_of(NAME) == {"another-s3cr3t"}


def test_a_target_that_was_told_of_is_asked_for_its_secrets_before_the_next_list() -> None:
    watching = secretive()
    watching.tell(ChangeKind.STARTED)
    watching.watcher.step()
    assert watching.sightings.secrets_of(NAME) == {SECRET}


def test_what_cannot_be_masked_is_not_read() -> None:
    """An error line may hold a secret of the environment, and the environment cannot be read."""
    watching = Watching(env={"DB_PASSWORD": SECRET}, labels={**make.LABELS, "aegis.log_pattern": "denied"})
    watching.runtime.__class__ = Secretive
    watching.runtime.away = True
    for _ in range(2):
        watching.look(times=1)
        watching.watcher.read_logs()
        for _ in range(6):
            watching.runtime.say(NAME, f"denied: {SECRET}")
        watching.scene.clock.advance(5)
    assert watching.reported == []
    watching.runtime.away = False
    watching.look(times=1)
    watching.watcher.read_logs()
    assert [signal.fault for signal in watching.reported] == [Fault.ERROR_LOGS]


class Hanging(FakeRuntime):
    """A runtime that does not answer, and does not say so either."""

    asked: threading.Event
    go_on: threading.Event

    def secrets(self, target: TargetRef) -> frozenset[str]:
        self.asked.set()
        assert self.go_on.wait(30)
        return frozenset()


def test_a_runtime_that_hangs_keeps_nobody_from_asking_what_is_known() -> None:
    """A webhook asks for the secrets of its target before it is stored."""
    watching = Watching()
    watching.runtime.__class__ = Hanging
    watching.runtime.asked, watching.runtime.go_on = threading.Event(), threading.Event()
    looking = threading.Thread(target=watching.watcher.look, daemon=True)
    looking.start()
    assert watching.runtime.asked.wait(30)
    answered = threading.Event()

    def ask() -> None:
        watching.sightings.secrets_of(NAME)
        watching.sightings.all()
        answered.set()

    threading.Thread(target=ask, daemon=True).start()
    answered_meanwhile = answered.wait(5)
    watching.runtime.go_on.set()
    looking.join(30)
    assert answered_meanwhile


# ---- the loop


class Breaks(FakeRuntime):
    """A sensor that raises what a test puts into `breaks`, and counts its looks."""

    breaks: list[Exception]
    looks = 0

    def targets(self) -> Sequence[TargetState]:
        self.looks += 1
        if self.breaks:
            raise self.breaks[0]
        return super().targets()


@pytest.mark.parametrize(
    ("error", "told"), [(RuntimeUnavailable("no engine"), "no engine"), (ValueError(), "ValueError")]
)
def test_a_look_that_breaks_is_told_of_and_the_next_one_is_taken(error: Exception, told: str) -> None:
    watching = Watching()
    watching.runtime.__class__ = Breaks
    watching.runtime.breaks = [error]
    assert watching.watcher.problem
    watching.watcher.start()
    try:
        wait_until(lambda: watching.watcher.problem == told, "the problem to be told")
        looks = watching.runtime.looks
        wait_until(lambda: watching.runtime.looks > looks + 1, "it to look on")
        watching.runtime.breaks = []
        wait_until(lambda: watching.watcher.problem == "", "the problem to be over")
        watching.runtime.end(NAME, 1)
        wait_until(lambda: watching.reported, "the crash to be reported")
    finally:
        watching.scene.tools.stopping.set()
        watching.watcher.join()
    assert len(watching.reported) == 1


class Slow(FakeRuntime):
    """A runtime that takes its time to measure, as Docker does."""

    measuring: threading.Event
    go_on: threading.Event

    def usage(self, target: TargetRef) -> Usage | None:
        measured = super().usage(target)
        self.measuring.set()
        self.go_on.wait(30)
        return measured


def test_what_is_told_is_judged_at_once_also_while_the_targets_are_being_measured() -> None:
    watching = Watching()
    watching.runtime.__class__ = Slow
    watching.runtime.measuring, watching.runtime.go_on = threading.Event(), threading.Event()
    watching.watcher.start()
    try:
        assert watching.runtime.measuring.wait(30)
        watching.runtime.turn(NAME, Health.UNHEALTHY)
        wait_until(lambda: watching.reported, "it to be reported")
        assert not watching.sightings.series(NAME)
        watching.runtime.go_on.set()
        wait_until(lambda: watching.sightings.series(NAME), "the sample to be taken in")
    finally:
        watching.runtime.go_on.set()
        watching.scene.tools.stopping.set()
        watching.watcher.join()


class Dies(Slow):
    """A runtime whose target ends while it is being measured."""

    def usage(self, target: TargetRef) -> Usage | None:
        measured = FakeRuntime.usage(self, target)
        if self.measuring.is_set():
            self.end(NAME, 1)
            self.go_on.wait(30)
        return measured


def test_what_was_measured_of_a_target_that_has_ended_meanwhile_is_no_trouble_of_its_own() -> None:
    watching = Watching()
    watching.runtime.__class__ = Dies
    watching.runtime.measuring, watching.runtime.go_on = threading.Event(), threading.Event()
    watching.runtime.use(NAME, memory_bytes=125 * MIB)
    watching.measure(10)
    assert watching.reported == []
    watching.scene.clock.advance(4)
    watching.watcher = watching.anew(every=3600)
    watching.runtime.measuring.set()
    watching.watcher.start()
    try:
        wait_until(lambda: watching.reported, "its end to be reported")
        watching.runtime.go_on.set()
        wait_until(lambda: len(watching.sightings.series(NAME)) > 5, "the sample to be taken in")
    finally:
        watching.runtime.go_on.set()
        watching.scene.tools.stopping.set()
        watching.watcher.join()
    assert [signal.fault for signal in watching.reported] == [Fault.CRASHED]


class Stammers(FakeRuntime):
    """A runtime whose first words nobody understands."""

    words: list[Exception]

    def changes(self, stopping: Stopping) -> Iterator[Change]:
        if self.words:
            raise self.words.pop()
        yield from super().changes(stopping)


@pytest.mark.parametrize("error", [RuntimeUnavailable("cut"), ValueError()])
def test_whatever_breaks_while_it_listens_it_listens_on(error: Exception) -> None:
    watching = Watching()
    watching.runtime.__class__, watching.runtime.words = Stammers, [error]
    watching.watcher = watching.anew(every=3600)
    watching.watcher.start()
    try:
        wait_until(lambda: watching.runtime._broadcast._listeners, "it to listen")
        watching.runtime.turn(NAME, Health.UNHEALTHY)
        wait_until(lambda: watching.reported, "what it was told of to be reported")
    finally:
        watching.scene.tools.stopping.set()
        watching.watcher.join()


def test_a_watcher_that_was_never_started_can_be_joined() -> None:
    Watching().watcher.join()


def test_a_job_that_ends_well_and_is_started_again_is_no_crash_loop() -> None:
    watching = Watching()
    for _ in range(5):
        done = Change(kind=ChangeKind.DIED, at=watching.scene.clock(), target=watching.scene.ref, exit_code=0)
        watching.watcher.hear(done)
    watching.watcher.look_at(NAME)
    assert watching.reported == []
