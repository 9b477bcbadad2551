"""The content of the runbook file: what is kept, what is dropped, and what counts as a lesson."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis_core.adapters.runbook.page import Page, PageError, read_page
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson, similar
from aegis_core.domain.signal import Fault, Severity

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def lesson(number: int = 1, **changes: object) -> Lesson:
    fields = {
        "timestamp": NOON + timedelta(minutes=number),
        "incident_id": f"inc-{number}",
        "container": "buggy-app-v2",
        "fault": Fault.MEMORY_PRESSURE,
        "issue": "memory at 93 % of its limit",
        "fix": "RESTART",
        "root_cause": "a cache without an upper bound",
        "source": "rules",
        "verified_healthy": True,
        "seconds": 12.4,
        "signature": "0123456789abcdef",
    }
    return Lesson.model_validate(fields | changes)


def page_of(*entries: object, **others: object) -> Page:
    return read_page(json.dumps({"entries": list(entries), **others}).encode())


def entries_of(page: Page) -> list[object]:
    return json.loads(page.encoded())["entries"]


def test_a_lesson_survives_writing_and_reading_unchanged() -> None:
    page = Page.begin(starter=False, lessons=[lesson()])
    assert read_page(page.encoded()).lessons() == (lesson(),)


def test_the_file_is_indented_and_keeps_the_script_that_people_write_in() -> None:
    text = Page.begin(starter=False, lessons=[lesson(issue="Speicher läuft voll 内存")]).encoded().decode()
    assert '\n      "issue": "Speicher läuft voll 内存",\n' in text
    assert text.endswith("}\n")


def test_a_second_lesson_of_the_same_incident_changes_nothing() -> None:
    page = Page.begin(starter=False, lessons=[lesson(1, fix="RESTART")])
    assert not page.add([lesson(1, fix="ROLLBACK")])
    assert [one.fix for one in page.lessons()] == ["RESTART"]


def test_two_lessons_of_one_incident_in_one_call_are_one_entry() -> None:
    page = Page.begin(starter=False, lessons=[lesson(1), lesson(1), lesson(2)])
    assert len(entries_of(page)) == 2


def test_lessons_come_oldest_first_however_they_stand_in_the_file() -> None:
    page = page_of(*(lesson(number).model_dump(mode="json") for number in (3, 1, 2)))
    assert [one.incident_id for one in page.lessons()] == ["inc-1", "inc-2", "inc-3"]


def test_a_time_without_a_zone_is_taken_for_utc_and_can_be_compared() -> None:
    by_hand = lesson(1).model_dump(mode="json") | {"timestamp": "2026-11-20T12:30:00"}
    page = page_of(by_hand, lesson(45).model_dump(mode="json"))
    first, second = page.lessons()
    assert first.timestamp == NOON + timedelta(minutes=30)
    evidence = Evidence(fault=Fault.MEMORY_PRESSURE, severity=Severity.WARNING, at=NOON)
    assert similar([second, first], evidence, "other") == (second, first)


@pytest.mark.parametrize(
    "foreign",
    [
        "a line somebody typed in",
        None,
        ["a", "list"],
        {"note": "call Anna before touching the database"},
        {"incident_id": ["not", "text"]},
        lesson(7).model_dump(mode="json") | {"fault": "gremlins"},
        lesson(7).model_dump(mode="json") | {"seconds": "soon"},
        lesson(7).model_dump(mode="json") | {"seconds": float("nan")},
    ],
)
def test_an_entry_that_is_no_lesson_is_kept_and_passed_over(foreign: object) -> None:
    page = page_of(foreign)
    assert page.lessons() == ()
    assert page.add([lesson(1)])
    kept, added = entries_of(page)
    assert json.dumps(kept) == json.dumps(foreign)
    assert added == lesson(1).model_dump(mode="json")


def test_keys_that_people_add_stay_in_the_entry_and_beside_the_entries() -> None:
    entry = lesson(1).model_dump(mode="json") | {"ticket": "OPS-17", "reviewed_by": {"name": "Anna"}}
    page = page_of(entry, owner="team-x")
    page.add([lesson(2)])
    document = json.loads(page.encoded())
    assert document["owner"] == "team-x"
    assert document["entries"][0] == entry
    assert page.lessons()[0] == lesson(1)


def test_the_oldest_lessons_go_first_and_what_people_wrote_never_goes() -> None:
    page = page_of("a note", lesson(5).model_dump(mode="json"))
    page.add([lesson(number) for number in (2, 3, 4)])
    page.trim(3)
    assert [one.incident_id for one in page.lessons()] == ["inc-4", "inc-5"]
    assert entries_of(page)[0] == "a note"
    page.trim(1)
    assert entries_of(page) == ["a note"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'{"entries": {}}', b'{"lessons": []}', b"\x00\x01\xff", b"[" * 100_000, b"\xff\xfe{}"],
)
def test_what_is_not_a_runbook_is_told_apart(raw: bytes) -> None:
    with pytest.raises(PageError):
        read_page(raw)


def test_a_lone_surrogate_does_not_make_the_file_unwritable() -> None:
    page = read_page(b'{"entries": ["half a pair: \\ud83d"]}')
    page.add([lesson(1)])
    assert entries_of(page)[0] == "half a pair: \ud83d"
    page.encoded().decode("utf-8")


def test_starter_lessons_are_marked_and_prove_nothing() -> None:
    lessons = Page.begin(starter=True, lessons=()).lessons()
    faults = {"memory_pressure", "cpu_saturation", "crashed", "unhealthy", "latency", "error_logs", "disk_pressure"}
    assert {one.fault.value for one in lessons} == faults
    for one in lessons:
        assert one.source == "starter"
        assert one.incident_id.startswith("starter-")
        assert not one.verified_healthy
        assert (one.attempts, one.seconds, one.confidence, one.signature) == (0, 0.0, 0.0, "")


def test_a_lesson_of_ones_own_goes_before_the_starter_lesson() -> None:
    evidence = Evidence(fault=Fault.MEMORY_PRESSURE, severity=Severity.WARNING, at=NOON)
    page = Page.begin(starter=True, lessons=[lesson(1, container="another")])
    assert [one.incident_id for one in similar(page.lessons(), evidence, "mine")] == ["inc-1", "starter-memory"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(entries=st.lists(json_values, max_size=6), others=st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_whatever_people_put_into_the_file_is_still_there_after_an_append(
    entries: list[object], others: dict[str, object]
) -> None:
    others.pop("entries", None)
    page = page_of(*entries, **others)
    page.add([lesson(1)])
    document = json.loads(page.encoded())
    assert json.dumps(document.pop("entries")[:-1]) == json.dumps(entries)
    assert json.dumps(document) == json.dumps(others)
