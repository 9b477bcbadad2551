"""Which target another one fails because of."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.change import Neighbour, Relation
from aegis_core.domain.correlation import CONSEQUENCES, cause_of, told, unwell
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health, RunState, TargetState
from tests.examples import state

CRASHED = {"run": RunState.EXITED, "exit_code": 1}
ILL = {"health": Health.UNHEALTHY}
WELL: dict[str, Any] = {}


def neighbour(relation: Relation, name: str = "db", names: tuple[str, ...] = (), **known: Any) -> Neighbour:
    return Neighbour(relation=relation, state=state(name, **known), names=names)


# ---- unwell


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (state(**CRASHED), "is exited, exit code 1"),
        (state(run=RunState.DEAD, exit_code=137), "is dead, exit code 137"),
        (state(run=RunState.EXITED, exit_code=137, oom_killed=True), "is exited, exit code 137"),
        (state(**ILL), "is unhealthy"),
        (state(run=RunState.RESTARTING, exit_code=1), "is being restarted again and again"),
        (state(), None),
        (state(health=Health.STARTING), None),
        (state(run=RunState.EXITED, exit_code=0), None),
        (state(run=RunState.CREATED), None),
    ],
)
def test_what_is_wrong_is_said_in_words(seen: TargetState, said: str | None) -> None:
    assert unwell(seen) == said


@pytest.mark.parametrize("run", list(RunState))
def test_what_a_person_stopped_is_not_unwell(run: RunState) -> None:
    assert unwell(state(run=run, exit_code=137, health=Health.UNHEALTHY, stopped_by_person=True)) is None


# ---- the cause


@pytest.mark.parametrize("relation", [Relation.NETWORK_PARENT, Relation.DEPENDENCY])
@pytest.mark.parametrize("trouble", [CRASHED, ILL])
def test_what_it_cannot_live_without_is_the_cause_when_it_is_unwell(
    relation: Relation, trouble: dict[str, Any]
) -> None:
    needed = neighbour(relation, **trouble)
    assert cause_of([needed]) == needed
    assert cause_of([neighbour(relation)]) is None
    assert cause_of([neighbour(relation, **trouble, stopped_by_person=True)]) is None


@pytest.mark.parametrize("relation", [Relation.NETWORK_CHILD, Relation.DEPENDENT])
def test_who_needs_it_is_never_the_cause(relation: Relation) -> None:
    assert cause_of([neighbour(relation, **CRASHED)], ["cannot reach db"]) is None


def test_the_closest_of_several_is_the_cause_whatever_their_order() -> None:
    parent = neighbour(Relation.NETWORK_PARENT, "vpn", **ILL)
    others = [neighbour(Relation.DEPENDENCY, "db", **CRASHED), neighbour(Relation.SAME_NETWORK, "mq", **CRASHED)]
    for order in permutations([parent, *others]):
        assert cause_of(order, ["cannot reach mq"]) == parent
    for order in permutations(others):
        assert cause_of(order, ["cannot reach mq"]) == others[0]


def test_a_dependency_that_is_well_hides_no_other_that_is_not() -> None:
    ill = neighbour(Relation.DEPENDENCY, "mq", **ILL)
    assert cause_of([neighbour(Relation.DEPENDENCY, "db"), ill]) == ill


@pytest.mark.parametrize(
    "line",
    [
        "could not connect to db",
        "db: connection refused",
        "tcp://db:5432 timed out",
        "error at http://db/health",
        'lookup "db" failed',
        "(db)",
        "reached postgres.internal not",
    ],
)
def test_who_is_on_the_same_network_is_the_cause_when_the_error_lines_name_it(line: str) -> None:
    other = neighbour(Relation.SAME_NETWORK, "db", names=("db", "postgres.internal"), **CRASHED)
    assert cause_of([other], ["something else", line]) == other


def test_its_own_name_counts_also_where_it_has_others() -> None:
    other = neighbour(Relation.SAME_NETWORK, "db", names=("postgres",), **CRASHED)
    assert cause_of([other], ["could not connect to db"]) == other


@pytest.mark.parametrize(
    "line",
    [
        "",
        "could not connect",
        "mydb is away",
        "db2 is away",
        "db-replica is away",
        "old-db is away",
        "feedback",
        'File "/srv/db/query.py", line 7',
        "/db/main.py: error",
        "postgresXinternal",
    ],
)
def test_what_only_looks_like_its_name_is_no_name(line: str) -> None:
    other = neighbour(Relation.SAME_NETWORK, "db", names=("db", "postgres.internal"), **CRASHED)
    assert cause_of([other], [line]) is None


def test_who_is_on_the_same_network_and_well_is_not_the_cause_however_often_it_is_named() -> None:
    assert cause_of([neighbour(Relation.SAME_NETWORK)], ["could not connect to db"]) is None


@given(st.text(min_size=1, max_size=30), st.text(max_size=60))
def test_whatever_the_names_and_the_lines_are_nothing_breaks(name: str, line: str) -> None:
    other = neighbour(Relation.SAME_NETWORK, name, names=(name, ".*"), **CRASHED)
    assert cause_of([other], [line]) in (None, other)
    assert cause_of([other], [f"cannot reach .* at {name}"]) == other


def test_what_a_target_has_by_itself_follows_from_nobody() -> None:
    own = {Fault.MEMORY_PRESSURE, Fault.CPU_SATURATION, Fault.DISK_PRESSURE, Fault.OOM_KILLED}
    assert set(Fault) - own == CONSEQUENCES


# ---- told


def test_neighbours_that_are_not_well_are_told_of_in_their_order_and_those_that_are_well_are_not() -> None:
    lines = told(
        [
            neighbour(Relation.NETWORK_PARENT, "vpn"),
            neighbour(Relation.DEPENDENCY, "db", **CRASHED),
            neighbour(Relation.DEPENDENCY, "mq", run=RunState.EXITED, exit_code=0, stopped_by_person=True),
            neighbour(Relation.SAME_NETWORK, "web", **ILL),
        ]
    )
    assert lines == (
        "db (dependency) is exited, exit code 1",
        "mq (dependency) was stopped by a person",
        "web (same network) is unhealthy",
    )
    assert told([]) == ()


def test_who_fails_with_it_is_told_first() -> None:
    needing = [neighbour(Relation.DEPENDENT, name) for name in ("web", "api")]
    assert told(needing) == ("web, api need it",)
    assert told(needing[:1]) == ("web needs it",)
