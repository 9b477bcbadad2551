"""First cause before consequence, and troubles that are easily taken for over."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from aegis_core.domain.change import ChangeKind, Neighbour, Relation
from aegis_core.domain.policy import History
from aegis_core.domain.signal import Fault
from aegis_core.domain.standing import Standing
from aegis_core.domain.target import Health, RunState, TargetRef
from aegis_core.errors import RuntimeUnavailable
from aegis_core.pipeline.alarm import HELD, LONGEST_HOLD, RECOVERY, REVIEW, SECOND_LOOK
from aegis_core.testing import FakeRuntime
from tests import examples as make
from tests.contract.rigs import wait_until

from .scene import MIB, NAME
from .watching import Watching

DB = "db"


def with_db(relation: Relation = Relation.DEPENDENCY, **known: object) -> Watching:
    """The target needs a database, and is ill because that has crashed."""
    watching = Watching()
    watching.runtime.add(DB, **{"labels": make.LABELS, **known})
    watching.runtime.relate(NAME, relation, DB)
    watching.look()
    watching.runtime.end(DB, 1)
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    return watching


def reported(watching: Watching) -> list[tuple[str, Fault]]:
    return [(signal.target, signal.fault) for signal in watching.reported]


def pass_by(watching: Watching, seconds: float) -> list[tuple[str, Fault]]:
    """Let so many seconds pass with a look every two seconds; tells what was reported in all."""
    for _ in range(round(seconds / 2)):
        watching.scene.clock.advance(2)
        watching.watcher.look()
    return reported(watching)


# ---- first cause before consequence


@pytest.mark.parametrize("relation", [Relation.NETWORK_PARENT, Relation.DEPENDENCY])
def test_a_consequence_is_held_back_and_its_cause_is_reported_instead(relation: Relation) -> None:
    watching = with_db(relation)
    assert pass_by(watching, 60) == [(DB, Fault.CRASHED)]


@pytest.mark.parametrize("relation", [Relation.NETWORK_CHILD, Relation.DEPENDENT, Relation.SAME_NETWORK])
def test_who_is_not_needed_is_no_cause(relation: Relation) -> None:
    watching = with_db(relation)
    watching.look()
    assert (NAME, Fault.UNHEALTHY) in reported(watching)


def test_the_cause_is_looked_at_when_a_consequence_is_told_of() -> None:
    """Its own end was missed, and the next list is far away."""
    watching = with_db()
    watching.watcher.look()
    watching.reported.clear()
    watching.watcher = watching.anew(every=3600)
    watching.tell(ChangeKind.UNHEALTHY)
    wait_until(lambda: watching.watcher.step() or watching.reported, "the cause to be reported")
    assert reported(watching) == [(DB, Fault.CRASHED)]


def test_what_gets_well_after_its_cause_is_never_reported() -> None:
    watching = with_db()
    pass_by(watching, 20)
    watching.runtime.start(DB)
    pass_by(watching, RECOVERY.total_seconds() - 5)
    watching.runtime.turn(NAME, Health.HEALTHY)
    assert pass_by(watching, 120) == [(DB, Fault.CRASHED)]


def test_what_was_restarted_along_with_its_cause_gets_time_to_follow_it_too() -> None:
    """Its own check says starting, and then unhealthy once more: the cause runs again, and does not serve yet."""
    watching = with_db()
    pass_by(watching, 6)
    watching.runtime.start(DB)
    watching.runtime.turn(NAME, Health.STARTING)
    pass_by(watching, 4)
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    pass_by(watching, 10)
    watching.runtime.turn(NAME, Health.HEALTHY)
    assert pass_by(watching, 60) == [(DB, Fault.CRASHED)]


def test_what_is_still_ill_some_time_after_its_cause_got_well_is_reported_by_itself() -> None:
    watching = with_db()
    pass_by(watching, 20)
    watching.runtime.start(DB)
    assert pass_by(watching, RECOVERY.total_seconds() + 4) == [(DB, Fault.CRASHED), (NAME, Fault.UNHEALTHY)]


def test_what_has_crashed_cannot_follow_by_itself_and_is_reported_as_soon_as_its_cause_is_well() -> None:
    watching = with_db()
    watching.runtime.end(NAME, 1)
    assert pass_by(watching, 60) == [(DB, Fault.CRASHED)]
    watching.runtime.start(DB)
    assert pass_by(watching, HELD.total_seconds() + 3) == [(DB, Fault.CRASHED), (NAME, Fault.CRASHED)]


def test_the_memory_of_a_dependent_is_its_own_trouble() -> None:
    watching = with_db()
    watching.runtime.turn(NAME, Health.HEALTHY)
    watching.runtime.use(NAME, memory_bytes=120 * MIB)
    assert (NAME, Fault.MEMORY_PRESSURE) in pass_by(watching, 20)


def test_who_ran_on_for_long_without_what_it_needs_does_not_fail_because_of_that() -> None:
    """A job that once prepared everything, and failed, days ago: nobody will heal it."""
    watching = with_db()
    watching.runtime.turn(NAME, Health.HEALTHY)
    watching.scene.clock.advance(700)
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    assert pass_by(watching, 4) == [(NAME, Fault.UNHEALTHY)]


def test_nothing_is_held_back_for_longer_than_its_cause_can_be_treated() -> None:
    """The cause runs, is ill, and has been given up."""
    watching = with_db()
    watching.runtime.start(DB)
    watching.runtime.turn(DB, Health.UNHEALTHY)
    limit = LONGEST_HOLD.total_seconds()
    assert pass_by(watching, limit - 10) == [(DB, Fault.UNHEALTHY)]
    assert pass_by(watching, 20) == [(DB, Fault.UNHEALTHY), (NAME, Fault.UNHEALTHY)]
    assert pass_by(watching, limit + 60) == [(DB, Fault.UNHEALTHY), (NAME, Fault.UNHEALTHY)], "each once"


@pytest.mark.parametrize("labels", [{}, {"aegis.enable": "false"}, {**make.LABELS, "aegis.self": "true"}])
def test_nothing_waits_for_a_cause_that_aegis_must_not_heal(labels: dict[str, str]) -> None:
    watching = with_db(labels=labels)
    assert pass_by(watching, 4) == [(NAME, Fault.UNHEALTHY)]


def test_a_cause_that_a_person_stopped_holds_nothing_back() -> None:
    watching = with_db()
    watching.runtime.start(DB)
    watching.runtime.end(DB, 137, by_person=True)
    assert pass_by(watching, 4) == [(NAME, Fault.UNHEALTHY)]


def test_of_a_chain_only_the_first_cause_is_reported() -> None:
    watching = with_db()
    watching.runtime.add("shop", labels=make.LABELS, health=Health.HEALTHY)
    watching.runtime.relate("shop", Relation.DEPENDENCY, NAME)
    watching.runtime.turn("shop", Health.UNHEALTHY)
    assert pass_by(watching, 30) == [(DB, Fault.CRASHED)]


def test_those_that_need_each_other_all_round_do_not_hold_each_other_back_for_ever() -> None:
    watching = Watching()
    ring = (NAME, DB, "cache")
    for one, other in pairwise((*ring, NAME)):
        if one != NAME:
            watching.runtime.add(one, labels=make.LABELS)
        watching.runtime.relate(one, Relation.DEPENDENCY, other)
    for name in ring:
        watching.runtime.turn(name, Health.UNHEALTHY)
    assert len(pass_by(watching, 60)) == 1


def test_what_was_held_back_and_got_well_has_no_bonus_when_it_is_ill_again() -> None:
    watching = with_db()
    pass_by(watching, 4)
    watching.runtime.start(DB)
    watching.runtime.turn(NAME, Health.HEALTHY)
    pass_by(watching, 6)
    watching.runtime.turn(NAME, Health.UNHEALTHY)
    assert pass_by(watching, 2) == [(DB, Fault.CRASHED), (NAME, Fault.UNHEALTHY)]


class Wordless(FakeRuntime):
    """A runtime that cannot say who hangs together with whom; `asked` counts how often it was."""

    asked = 0
    away = True

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        self.asked += 1
        if self.away:
            raise RuntimeUnavailable
        return super().neighbours(target)


def test_where_the_neighbours_are_not_known_the_trouble_is_reported() -> None:
    watching = with_db()
    watching.runtime.__class__ = Wordless
    assert (NAME, Fault.UNHEALTHY) in pass_by(watching, 4)


def test_the_neighbours_of_what_is_held_back_are_not_asked_for_at_every_look() -> None:
    watching = with_db()
    watching.runtime.__class__, watching.runtime.away = Wordless, False
    pass_by(watching, 20)
    assert watching.runtime.asked <= 20 / HELD.total_seconds() + 3


# ---- crashes and crash loops


def test_a_crash_that_only_the_list_finds_is_looked_at_again_before_the_next_list() -> None:
    """The runtime tells nothing. One list interval has to be enough."""
    watching = Watching()
    watching.runtime.cut()
    watching.runtime.end(NAME, 1)
    watching.watcher = watching.anew(every=3600)
    watching.watcher.start()
    try:
        wait_until(lambda: watching.reported, "the crash to be reported", SECOND_LOOK + 4)
    finally:
        watching.scene.tools.stopping.set()
        watching.watcher.join()
    assert reported(watching) == [(NAME, Fault.CRASHED)]


def crash(watching: Watching, after: float = 5.0, restarts: int = 1) -> None:
    """Let it run for a while and crash, with a restart policy that starts it at once."""
    watching.scene.clock.advance(after)
    watching.runtime.end(NAME, 1)
    watching.tell(ChangeKind.DIED)
    watching.runtime.start(NAME)
    watching.tell(ChangeKind.STARTED)
    watching.runtime._change(NAME, restart_count=restarts)
    watching.watcher.look_at(NAME)


def restart(watching: Watching) -> None:
    """Somebody restarts it."""
    watching.tell(ChangeKind.STOPPED)
    watching.runtime.end(NAME, 143)
    watching.tell(ChangeKind.DIED)
    watching.runtime.start(NAME)
    watching.tell(ChangeKind.STARTED)
    watching.runtime._change(NAME, restart_count=0)
    watching.watcher.look_at(NAME)


def test_a_loop_is_reported_once_however_long_it_goes_on() -> None:
    watching = Watching()
    for number in range(40):
        crash(watching, after=20.0, restarts=number + 1)
    assert [fault for _, fault in reported(watching)] == [Fault.CRASH_LOOP]


def test_a_loop_whose_ends_come_too_seldom_to_be_counted_is_not_reported_anew_each_time() -> None:
    """The restart policy has come to its longest pause: a minute between two ends."""
    watching = Watching()
    for number in range(3):
        crash(watching, restarts=number + 1)
    for number in range(10):
        crash(watching, after=61.0, restarts=number + 4)
    assert [fault for _, fault in reported(watching)] == [Fault.CRASH_LOOP]


def test_a_loop_that_seemed_to_be_healed_is_reported_again_when_it_goes_on() -> None:
    watching = Watching()
    for number in range(3):
        crash(watching, after=20.0, restarts=number + 1)
    restart(watching)
    pass_by(watching, 40)  # longer than its heal is watched
    for number in range(3):
        crash(watching, after=20.0, restarts=number + 1)
    assert [fault for _, fault in reported(watching)] == [Fault.CRASH_LOOP] * 2


def test_a_loop_that_a_restart_did_not_end_is_not_reported_anew() -> None:
    """Its incident is still open, or has been given up."""
    watching = Watching()
    for number in range(3):
        crash(watching, after=20.0, restarts=number + 1)
    for _ in range(3):
        restart(watching)
        for number in range(3):
            pass_by(watching, 18)
            crash(watching, after=2.0, restarts=number + 1)
    assert [fault for _, fault in reported(watching)] == [Fault.CRASH_LOOP]


def test_ends_before_a_restart_that_somebody_asked_for_do_not_count() -> None:
    watching = Watching()
    for _ in range(3):
        crash(watching)
        crash(watching)
        restart(watching)
    assert reported(watching) == []


def test_a_crash_soon_after_a_restart_that_was_asked_for_counts() -> None:
    watching = Watching()
    restart(watching)
    for number in range(3):
        crash(watching, after=0.5, restarts=number + 1)
    assert [fault for _, fault in reported(watching)] == [Fault.CRASH_LOOP]


def test_another_target_under_the_same_name_does_not_inherit_the_ends_of_the_old_one() -> None:
    """Somebody has deployed what mends the loop."""
    watching = Watching()
    for number in range(3):
        crash(watching, restarts=number + 1)
    watching.runtime.add(NAME, labels=make.LABELS)
    pass_by(watching, 10)
    assert len(reported(watching)) == 1


def test_a_loop_that_was_there_before_the_agent_is_found_by_the_pause_of_its_restart_policy() -> None:
    watching = Watching()
    watching.runtime.end(NAME, 1)
    watching.runtime._change(NAME, run=RunState.RESTARTING, restart_count=9)
    watching.scene.clock.advance(2)
    assert watching.look() == []
    watching.scene.clock.advance(2)
    assert watching.look() == [Fault.CRASH_LOOP]
    assert watching.reported[0].logs == ("ended again and again; its restart policy has restarted it 9 times",)


# ---- after a quarantine


class Said:
    """What people have said, as a test sets it (port `Standings`)."""

    def __init__(self) -> None:
        self.standing = Standing()

    def of(self, target: str) -> Standing:
        return self.standing


def in_quarantine() -> tuple[Watching, Said]:
    """The target has crashed, and three attempts have not helped."""
    watching, said = Watching(), Said()
    watching.scene.use(standings=said)
    watching.watcher = watching.anew()
    watching.look()
    watching.runtime.end(NAME, 1)
    assert pass_by(watching, 10) == [(NAME, Fault.CRASHED)]
    attempts = tuple(watching.scene.clock() - timedelta(seconds=ago) for ago in (300, 200, 100))
    watching.scene.incidents.past = History(attempts=attempts, last_action_at=attempts[-1])
    assert pass_by(watching, 120) == [(NAME, Fault.CRASHED)]
    return watching, said


def test_what_is_still_ill_when_its_quarantine_ends_is_reported_once_more_however_long_ago_it_ended() -> None:
    watching, _ = in_quarantine()
    watching.scene.clock.advance(3600)
    assert pass_by(watching, 60) == [(NAME, Fault.CRASHED)] * 2
    assert pass_by(watching, 120) == [(NAME, Fault.CRASHED)] * 2


def test_what_is_still_ill_when_a_person_releases_it_is_reported_within_half_a_minute() -> None:
    watching, said = in_quarantine()
    said.standing = Standing(released_at=watching.scene.clock())
    assert pass_by(watching, REVIEW.total_seconds() + 2) == [(NAME, Fault.CRASHED)] * 2


def test_what_got_well_in_its_quarantine_is_reported_no_more() -> None:
    watching, said = in_quarantine()
    watching.runtime.start(NAME)
    pass_by(watching, 4)
    said.standing = Standing(released_at=watching.scene.clock())
    assert pass_by(watching, 120) == [(NAME, Fault.CRASHED)]
