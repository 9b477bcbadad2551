"""The reflex: when the same trouble is answered without a question, and what takes that away."""

from typing import Any

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.evidence import Evidence, lines_of
from aegis_core.domain.lesson import Lesson, signature_of
from aegis_core.domain.logs import fold
from aegis_core.domain.reflex import Reflex, cites_of, earned, reflex_of
from aegis_core.domain.signal import Fault, Severity
from tests import examples as make

IMAGE = "shop/web:1"
LINES = ("ERROR cache is full after 17 entries", "INFO serving", "ERROR out of workers")
DAY = 86_400.0


def evidence(*lines: str, fault: Fault = Fault.MEMORY_PRESSURE, image: str = IMAGE, **known: Any) -> Evidence:
    fields = {"at": make.NOON, "target": make.state(image=image), "templates": fold(lines or LINES)}
    return Evidence(fault=fault, severity=Severity.CRITICAL, **{**fields, **known})


SIGNATURE = signature_of(evidence())


def lesson(number: int, healthy: bool = True, **known: Any) -> Lesson:
    fields = {"image": IMAGE, "signature": SIGNATURE, "timestamp": make.later(60 * number - 3600)}
    return make.lesson(f"inc-{number}", verified_healthy=healthy, **{**fields, **known})


def told(*held: bool, **known: Any) -> list[Lesson]:
    return [lesson(number, healthy, **known) for number, healthy in enumerate(held)]


def reflex(lessons: list[Lesson], asked: Evidence | None = None) -> Reflex | None:
    return reflex_of(lessons, asked or evidence())


def test_what_healed_it_three_times_is_done_a_fourth_time() -> None:
    found = reflex(told(True, True, True))
    assert found
    assert (found.action, found.lesson.incident_id) == (Action.RESTART, "inc-2")
    assert (found.own.successes, found.own.failures) == (3, 0)
    assert found.trust.lower >= 0.7


@pytest.mark.parametrize("successes", [0, 1, 2])
def test_fewer_than_three_verified_successes_are_no_reflex(successes: int) -> None:
    assert reflex(told(*[True] * successes)) is None


def test_one_failure_takes_the_reflex_away_however_often_it_had_helped() -> None:
    assert reflex(told(*[True] * 30)) is not None
    assert reflex(told(*[True] * 30, False)) is None


def test_it_has_to_be_earned_anew_after_a_failure() -> None:
    proven = [True] * 10
    assert reflex(told(*proven, False, True, True)) is None
    assert reflex(told(*proven, False, True, True, True)) is not None


def test_what_had_hardly_proven_itself_needs_more_than_three_after_a_failure() -> None:
    held = [True, True, True, False, True, True, True]
    assert reflex(told(*held)) is None
    assert reflex(told(*held, True)) is not None


@pytest.mark.parametrize(
    "other",
    [
        {"image": "shop/web:2"},
        {"fault": Fault.CRASHED},
        {"signature": "0000000000000000"},
        {"attempts": 0},
        {"fix": "RESTART helps."},
    ],
)
def test_successes_of_another_trouble_do_not_count(other: dict[str, Any]) -> None:
    assert reflex([*told(True, True), lesson(9, **other), lesson(10, **other)]) is None


def test_other_targets_of_the_same_image_count() -> None:
    assert reflex([*told(True, True), lesson(5, container="web-2")]) is not None


def test_failures_of_the_same_action_with_other_errors_lower_the_trust() -> None:
    other = [lesson(10 + number, False, signature="0000000000000000") for number in range(2)]
    assert reflex([*told(True, True, True), *other]) is None


def test_old_successes_are_no_reflex() -> None:
    assert reflex(told(True, True, True, timestamp=make.later(-90 * DAY))) is None


@pytest.mark.parametrize(
    "news",
    [
        {"tried": ("RESTART: not healthy afterwards (memory: 97 %)",)},
        {"changes": ("image shop/web:1 is another build than before",)},
        {"target": None},
        {"target": make.state(image=IMAGE, stopped_by_person=True)},
    ],
)
def test_what_is_new_this_time_is_judged_anew(news: dict[str, Any]) -> None:
    lessons = [lesson(number, signature=signature_of(evidence(**news))) for number in range(5)]
    assert reflex(lessons, evidence(**news)) is None


def test_custom_alerts_are_never_taken_for_the_same_trouble() -> None:
    asked = evidence(fault=Fault.CUSTOM)
    lessons = told(True, True, True, True, fault=Fault.CUSTOM, signature=signature_of(asked))
    assert reflex(lessons, asked) is None


def test_of_two_reflexes_the_more_trusted_is_chosen() -> None:
    restarts = told(True, True, True)
    grown = [lesson(20 + number, fix=Action.SCALE_UP) for number in range(6)]
    found = reflex([*restarts, *grown])
    assert found
    assert found.action is Action.SCALE_UP


def test_it_cites_the_signal_the_errors_and_how_often_it_came() -> None:
    asked = evidence(recurrence="4th time in 80 min, about every 27 min")
    cites = cites_of(asked)
    assert cites == (
        "signal: memory_pressure (critical)",
        "log: ERROR cache is full after 17 entries",
        "log: ERROR out of workers",
        "recurrence: 4th time in 80 min, about every 27 min",
    )
    assert set(cites) <= {line.text for line in lines_of(asked)}


def test_what_is_earned_is_listed_by_fault_image_and_action_the_newest_first() -> None:
    other = [lesson(30 + number, number > 0, fault=Fault.CRASHED, fix=Action.SCALE_UP) for number in range(2)]
    rows = earned([*told(True, True, True), *other, lesson(50, image="")], make.NOON)
    named = [(row.fault, row.image, row.trust.action, row.trust.successes, row.trust.failures) for row in rows]
    assert named == [
        (Fault.CRASHED, IMAGE, Action.SCALE_UP, 1, 1),
        (Fault.MEMORY_PRESSURE, IMAGE, Action.RESTART, 3, 0),
    ]
    assert [row.reflexes for row in rows] == [0, 1]
