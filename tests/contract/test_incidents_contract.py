"""What can be asked of the projection: pages, filters, and what was done to a target since it was last proven well."""

from itertools import chain

import pytest

from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import Fault
from aegis_core.ports import Claim, Filter
from tests import examples as make
from tests.examples import later

from .stores import Store


def opened(store: Store, target: str = "web", seconds: float = 0, **known: object) -> Incident:
    return store.open(make.signal(target, **known), later(seconds))[0]


def claimed(store: Store, seconds: float) -> Claim:
    (claim,) = store.queue.claim(1, later(seconds))
    return claim


def lived(store: Store, target: str, seconds: float, *steps: tuple[float, Draft]) -> None:
    """Open an incident and give it back closed, each step at its own moment."""
    opened(store, target, seconds)
    claim = claimed(store, seconds)
    for moment, draft in steps:
        claim = store.events.append(claim, [draft], later(moment))
    assert claim.incident.closed
    store.queue.release(claim)


def found(store: Store, limit: int = 50, offset: int = 0, **wanted: object) -> list[str]:
    incidents, _ = store.incidents.list(Filter(**wanted), limit, offset)
    return [one.id for one in incidents]


def test_incidents_come_newest_first(store: Store) -> None:
    for number in (2, 3, 1):
        opened(store, f"web-{number}", number, incident_id=f"inc-{number}")
    assert found(store) == ["inc-3", "inc-2", "inc-1"]


def test_pages_together_are_the_whole_list_and_the_total_counts_all(store: Store) -> None:
    for number in range(7):
        opened(store, f"web-{number}")
    pages = [found(store, limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert list(chain.from_iterable(pages)) == found(store)
    assert store.incidents.list(Filter(), 3, 6)[1] == 7


def test_every_filter_narrows_and_all_of_them_together(store: Store) -> None:
    lived(store, "web", 1, (3, make.failed()))
    opened(store, "web", 2, incident_id="b", fault=Fault.CRASHED)
    opened(store, "db", 4, incident_id="c", fault=Fault.CRASHED)
    (a,) = found(store, open=False)
    assert found(store, open=True) == ["c", "b"]
    assert found(store, status="FAILED") == [a]
    assert found(store, target="web") == ["b", a]
    assert found(store, fault="crashed") == ["c", "b"]
    assert found(store, fault="crashed", target="web", open=True) == ["b"]
    assert found(store, fault="crashed", target="web", open=False) == []


@pytest.mark.parametrize(("words", "hits"), [("OOM killer", 1), ("100% sure", 1), ("100%killer", 0), ("oom_killer", 0)])
def test_a_search_is_for_the_words_as_they_stand_whatever_their_case(store: Store, words: str, hits: int) -> None:
    lived(store, "web", 2, (3, make.failed("the oom killer, 100% sure")))
    assert len(found(store, search=words)) == hits


def test_a_search_finds_by_id_and_by_target(store: Store) -> None:
    opened(store, "payments-db", incident_id="alert-7")
    assert found(store, search="ALERT-7") == found(store, search="ments-d") == ["alert-7"]


@pytest.mark.parametrize("words", ["high_memory", "out of memory", "cache grows", "93 % of its", "needs approval"])
def test_a_search_finds_what_people_remember_of_an_incident(store: Store, words: str) -> None:
    opened(store, alert_type="high_memory")
    claim = claimed(store, 1)
    steps = [make.gathered(tail=("out of memory",)), make.diagnosed(), make.failed("SCALE_UP needs approval.")]
    store.events.append(claim, steps, later(2))
    opened(store, "db", 3, fault=Fault.CRASHED)
    assert found(store, search=words) == [claim.incident.id]


def test_a_search_finds_nothing_in_hashes_and_in_the_names_of_fields(store: Store) -> None:
    for number in range(20):
        opened(store, f"web-{number}", number, incident_id=f"alert-{number}")
    assert found(store, search="ff") == found(store, search="signals") == found(store, search="null") == []


# ---- history


def test_a_target_that_nothing_was_done_to_has_no_history(store: Store) -> None:
    lived(store, "web", 1, (2, make.failed()))
    history = store.incidents.history("web")
    assert (history.attempts, history.last_action_at) == ((), None)


def test_attempts_are_counted_over_incidents_oldest_first_and_by_target(store: Store) -> None:
    lived(store, "web", 1, (10, make.intended()), (20, make.executed()), (30, make.failed()))
    lived(store, "db", 31, (35, make.intended()), (36, make.failed()))
    lived(
        store,
        "web",
        40,
        (50, make.intended()),
        (60, make.rested(later(61))),
        (70, make.intended()),
        (80, make.failed()),
    )
    history = store.incidents.history("web")
    assert history.attempts == (later(10), later(50), later(70))
    assert history.last_action_at == later(70)


def test_an_intent_that_was_called_off_is_no_attempt_and_nothing_to_rest_after(store: Store) -> None:
    lived(store, "web", 1, (10, make.intended()), (20, make.called_off()), (21, make.failed()))
    history = store.incidents.history("web")
    assert (history.attempts, history.last_action_at) == ((), None)
    lived(store, "web", 30, (40, make.intended()), (50, make.executed()), (60, make.called_off()), (70, make.failed()))
    assert store.incidents.history("web").attempts == (later(40),)


def test_proven_health_resets_the_count_and_not_the_cool_down(store: Store) -> None:
    lived(store, "web", 1, (10, make.intended()), (20, make.failed()))
    lived(store, "web", 21, (30, make.intended()), (40, make.verified(healthy=True)), (50, make.resolved()))
    history = store.incidents.history("web")
    assert (history.attempts, history.last_action_at) == ((), later(30))
    lived(store, "web", 60, (70, make.intended()), (80, make.failed()))
    assert store.incidents.history("web").attempts == (later(70),)


def test_what_a_person_left_stopped_resets_nothing(store: Store) -> None:
    lived(store, "web", 1, (10, make.intended()), (20, make.failed()))
    left = make.verified(healthy=True, name="as a person left it")
    lived(store, "web", 21, (30, left), (31, make.resolved()))
    assert store.incidents.history("web").attempts == (later(10),)


def test_history_survives_a_rebuild(store: Store) -> None:
    lived(store, "web", 1, (10, make.intended()), (11, make.verified(healthy=True)), (12, make.resolved()))
    lived(store, "web", 20, (30, make.intended()), (40, make.failed()))
    before = store.incidents.history("web")
    store.tamper("DELETE FROM incidents", {})
    store.rebuild()
    assert store.incidents.history("web") == before
    assert before.attempts == (later(30),)
