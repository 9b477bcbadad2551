"""What every work queue has to do: the most urgent first, and never two hands on one target."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import Fault, Severity
from aegis_core.ports import Claim
from tests import examples as make
from tests.examples import NOON, later

from .stores import Store


def opened(store: Store, target: str = "web", seconds: float = 0, **known: object) -> Incident:
    return store.open(make.signal(target, **known), later(seconds))[0]


def claim(store: Store, seconds: float = 100, limit: int = 100) -> list[Claim]:
    return list(store.queue.claim(limit, later(seconds)))


def ids(claims: list[Claim]) -> list[str]:
    return [one.incident.id for one in claims]


def wrote(store: Store, one: Claim, *drafts: Draft, seconds: float = 101) -> Claim:
    return store.events.append(one, drafts, later(seconds))


def test_an_empty_queue_has_nothing(store: Store) -> None:
    assert claim(store) == []
    assert store.queue.next_wake(NOON) is None


def test_what_is_claimed_comes_as_it_stands_and_only_once(store: Store) -> None:
    incident = opened(store)
    (one,) = claim(store)
    assert one.incident == incident
    assert claim(store) == []


def test_critical_comes_first_and_then_the_oldest(store: Store) -> None:
    opened(store, "a", 1, severity=Severity.INFO, incident_id="info")
    opened(store, "b", 4, severity=Severity.CRITICAL, incident_id="critical, newer")
    opened(store, "c", 2, severity=Severity.WARNING, incident_id="warning")
    opened(store, "d", 3, severity=Severity.CRITICAL, incident_id="critical, older")
    assert ids(claim(store)) == ["critical, older", "critical, newer", "warning", "info"]


def test_an_incident_that_turned_critical_moves_ahead(store: Store) -> None:
    opened(store, "a", 1, severity=Severity.WARNING, incident_id="first")
    opened(store, "b", 2, severity=Severity.WARNING, incident_id="second")
    opened(store, "b", 3, severity=Severity.CRITICAL)
    assert ids(claim(store)) == ["second", "first"]


def test_no_more_are_claimed_than_asked_for(store: Store) -> None:
    for number in range(5):
        opened(store, f"web-{number}", number)
    assert len(claim(store, limit=2)) == 2
    assert len(claim(store, limit=100)) == 3


def test_never_two_of_one_target(store: Store) -> None:
    first = opened(store, fault=Fault.CRASHED)
    second = opened(store, seconds=1, fault=Fault.LATENCY)
    (one,) = claim(store)
    assert one.incident.id == first.id
    assert claim(store) == []
    store.queue.release(wrote(store, one, make.failed()))
    assert ids(claim(store)) == [second.id]


def test_two_of_one_target_are_not_handed_out_in_one_go_either(store: Store) -> None:
    opened(store, fault=Fault.CRASHED)
    opened(store, fault=Fault.LATENCY)
    other = opened(store, "db", seconds=5)
    claims = claim(store, limit=2)
    assert len(claims) == 2
    assert other.id in ids(claims)


HANDS_ON = {"executing": [make.intended()], "verifying": [make.intended(), make.executed()]}


@pytest.mark.parametrize("drafts", HANDS_ON.values(), ids=HANDS_ON.keys())
def test_while_one_has_its_hands_on_a_target_no_other_one_is_worked_on(store: Store, drafts: list[Draft]) -> None:
    """Not even while it sleeps: the other would see, or change, a target in the middle of an action."""
    acting = opened(store, fault=Fault.CRASHED)
    waiting = opened(store, seconds=1, fault=Fault.LATENCY)
    (one,) = claim(store)
    store.queue.release(wrote(store, one, *drafts, make.stage_failed(later(200))))
    assert claim(store, 150) == []
    assert ids(claim(store, 200)) == [acting.id]
    assert waiting.id not in ids(claim(store, 300))


def test_one_that_rests_with_its_hands_off_lets_another_one_of_the_target_go_first(store: Store) -> None:
    opened(store, fault=Fault.CRASHED)
    waiting = opened(store, seconds=1, fault=Fault.LATENCY)
    (one,) = claim(store)
    store.queue.release(wrote(store, one, make.rested(later(200))))
    assert ids(claim(store, 150)) == [waiting.id]


def test_what_sleeps_is_not_claimed_before_its_time(store: Store) -> None:
    incident = opened(store)
    (one,) = claim(store)
    store.queue.release(wrote(store, one, make.rested(later(200))))
    assert claim(store, 199.999) == []
    assert ids(claim(store, 200)) == [incident.id]


def test_what_is_closed_is_not_claimed(store: Store) -> None:
    opened(store)
    (one,) = claim(store)
    store.queue.release(wrote(store, one, make.failed()))
    assert claim(store) == []


def test_what_is_given_back_can_be_claimed_again_as_it_stands_then(store: Store) -> None:
    opened(store)
    (one,) = claim(store)
    after = wrote(store, one, make.gathered())
    store.queue.release(after)
    (again,) = claim(store)
    assert again.incident == after.incident
    assert again.fence > one.fence


def test_giving_back_an_old_claim_does_not_take_away_the_new_one(store: Store) -> None:
    opened(store)
    (old,) = claim(store)
    store.queue.recover()
    (new,) = claim(store)
    store.queue.release(old)
    assert claim(store) == []
    assert wrote(store, new, make.gathered()).fence == new.fence


def test_recovering_takes_back_what_a_dead_agent_had(store: Store) -> None:
    incidents = {opened(store, f"web-{number}").id for number in range(3)}
    claim(store, limit=2)
    assert store.queue.recover() == 2
    assert set(ids(claim(store))) == incidents
    assert store.queue.recover() == 3


def test_the_fence_only_grows(store: Store) -> None:
    opened(store)
    fences = []
    for _ in range(4):
        (one,) = claim(store)
        fences.append(one.fence)
        store.queue.release(one)
    assert fences == sorted(set(fences))


def test_the_next_to_wake_is_the_earliest_that_sleeps(store: Store) -> None:
    for number, until in enumerate((300, 200, 250)):
        opened(store, f"web-{number}", number)
        (one,) = claim(store)
        store.queue.release(wrote(store, one, make.rested(later(until))))
    assert store.queue.next_wake(later(100)) == later(200)
    assert store.queue.next_wake(later(200)) == later(250)
    assert store.queue.next_wake(later(300)) is None


def test_neither_the_claimed_nor_the_closed_nor_the_wakeful_are_waited_for(store: Store) -> None:
    opened(store, "closed")
    (one,) = claim(store)
    wrote(store, one, make.stage_failed(later(200)))
    assert store.queue.next_wake(NOON) is None, "who has claimed it knows when it wakes"
    store.queue.release(wrote(store, one, make.failed()))
    opened(store, "awake")
    assert store.queue.next_wake(NOON) is None


def test_a_storm_of_500_for_50_targets_is_worked_off_and_never_twice_at_once_on_a_target(store: Store) -> None:
    dice = random.Random(7)
    for number in range(500):
        fault = dice.choice(list(Fault))
        opened(store, f"web-{number % 50}", number / 1000, fault=fault, severity=dice.choice(list(Severity)))
    busy: Counter[str] = Counter()
    worked: list[str] = []
    turn = Lock()

    def work() -> None:
        while claims := claim(store, limit=1):
            (one,) = claims
            with turn:
                busy[one.incident.target] += 1
                assert busy[one.incident.target] == 1
            closed = wrote(store, one, make.failed())
            with turn:
                busy[one.incident.target] -= 1
                worked.append(one.incident.id)
            store.queue.release(closed)

    with ThreadPoolExecutor(4) as pool:
        for worker in [pool.submit(work) for _ in range(4)]:
            worker.result()
    while claims := claim(store):  # a worker leaves when all that is left belongs to targets of the others
        for one in claims:
            worked.append(one.incident.id)
            store.queue.release(wrote(store, one, make.failed()))
    assert len(worked) == len(set(worked))
    assert store.archive.broken() == []
    assert store.queue.recover() == 0
