"""What is told one by one, what in a digest, and what a digest counts and names."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.notify.limits import NAMED, STORM
from aegis_core.adapters.notify.plan import Entry, plan
from aegis_core.adapters.notify.storm import digest, divide, is_storm
from aegis_core.domain.notice import Digest, NoticeKind
from aegis_core.domain.signal import Fault, Severity

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def entry(number: int, kind: str = "failed", **changes: object) -> Entry:
    """The entry of an incident of its own: critical, of a target that exists."""
    fields: dict[str, object] = {
        "attempts": 0,
        "at": NOON,
        "incident_id": f"inc-{number}",
        "target": f"web-{number}",
        "fault": Fault.CRASHED,
        "severity": Severity.CRITICAL,
        "known": True,
    }
    return Entry(id=number, kind=NoticeKind(kind), **(fields | changes))  # type: ignore[arg-type]


def many(count: int, kind: str = "failed", first: int = 1, **changes: object) -> list[Entry]:
    return [entry(number, kind, **changes) for number in range(first, first + count)]


def ids(entries: Iterable[Entry]) -> list[int]:
    return [one.id for one in entries]


def summed(told: Sequence[Entry], singly: int = 0) -> Digest:
    return digest(told, singly, NOON + timedelta(minutes=1))


# ---- when it is one


@pytest.mark.parametrize("kinds", [("failed",), ("resolved",), ("failed", "resolved")])
def test_a_handful_of_ends_is_no_storm_and_one_more_is(kinds: tuple[str, ...]) -> None:
    ends = [entry(number, kinds[number % len(kinds)]) for number in range(STORM.handful + 1)]
    assert not is_storm(ends[:-1], STORM)
    assert is_storm(ends, STORM)


@pytest.mark.parametrize("kind", ["received", "acting"])
def test_progress_is_a_storm_only_when_there_is_a_crowd_of_it(kind: str) -> None:
    crowd = many(STORM.crowd + 1, kind)
    assert not is_storm(crowd[:-1], STORM)
    assert is_storm(crowd, STORM)


def test_the_channel_of_the_runbook_knows_no_storms() -> None:
    assert not is_storm(many(1_000, "lesson"), STORM)
    assert not is_storm([*many(1_000), *many(1, "lesson", first=5_000)], STORM)


# ---- what is told one by one


def test_the_critical_ends_of_targets_that_exist_are_told_singly_up_to_a_bound_the_oldest_first() -> None:
    parts = divide(many(8), 5)
    assert (ids(parts.before), ids(parts.together), ids(parts.after)) == ([1, 2, 3, 4, 5], [6, 7, 8], [])


@pytest.mark.parametrize(
    "lesser",
    [
        {"severity": Severity.WARNING},
        {"severity": Severity.INFO},
        {"known": False},
        {"kind": NoticeKind.RECEIVED},
        {"kind": NoticeKind.ACTING},
    ],
)
def test_everything_less_goes_into_the_digest(lesser: dict[str, object]) -> None:
    less = [one._replace(**lesser) for one in many(3)]  # type: ignore[arg-type]
    parts = divide([*less, entry(9)], 5)
    assert (ids(parts.before), ids(parts.together)) == ([9], [1, 2, 3])


def test_a_question_is_told_singly_however_severe_it_is_because_it_expires() -> None:
    questions = many(2, "approval", severity=Severity.INFO)
    parts = divide([*many(3, "resolved", first=10, severity=Severity.WARNING), *questions], 5)
    assert (ids(parts.before), ids(parts.together)) == ([1, 2], [10, 11, 12])


def test_questions_beyond_the_bound_are_counted_as_such() -> None:
    assert ids(divide(many(8, "approval"), 5).together) == [6, 7, 8]
    told = summed(many(3, "approval"))
    assert (told.asked.incidents, told.under_way.incidents) == (3, 0)


def test_nothing_is_told_singly_when_the_bound_is_reached() -> None:
    assert ids(divide(many(3), 0).together) == [1, 2, 3]


def test_what_the_channel_choked_on_comes_after_the_digest() -> None:
    parts = divide([entry(1), entry(2, attempts=3), entry(3, severity=Severity.WARNING)], 5)
    assert (ids(parts.before), ids(parts.together), ids(parts.after)) == ([1], [3], [2])


def test_all_that_waits_of_an_incident_stays_together() -> None:
    twice = [entry(1, known=False), entry(2, incident_id="inc-1")]
    assert ids(divide(twice, 5).before) == [1, 2]
    assert ids(divide(twice, 1).together) == [1, 2]


# ---- what the digest says


def test_incidents_are_counted_by_how_they_stand() -> None:
    told = summed([*many(3), *many(2, "resolved", 10), *many(4, "received", 20), *many(1, "acting", 30)])
    assert (told.failed.incidents, told.resolved.incidents, told.under_way.incidents) == (3, 2, 5)


def test_an_incident_counts_once_as_the_newest_notice_says() -> None:
    told = summed([entry(1), entry(2, "resolved", incident_id="inc-1")])
    assert (told.failed.incidents, told.resolved.incidents) == (0, 1)


def test_faults_are_counted_the_most_frequent_first_and_severities_the_most_urgent_first() -> None:
    told = summed(
        [
            entry(1, severity=Severity.INFO),
            *many(2, first=2, severity=Severity.WARNING),
            entry(4, fault=Fault.UNHEALTHY),
        ]
    ).failed
    assert list(told.faults.items()) == [(Fault.CRASHED, 3), (Fault.UNHEALTHY, 1)]
    assert list(told.severities.items()) == [(Severity.CRITICAL, 1), (Severity.WARNING, 2), (Severity.INFO, 1)]


def test_the_most_critical_targets_are_named_first_and_those_that_exist_before_mere_names() -> None:
    told = summed(
        [
            entry(1, severity=Severity.INFO),
            entry(2, severity=Severity.WARNING),
            entry(3, known=False),
            entry(4),
            entry(5),
        ]
    )
    assert [one.target for one in told.failed.worst] == ["web-4", "web-5", "web-3", "web-2", "web-1"]


def test_no_more_targets_are_named_than_can_be_read_and_all_are_counted() -> None:
    told = summed([*many(40, severity=Severity.WARNING), entry(99)])
    assert len(told.failed.worst) == NAMED
    assert told.failed.worst[0].target == "web-99"
    assert (told.failed.incidents, told.failed.targets) == (41, 41)


def test_a_target_with_many_incidents_is_named_once_by_the_worst() -> None:
    told = summed(
        [
            entry(1, target="db", severity=Severity.INFO),
            entry(2, target="db", fault=Fault.OOM_KILLED),
            entry(3, target="db", severity=Severity.WARNING),
        ]
    )
    (named,) = told.failed.worst
    assert (named.target, named.fault, named.severity) == ("db", Fault.OOM_KILLED, Severity.CRITICAL)
    assert (told.failed.incidents, told.failed.targets) == (3, 1)


def test_it_says_since_when_and_how_many_were_told_one_by_one() -> None:
    told = summed([entry(1), entry(2, at=NOON - timedelta(minutes=3)), entry(3)], singly=5)
    assert (told.since, told.at, told.singly) == (NOON - timedelta(minutes=3), NOON + timedelta(minutes=1), 5)


rows = st.tuples(
    st.sampled_from("abcdefgh"),
    st.sampled_from([kind for kind in NoticeKind if kind is not NoticeKind.LESSON]),
    st.sampled_from(Severity),
    st.booleans(),
    st.integers(0, 2),
)
waiting = st.lists(rows, min_size=1, max_size=40).map(
    lambda many: [
        entry(number, kind, incident_id=incident, severity=severity, known=known, attempts=attempts)
        for number, (incident, kind, severity, known, attempts) in enumerate(many, start=1)
    ]
)


@given(waiting, st.integers(0, 6))
def test_nothing_is_lost_doubled_or_out_of_order(entries: list[Entry], most: int) -> None:
    order = plan(entries, NOON).order
    parts = divide(order, most)
    assert sorted(ids([*parts.before, *parts.together, *parts.after])) == sorted(ids(order))
    assert len(parts.before) + len(parts.after) <= most
    for incident in "abcdefgh":
        own = [[one.id for one in part if one.incident_id == incident] for part in parts]
        (together,) = [part for part in own if part] or [[]]
        assert together == sorted(together)


@given(waiting)
def test_every_incident_is_counted_once(entries: list[Entry]) -> None:
    told = summed(entries)
    shares = (told.failed, told.asked, told.resolved, told.under_way)
    assert sum(share.incidents for share in shares) == len({one.incident_id for one in entries})
    for share in shares:
        assert sum(share.faults.values()) == sum(share.severities.values()) == share.incidents
        assert len(share.worst) <= min(share.targets, NAMED)


def test_the_bounds_are_those_of_people_who_read() -> None:
    assert 1 <= STORM.singles <= STORM.handful <= 10
    assert STORM.handful < STORM.crowd <= 30
    assert 10 <= STORM.pause <= 60
