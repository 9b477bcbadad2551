"""The hash chain: whatever is changed afterwards is found, and the event is named."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aegis_core.domain.events import GENESIS, Agent, Draft, Event, EventType, canonical, chain, digest, first_broken
from tests import examples as make

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
DATA = st.dictionaries(TEXTS, VALUES, max_size=4)
DRAFTS = st.builds(Draft, type=st.sampled_from(EventType), agent=st.sampled_from(Agent), data=DATA)
CHAINS = st.lists(DRAFTS, min_size=1, max_size=6).map(lambda drafts: chain(drafts, "inc-1", make.NOON, 0, GENESIS))


def changed(event: Event, **fields: Any) -> Event:
    """The event as somebody with an editor would leave it: the fields changed, the hash as it was."""
    return event.model_copy(update=fields)


def with_event(events: Sequence[Event], place: int, event: Event) -> list[Event]:
    return [*events[:place], event, *events[place + 1 :]]


def other_value(draw: st.DrawFn, event: Event, field: str) -> Any:
    choices: Mapping[str, st.SearchStrategy[Any]] = {
        "incident_id": TEXTS,
        "version": st.integers(),
        "type": st.sampled_from(EventType),
        "at": st.integers(-(10**6), 10**6).map(lambda microseconds: event.at + timedelta(microseconds=microseconds)),
        "agent": st.sampled_from(Agent),
        "data": DATA,
        "prev_hash": st.text("0123456789abcdef", min_size=64, max_size=64),
        "hash": st.text("0123456789abcdef", min_size=64, max_size=64),
    }
    return draw(choices[field])


@st.composite
def tampered(draw: st.DrawFn) -> tuple[list[Event], Event]:
    """A chain in which one field of one event has another value, and that event."""
    events = draw(CHAINS)
    place = draw(st.integers(0, len(events) - 1))
    field = draw(st.sampled_from(sorted(Event.model_fields)))
    value = other_value(draw, events[place], field)
    before = getattr(events[place], field)
    assume(canonical({"x": value}) != canonical({"x": before}) if field == "data" else value != before)
    event = changed(events[place], **{field: value})
    return with_event(events, place, event), event


@given(CHAINS)
def test_a_chain_as_it_was_written_is_whole(events: tuple[Event, ...]) -> None:
    assert first_broken(events) is None
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert events[0].prev_hash == GENESIS


@given(tampered())
def test_the_event_that_was_changed_is_named_whatever_was_changed(case: tuple[list[Event], Event]) -> None:
    events, event = case
    assert first_broken(events) is event


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (1, 1.0), (0, False), (None, ""), ("1", 1), ([], {}), ([1, 2], [2, 1]), ("é", "e\u0301")],
)
def test_values_that_only_look_alike_are_told_apart(before: object, after: object) -> None:
    (event,) = chain(
        [Draft(type=EventType.VERIFIED, agent=Agent.RESOLUTION, data={"x": before})], "i", make.NOON, 0, GENESIS
    )
    assert first_broken([event]) is None
    assert first_broken([changed(event, data={"x": after})]) is not None


@given(CHAINS, st.data())
def test_a_change_with_a_new_hash_is_found_at_the_next_event(events: tuple[Event, ...], data: st.DataObject) -> None:
    assume(len(events) > 1)
    place = data.draw(st.integers(0, len(events) - 2))
    forged = changed(events[place], data={**events[place].data, "forged": True})
    mark = digest(forged, forged.incident_id, forged.version, forged.at, forged.prev_hash)
    forged_chain = with_event(events, place, changed(forged, hash=mark))
    assert first_broken(forged_chain) is events[place + 1]
    bent = changed(events[place + 1], prev_hash=mark)
    assert first_broken(with_event(forged_chain, place + 1, bent)) is bent


@given(CHAINS, st.data())
def test_a_missing_doubled_or_foreign_event_is_found_where_it_begins_to_matter(
    events: tuple[Event, ...], data: st.DataObject
) -> None:
    assume(len(events) > 1)
    place = data.draw(st.integers(0, len(events) - 2))
    assert first_broken([*events[:place], *events[place + 1 :]]) is events[place + 1]
    assert first_broken([*events[: place + 1], *events[place:]]) is events[place]
    foreign = chain([make.received()], "inc-2", make.NOON, 0, GENESIS)
    assert first_broken([*events[:1], *foreign, *events[1:]]) is foreign[0]


@given(st.lists(DRAFTS, max_size=6), st.integers(0, 6))
def test_a_chain_written_in_two_pieces_is_the_same_as_in_one(drafts: list[Draft], cut: int) -> None:
    first = chain(drafts[:cut], "inc-1", make.NOON, 0, GENESIS)
    version, head = (first[-1].version, first[-1].hash) if first else (0, GENESIS)
    second = chain(drafts[cut:], "inc-1", make.NOON, version, head)
    assert first + second == chain(drafts, "inc-1", make.NOON, 0, GENESIS)


@given(st.tuples(TEXTS, st.integers(1, 99)), st.tuples(TEXTS, st.integers(1, 99)))
def test_no_two_places_in_the_log_share_a_hash(one: tuple[str, int], other: tuple[str, int]) -> None:
    assume(one != other)
    draft = make.received()
    assert digest(draft, *one, make.NOON, GENESIS) != digest(draft, *other, make.NOON, GENESIS)


def test_an_id_that_pretends_to_be_two_fields_does_not_pass_for_them() -> None:
    draft = make.received()
    assert digest(draft, "inc\n1", 2, make.NOON, GENESIS) != digest(draft, "inc", 12, make.NOON, GENESIS)


def test_an_empty_log_is_whole() -> None:
    assert first_broken([]) is None
    assert chain([], "inc-1", make.NOON, 0, GENESIS) == ()


def test_a_hash_is_64_hex_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", digest(make.received(), "inc-1", 1, make.NOON, GENESIS))


def test_the_canonical_text_depends_on_the_values_only() -> None:
    assert canonical({"b": 1, "a": ["é", None]}) == canonical({"a": ["é", None], "b": 1}) == '{"a":["é",null],"b":1}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_does_not_know_is_refused_before_it_is_stored(number: float) -> None:
    draft = Draft(type=EventType.VERIFIED, agent=Agent.RESOLUTION, data={"x": number})
    with pytest.raises(ValueError, match="JSON compliant"):
        chain([draft], "inc-1", make.NOON, 0, GENESIS)
