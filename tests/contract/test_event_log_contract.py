"""What every event log has to do: one incident a trouble, nothing without its notices, and a chain that tells."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aegis_core.domain.events import Draft, first_broken
from aegis_core.domain.incident import Incident, Status, fold
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.signal import Fault, Severity, Signal
from aegis_core.errors import Fenced, IncidentUnknown
from aegis_core.ports import Claim, Filter, Opening
from tests import examples as make
from tests.examples import NOON, later

from .stores import Store


def opened(store: Store, signal: Signal | None = None, seconds: float = 0) -> Incident:
    incident, created = store.open(signal or make.signal(), later(seconds))
    assert created
    return incident


def claimed(store: Store, seconds: float = 0) -> Claim:
    (claim,) = store.queue.claim(1, later(seconds))
    return claim


def closed(store: Store, signal: Signal | None = None) -> Incident:
    opened(store, signal)
    claim = store.events.append(claimed(store), [make.failed()], later(1))
    store.queue.release(claim)
    return claim.incident


def everything(store: Store) -> Sequence[Incident]:
    return store.incidents.list(Filter(), 500, 0)[0]


# ---- opening and joining


def test_the_first_signal_opens_an_incident_that_can_be_read_back(store: Store) -> None:
    incident = opened(store, make.signal("web", logs=("one", "two"), metrics={"memory_percent": 93.25}))
    assert incident.status is Status.RECEIVED
    assert store.incidents.get(incident.id) == incident
    assert [event.version for event in store.incidents.events(incident.id)] == [1]


def test_the_senders_id_is_kept(store: Store) -> None:
    assert opened(store, make.signal(incident_id="alert-7")).id == "alert-7"


def test_ids_that_are_made_up_differ_within_one_moment(store: Store) -> None:
    assert len({opened(store, make.signal(f"web-{number}")).id for number in range(20)}) == 20


def test_a_repeated_id_joins(store: Store) -> None:
    opened(store, make.signal(incident_id="alert-7"))
    incident, created = store.open(make.signal(incident_id="alert-7", fault=Fault.LATENCY), later(1))
    assert (incident.id, created, incident.signals) == ("alert-7", False, 2)


def test_the_same_target_and_fault_join_while_the_incident_is_open(store: Store) -> None:
    first = opened(store)
    second, created = store.open(make.signal(incident_id="alert-8", severity=Severity.INFO), later(1))
    assert (second.id, created, second.signals, second.last_signal_at) == (first.id, False, 2, later(1))
    assert store.incidents.get(first.id) == second


@pytest.mark.parametrize("other", [make.signal("db"), make.signal(fault=Fault.CRASHED)])
def test_another_target_or_another_fault_is_another_incident(store: Store, other: Signal) -> None:
    assert opened(store).id != opened(store, other).id


def test_a_replay_of_an_id_that_is_closed_changes_nothing(store: Store) -> None:
    before = closed(store, make.signal(incident_id="alert-7"))
    again, created = store.open(make.signal(incident_id="alert-7"), later(9))
    assert (again, created) == (before, False)
    assert store.incidents.get("alert-7") == before
    assert len(everything(store)) == 1


def test_a_closed_incident_is_not_reopened_by_the_same_trouble(store: Store) -> None:
    first = closed(store)
    assert opened(store, seconds=9).id != first.id
    assert store.incidents.get(first.id) == first


def test_a_signal_that_joins_does_not_store_its_log_lines_once_more(store: Store) -> None:
    incident = opened(store, make.signal(logs=("first",)))
    store.open(make.signal(logs=("again",)), later(1))
    (_, joined) = store.incidents.events(incident.id)
    assert joined.data["signal"]["logs"] == []


def test_a_thousand_identical_signals_from_eight_threads_are_one_incident(store: Store) -> None:
    signals = 1000
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.open(make.signal(), NOON), range(signals)))
    assert sum(created for _, created in answers) == 1
    (incident,) = everything(store)
    assert {one.id for one, _ in answers} == {incident.id}
    assert (incident.signals, incident.version) == (signals, signals)


def test_chains_are_whole_after_eight_threads_have_opened_and_joined_at_once(store: Store) -> None:
    targets = [f"web-{number}" for number in range(5)]
    start = Barrier(8)

    def storm(seed: int) -> None:
        dice = random.Random(seed)
        start.wait()
        for _ in range(25):
            store.open(make.signal(dice.choice(targets), fault=dice.choice(list(Fault)[:2])), NOON)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(storm, range(8)))
    assert store.archive.broken() == []
    assert sum(one.signals for one in everything(store)) == 8 * 25 == store.archive.count()


# ---- many at once, and what their senders take back


def batch(store: Store, *signals: Signal, seconds: float = 0) -> list[tuple[str, bool]]:
    """Store these together; tells the incident of each, and whether it was new."""
    taken = store.events.open([Opening(signal=signal) for signal in signals], later(seconds))
    return [(incident.id, created) for incident, created in taken]


def test_a_batch_opens_and_joins_and_counts_as_if_its_signals_had_come_one_by_one(store: Store) -> None:
    old = opened(store, make.signal("old"))
    same = make.signal("web", severity=Severity.WARNING)
    taken = batch(store, same, make.signal("old"), make.signal("db"), same, make.signal("web"))
    web, db = taken[0][0], taken[2][0]
    assert taken == [(web, True), (old.id, False), (db, True), (web, False), (web, False)]
    assert {one.id: one.signals for one in everything(store)} == {web: 3, old.id: 2, db: 1}
    assert store.incidents.get(web).severity is Severity.CRITICAL
    assert store.archive.broken() == []


def test_a_batch_of_identical_signals_is_two_events_however_many_they_are(store: Store) -> None:
    taken = batch(store, *[make.signal()] * 500)
    assert len({incident_id for incident_id, _ in taken}) == 1
    assert [created for _, created in taken] == [True] + [False] * 499
    (incident,) = everything(store)
    assert (incident.signals, incident.version) == (500, 2)


def test_the_incidents_that_a_batch_returns_stand_as_they_are_after_it(store: Store) -> None:
    first, second = store.events.open([Opening(signal=make.signal()), Opening(signal=make.signal())], NOON)
    assert first[0] == second[0] == store.incidents.get(first[0].id)


def test_signals_with_one_key_are_one_incident_whatever_they_are_about(store: Store) -> None:
    one = make.signal("web", key="am:1")
    taken = batch(store, one, make.signal("db", fault=Fault.LATENCY, key="am:1"))
    assert taken[1] == (taken[0][0], False)
    assert batch(store, make.signal("mq", key="am:1"), seconds=1) == [(taken[0][0], False)]
    assert store.incidents.get(taken[0][0]).target == "web"


def test_another_key_joins_by_what_it_is_about(store: Store) -> None:
    taken = batch(store, make.signal(key="am:1"), make.signal(key="am:2"), make.signal())
    assert len({incident_id for incident_id, _ in taken}) == 1


def test_a_key_whose_incident_is_closed_opens_another_one(store: Store) -> None:
    first = closed(store, make.signal(key="am:1"))
    ((second, created),) = batch(store, make.signal(key="am:1"), seconds=9)
    assert created
    assert second != first.id


def test_ids_keys_and_symptoms_can_be_mixed_in_one_batch(store: Store) -> None:
    gone = closed(store, make.signal("gone", incident_id="alert-7"))
    taken = batch(
        store,
        make.signal("gone", incident_id="alert-7"),
        make.signal("web", incident_id="alert-8", key="am:1"),
        make.signal("web", incident_id="alert-9"),
        make.signal("db", key="am:1"),
        make.signal("web", fault=Fault.LATENCY, incident_id="alert-8"),
        make.signal("db"),
    )
    other = taken[-1][0]
    assert taken == [("alert-7", False), *[("alert-8", True), *[("alert-8", False)] * 3], (other, True)]
    assert store.incidents.get("alert-7") == gone
    assert store.incidents.get("alert-8").signals == 4


def test_what_joins_in_one_batch_is_as_severe_as_the_worst_of_it(store: Store) -> None:
    incident = opened(store, make.signal(severity=Severity.INFO))
    batch(store, make.signal(severity=Severity.CRITICAL), make.signal(severity=Severity.INFO))
    assert store.incidents.get(incident.id).severity is Severity.CRITICAL


def test_a_replay_of_a_closed_id_draws_nothing_else_of_its_batch_into_the_closed_incident(store: Store) -> None:
    before = closed(store, make.signal(incident_id="alert-7", key="am:1"))
    replay, (fresh, created), same = batch(
        store, make.signal(incident_id="alert-7", key="am:1"), make.signal(), make.signal(key="am:1"), seconds=9
    )
    assert replay == ("alert-7", False)
    assert created
    assert same == (fresh, False)
    assert store.incidents.get("alert-7") == before


def test_an_empty_batch_is_nothing(store: Store) -> None:
    assert batch(store) == []
    assert store.archive.count() == 0


def test_when_one_of_a_batch_cannot_be_stored_none_of_it_is(store: Store) -> None:
    before = opened(store, make.signal("old"))

    def broken(_: Incident | None, after: Incident) -> list[tuple[str, Notice]]:
        if after.target == "third":
            raise BugError
        return [("people", notice(after))]

    store.routes.append(broken)
    with pytest.raises(BugError):
        batch(store, make.signal("old"), make.signal("first"), make.signal("third"), make.signal("fourth"))
    assert everything(store) == [before]
    assert store.archive.count() == 1
    assert store.outbox.due("people", NOON) == []
    assert store.archive.broken() == []


def test_a_new_incident_is_not_taken_up_before_its_time_and_one_that_was_there_is_not_put_off(store: Store) -> None:
    opened(store, make.signal("old"))
    until = later(60)
    store.events.open([Opening(signal=make.signal(name), until=until) for name in ("old", "new")], later(1))
    assert [one.incident.target for one in store.queue.claim(9, later(59))] == ["old"]
    assert store.queue.next_wake(later(2)) == until
    assert [one.incident.target for one in store.queue.claim(9, later(60))] == ["new"]


def test_what_its_sender_takes_back_is_noted_once_and_taken_up_at_once(store: Store) -> None:
    store.events.open([Opening(signal=make.signal(key="am:1"), until=later(60))], NOON)
    assert store.queue.claim(9, later(1)) == []
    (cleared,) = store.events.clear(["am:1"], later(1))
    assert cleared.cleared_at == later(1)
    assert store.incidents.get(cleared.id) == cleared
    assert store.events.clear(["am:1", "am:1"], later(2)) == []
    assert store.incidents.get(cleared.id).version == 2
    assert [one.incident for one in store.queue.claim(9, later(1))] == [cleared]


def test_only_what_is_open_under_these_keys_is_taken_back(store: Store) -> None:
    done = closed(store, make.signal("done", key="am:1"))
    first, second = opened(store, make.signal("a", key="am:1")), opened(store, make.signal("b", key="am:2"))
    other, nameless = opened(store, make.signal("c", key="am:3")), opened(store, make.signal("d"))
    assert {one.id for one in store.events.clear(["am:1", "am:2", "am:9"], later(5))} == {first.id, second.id}
    assert store.events.clear([], later(5)) == ()
    for untouched in (done, other, nameless):
        assert store.incidents.get(untouched.id) == untouched
    assert store.archive.broken() == []


def test_what_was_acted_on_is_not_taken_back_any_more(store: Store) -> None:
    opened(store, make.signal(key="am:1"))
    claim = store.events.append(claimed(store), [make.gathered(), make.diagnosed(), make.decided()], later(1))
    claim = store.events.append(claim, [make.intended()], later(2))
    assert store.events.clear(["am:1"], later(3)) == []
    assert store.incidents.get(claim.incident.id) == claim.incident


def test_what_is_taken_back_while_somebody_works_on_it_is_kept_by_what_that_one_writes(store: Store) -> None:
    opened(store, make.signal(key="am:1"))
    claim = claimed(store)
    store.events.clear(["am:1"], later(1))
    after = store.events.append(claim, [make.gathered()], later(2)).incident
    assert (after.cleared_at, after.status, after.version) == (later(1), Status.ANALYZING, 3)


def test_what_is_reported_again_after_that_can_be_taken_back_again(store: Store) -> None:
    opened(store, make.signal(key="am:1"))
    store.events.clear(["am:1"], later(1))
    batch(store, make.signal(key="am:1"), seconds=2)
    (again,) = store.events.clear(["am:1"], later(3))
    assert (again.cleared_at, again.signals) == (later(3), 2)


# ---- appending


def test_what_is_appended_is_there_with_the_incident_as_it_stands_then(store: Store) -> None:
    opened(store)
    claim = store.events.append(claimed(store), [make.gathered(), make.diagnosed()], later(2))
    assert (claim.incident.status, claim.incident.version) == (Status.ANALYZING, 3)
    assert store.incidents.get(claim.incident.id) == claim.incident


def test_a_signal_that_joined_meanwhile_is_kept(store: Store) -> None:
    opened(store)
    claim = claimed(store)
    store.open(make.signal(), later(1))
    after = store.events.append(claim, [make.gathered()], later(2)).incident
    assert (after.signals, after.last_signal_at, after.version) == (2, later(1), 3)


def test_who_has_lost_the_claim_can_write_no_more(store: Store) -> None:
    opened(store)
    old = claimed(store)
    store.queue.recover()
    new = claimed(store)
    with pytest.raises(Fenced):
        store.events.append(old, [make.failed("by the old one")], later(1))
    assert store.events.append(new, [make.gathered()], later(2)).incident.status is Status.ANALYZING


def test_who_has_given_the_claim_back_can_write_no_more(store: Store) -> None:
    opened(store)
    claim = claimed(store)
    store.queue.release(claim)
    with pytest.raises(Fenced):
        store.events.append(claim, [make.failed()], later(1))


def test_nothing_can_be_appended_to_an_incident_that_is_not_there(store: Store) -> None:
    with pytest.raises(Fenced):
        store.events.append(Claim(incident=make.incident(incident_id="nobody"), fence=1), [make.failed()], NOON)


def test_an_unknown_incident_is_said_to_be_unknown(store: Store) -> None:
    for ask in (store.incidents.get, store.incidents.events):
        with pytest.raises(IncidentUnknown, match="nobody"):
            ask("nobody")


# ---- notices


def notice(incident: Incident) -> Notice:
    fields = {"incident_id": incident.id, "version": incident.version, "at": NOON, "target": incident.target}
    return Notice(
        kind=NoticeKind.RECEIVED, fault=incident.fault, severity=incident.severity, summary=incident.status, **fields
    )


def test_every_change_puts_its_notices_into_the_outbox(store: Store) -> None:
    store.routes.append(lambda before, after: [("people", notice(after))] if before is None else [])
    incident = opened(store)
    (item,) = store.outbox.due("people", NOON)
    assert (item.notice, item.created_at, item.attempts) == (notice(incident), NOON, 0)


def test_routes_compare_the_incident_before_and_after(store: Store) -> None:
    seen: list[tuple[Status | None, Status]] = []
    store.routes.append(lambda before, after: seen.append((before and before.status, after.status)) or [])
    opened(store)
    store.events.append(claimed(store), [make.failed()], later(1))
    assert seen == [(None, Status.RECEIVED), (Status.RECEIVED, Status.FAILED)]


def test_the_same_notice_twice_is_kept_once(store: Store) -> None:
    store.routes.append(lambda _, after: [("people", notice(after)), ("people", notice(after))])
    opened(store)
    assert len(store.outbox.due("people", NOON)) == 1


def test_what_became_of_a_notice_is_not_overwritten_by_a_thread_that_comes_late(store: Store) -> None:
    store.routes.append(lambda _, after: [("people", notice(after))])
    opened(store)
    (item,) = store.outbox.due("people", NOON)
    store.outbox.delivered([item.id], NOON)
    store.outbox.deferred([item.id], later(60), "no answer")
    assert store.tamper("SELECT outcome FROM outbox", {}) == [("delivered",)]


class BugError(Exception):
    """What a mistake in the routes would raise."""


def test_when_the_notices_cannot_be_made_nothing_at_all_is_stored(store: Store) -> None:
    store.routes.append(lambda _, after: [("people", notice(after))])
    incident = opened(store)
    claim = claimed(store)

    def broken(*_: object) -> list[tuple[str, Notice]]:
        raise BugError

    store.routes.append(broken)
    with pytest.raises(BugError):
        store.open(make.signal("db"), NOON)
    with pytest.raises(BugError):
        store.events.append(claim, [make.failed()], NOON)
    assert everything(store) == [incident]
    assert store.archive.count() == 1
    assert len(store.outbox.due("people", NOON)) == 1
    store.routes.clear()
    assert store.events.append(claim, [make.failed()], NOON).incident.version == 2


# ---- the chain tells


def written(store: Store) -> Incident:
    opened(store)
    drafts: list[Draft] = [make.gathered(), make.diagnosed(), make.decided(), make.failed()]
    return store.events.append(claimed(store), drafts, later(1)).incident


CHANGES = {
    "incident_id": "inc-other",
    "version": 99,
    "type": "Resolved",
    "at": later(1234).isoformat(timespec="microseconds"),
    "agent": "prediction",
    "data": '{"decision":"forged"}',
    "prev_hash": "f" * 64,
    "hash": "f" * 64,
}
UNREADABLE = {"version": "x", "type": "NoSuchType", "at": "yesterday", "agent": "nobody", "data": "{"}


@pytest.mark.parametrize("version", [1, 3, 5])
@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_any_column_of_any_event_is_found(store: Store, column: str, version: int) -> None:
    incident = written(store)
    assert store.archive.broken() == []
    change = f"UPDATE events SET {column} = :value WHERE incident_id = :id AND version = :version"
    store.tamper(change, {"value": CHANGES[column], "id": incident.id, "version": version})
    found = store.archive.broken()
    assert incident.id in {one.incident_id for one in found}
    assert {one.version for one in found} & {version, version + 1, CHANGES[column]}


@pytest.mark.parametrize(("column", "value"), UNREADABLE.items())
def test_what_can_no_longer_be_read_is_named_and_not_stumbled_over(store: Store, column: str, value: object) -> None:
    incident = written(store)
    store.tamper(f"UPDATE events SET {column} = :value WHERE version = 3", {"value": value})
    (found,) = store.archive.broken()
    assert found.incident_id == incident.id
    assert found.reason


@pytest.mark.parametrize(
    "cut",
    [
        "DELETE FROM events WHERE version = 1",
        "DELETE FROM events WHERE version = 3",
        "DELETE FROM events WHERE version = 5",
        "DELETE FROM events",
        "DELETE FROM incidents",
    ],
)
def test_what_was_taken_out_is_missed(store: Store, cut: str) -> None:
    incident = written(store)
    store.tamper(cut, {})
    (found,) = store.archive.broken()
    assert found.incident_id == incident.id


def test_one_broken_chain_does_not_hide_another_and_accuses_nobody_else(store: Store) -> None:
    first, second, third = (opened(store, make.signal(name)).id for name in ("a", "b", "c"))
    for one in (first, third):
        store.tamper("UPDATE events SET agent = 'prediction' WHERE incident_id = :id", {"id": one})
    assert {one.incident_id for one in store.archive.broken()} == {first, third}
    assert second not in {first, third}


# ---- the projection


def test_the_projection_is_the_fold_of_the_events(store: Store) -> None:
    incident = written(store)
    events = store.incidents.events(incident.id)
    assert first_broken(events) is None
    assert store.incidents.get(incident.id) == fold(events) == incident


def test_a_lost_or_damaged_projection_is_rebuilt_from_the_events(store: Store) -> None:
    whole = [written(store), opened(store, make.signal("db")), opened(store, make.signal("cache"))]
    store.tamper("UPDATE incidents SET state = '{}', status = 'RECEIVED', target = 'x', open = 1 WHERE id = :id",
                 {"id": whole[0].id})  # fmt: skip
    store.tamper("DELETE FROM incidents WHERE id = :id", {"id": whole[1].id})
    assert store.rebuild() == 3
    assert [store.incidents.get(one.id) for one in whole] == whole
    assert store.archive.broken() == []
    assert store.incidents.list(Filter(open=True, target="web"), 10, 0)[1] == 0


def test_rebuilding_leaves_who_is_at_work_alone(store: Store) -> None:
    opened(store)
    claim = claimed(store)
    store.rebuild()
    assert store.events.append(claim, [make.gathered()], later(1)).incident.status is Status.ANALYZING


def test_lessons_are_found_again_oldest_first(store: Store) -> None:
    for number, name in enumerate(("a", "b")):
        opened(store, make.signal(name, incident_id=f"inc-{name}"), number)
        claim = claimed(store, number)
        store.events.append(claim, [make.failed(), make.learned(incident_id=f"inc-{name}")], later(10 - number))
    assert [one.incident_id for one in store.archive.lessons()] == ["inc-b", "inc-a"]


def test_an_id_that_is_used_again_for_another_target_does_not_swallow_it(store: Store) -> None:
    first, _ = store.open(make.signal("web", incident_id="alert-1"), NOON)
    second, created = store.open(make.signal("db", incident_id="alert-1"), later(1))
    assert created
    assert (first.target, second.target) == ("web", "db")
    assert first.id != second.id
