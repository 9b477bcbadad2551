"""The events of all incidents are one stream: in the order of the commits, without a gap, and never reordered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aegis_core.domain.events import EventType
from aegis_core.errors import StoreUnavailable
from tests import examples as make
from tests.examples import NOON, later

from .stores import Store


def everything(store: Store, limit: int = 7) -> list[tuple[int, str, int]]:
    """All that a reader sees that comes again with the last position it has seen: position, incident, version."""
    seen: list[tuple[int, str, int]] = []
    while batch := store.feed.after(seen[-1][0] if seen else 0, limit):
        seen += [(position, event.incident_id, event.version) for position, event in batch]
    return seen


def insist(write: Callable[[], object]) -> None:
    """Write again and again: on a busy disk the turn may take longer than anybody is made to wait."""
    while True:
        try:
            write()
        except StoreUnavailable:
            continue
        return


def test_a_log_without_events_has_no_newest_one(store: Store) -> None:
    assert store.feed.newest() == 0
    assert store.feed.after(0, 10) == []


def test_what_is_written_later_has_a_higher_position(store: Store) -> None:
    first, _ = store.open(make.signal("a"), NOON)
    at_first = store.feed.newest()
    store.open(make.signal("b"), NOON)
    store.events.answer(first.id, lambda _: [make.commented(), make.asked()], later(1))
    [(position, other), (_, comment), (newest, asked)] = store.feed.after(at_first, 10)
    assert at_first < position < newest == store.feed.newest()
    assert [other.version, comment.type, asked.type] == [1, EventType.COMMENTED, EventType.APPROVAL_REQUESTED]
    assert store.feed.after(newest, 10) == []


def test_an_event_of_the_stream_is_the_event_of_the_incident(store: Store) -> None:
    incident, _ = store.open(make.signal(), NOON)
    store.events.answer(incident.id, lambda _: [make.commented()], later(1))
    assert [event for _, event in store.feed.after(0, 10)] == list(store.incidents.events(incident.id))


def test_whoever_comes_again_with_the_last_position_misses_nothing_while_many_write(store: Store) -> None:
    incidents = [store.open(make.signal(f"t{number}"), NOON)[0].id for number in range(6)]
    seen: list[tuple[int, str, int]] = []

    def write(incident_id: str) -> None:
        for _ in range(10):
            insist(lambda: store.events.answer(incident_id, lambda _: [make.commented()] * 2, later(1)))

    with ThreadPoolExecutor(6) as writers:
        done = [writers.submit(write, one) for one in incidents]
        while not all(one.done() for one in done):
            batch = store.feed.after(seen[-1][0] if seen else 0, 5)
            seen += [(position, event.incident_id, event.version) for position, event in batch]
    for one in done:
        one.result()
    last = seen[-1][0] if seen else 0
    seen += [(position, event.incident_id, event.version) for position, event in store.feed.after(last, 10_000)]
    assert seen == everything(store)
    for one in incidents:
        assert [version for _, incident_id, version in seen if incident_id == one] == list(range(1, 22))


def test_what_was_refused_leaves_no_gap_that_is_filled_later(store: Store) -> None:
    incident, _ = store.open(make.signal(), NOON)

    def broken(_: object) -> list[object]:
        raise RuntimeError

    for _ in range(3):
        try:
            store.events.answer(incident.id, broken, later(1))  # type: ignore[arg-type]
        except RuntimeError:
            newest = store.feed.newest()
    store.events.answer(incident.id, lambda _: [make.commented()], later(2))
    assert [version for _, _, version in everything(store)] == [1, 2]
    assert store.feed.newest() > newest
