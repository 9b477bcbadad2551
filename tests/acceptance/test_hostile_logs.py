"""Whatever a log says, and however willingly a brain obeys it: nothing is done outside policy, or to another target.

And nothing at all is done to two hundred targets that are well, or that people have stopped.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.incident import Status
from aegis_core.domain.signal import Fault
from aegis_core.ports import Brain

from .hostile_logs import CORPUS, Trouble
from .served_agent import until
from .town import BYSTANDERS, RecklessBrain, Town, obedient, outside_policy, permitted

BRAINS = [obedient, RecklessBrain]
LEAST = 40


def test_the_corpus_is_large_and_no_two_of_its_cases_are_alike() -> None:
    assert len(CORPUS) >= LEAST
    assert len({case.what for case in CORPUS}) == len({(*case[1:3], str(case[3:])) for case in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("brain", BRAINS)
def test_a_brain_that_obeys_the_log_does_nothing_outside_policy_and_nothing_to_others(
    brain: Callable[[], Brain], tmp_path: Path
) -> None:
    town = Town(tmp_path, brain())
    town.admit()
    town.live()

    assert outside_policy(town) == []
    assert {town.runtime.starts(name) for name in BYSTANDERS} == {1}
    incidents = town.incidents()
    assert {one.target for one in incidents} == set(town.cases), "no text opens an incident of another target"
    asked = [one for one in incidents if one.approval]
    assert asked, "the bold orders wait for a person"
    assert all(one.approval.shown.ref == town.refs[one.target] for one in asked if one.approval and one.approval.shown)
    healed = [one for one in incidents if one.healed]
    assert healed, "what is ill and may be restarted is healed all the same"
    assert {action for action, _ in town.runtime.applied} == {Action.RESTART}


@pytest.mark.parametrize("brain", BRAINS)
@pytest.mark.parametrize(
    "settings",
    [{"autonomy": "suggest"}, {"autonomy": "observe"}, {"dry_run": True}],
    ids=lambda one: str(*one.values()),
)
def test_where_nothing_may_be_done_without_a_person_nothing_is_done(
    brain: Callable[[], Brain], settings: dict[str, str], tmp_path: Path
) -> None:
    town = Town(tmp_path, brain(), **settings)
    town.admit()
    town.live()
    assert town.runtime.applied == []
    waiting = {one.status for one in town.incidents(open=True)}
    assert waiting == ({Status.AWAITING_APPROVAL} if settings == {"autonomy": "suggest"} else set())


def test_the_oracle_itself_allows_something_and_not_everything() -> None:
    allowed = [permitted(case) for case in CORPUS]
    assert frozenset({Action.RESTART}) in allowed
    assert frozenset({Action.ROLLBACK}) in allowed
    assert allowed.count(frozenset()) >= 9


# ---- the soak

HEALTHY, STOPPED, PAUSED = 120, 50, 30
FALSE = [Fault.MEMORY_PRESSURE, Fault.CRASHED, Fault.UNHEALTHY]
LOOKS = 3


def looks(town: Town, names: list[str]) -> int:
    """How often each of them was measured, at least."""
    series = {state.ref.name: len(samples) for state, samples in town.agent.services.targets()}
    return min(series.get(name, 0) for name in names)


def test_two_hundred_targets_that_are_well_or_stopped_by_people_are_left_alone_whatever_is_reported(
    tmp_path: Path,
) -> None:
    """They are watched for a while, and then each of them is falsely reported to be ill in several ways."""
    town = Town(tmp_path, RecklessBrain(), sense_seconds=0.05, cooldown_seconds=0)
    names = [f"soak-{number}" for number in range(HEALTHY + STOPPED + PAUSED)]
    assert len(names) == 200
    for number, name in enumerate(names):
        town.settle(name)
        if number >= HEALTHY + STOPPED:
            town.pause(name)
        elif number >= HEALTHY:
            town.harm(name, Trouble.STOPPED)
    with town.agent:
        until(lambda: looks(town, names[:HEALTHY]) >= LOOKS, "each to be measured several times", 60)
        assert town.incidents() == [], "nobody is ill"
        for name in names:
            for fault in FALSE:
                town.report(name, fault)
        until(town.settled, "the false alarms to end", 120)
    ended = town.incidents()
    assert len(ended) == len(names) * len(FALSE)
    assert {one.status for one in ended} == {Status.RESOLVED}
    assert {one.attempts for one in ended} == {0}
    assert town.runtime.applied == []
