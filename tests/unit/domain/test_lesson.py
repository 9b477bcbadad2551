"""Lessons: what makes two faults the same, and which lessons are remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.evidence import Evidence
from aegis_core.domain.lesson import Lesson, precedents, resemblance, signature_of, similar
from aegis_core.domain.logs import fold
from aegis_core.domain.signal import Fault, Severity
from tests import examples as make

IMAGE = "buggy-app:2"


def evidence(*lines: str, fault: Fault = Fault.CRASHED, image: str = IMAGE, exit_code: int | None = 1) -> Evidence:
    target = make.state(image=image, exit_code=exit_code)
    return Evidence(fault=fault, severity=Severity.CRITICAL, at=make.NOON, target=target, templates=fold(lines))


LINES = ("2026-11-20 12:00:01 ERROR cannot reach 10.0.0.7:5432 after 3 tries", "ERROR out of workers", "INFO serving")


def test_a_signature_is_16_hex_digits() -> None:
    assert len(signature_of(evidence(*LINES))) == 16
    int(signature_of(evidence(*LINES)), 16)


def test_times_addresses_and_numbers_do_not_change_the_signature() -> None:
    later = ("2026-12-24 23:59:59 ERROR cannot reach 10.9.9.9:5432 after 17 tries", "ERROR out of workers")
    assert signature_of(evidence(*LINES)) == signature_of(evidence(*later))


def test_the_order_and_number_of_lines_and_what_is_no_error_do_not_change_the_signature() -> None:
    shuffled = ("INFO something else", *reversed(LINES), *LINES, *LINES)
    assert signature_of(evidence(*LINES)) == signature_of(evidence(*shuffled))


@pytest.mark.parametrize(
    "other",
    [
        evidence(*LINES, fault=Fault.UNHEALTHY),
        evidence(*LINES, image="buggy-app:3"),
        evidence(*LINES, exit_code=137),
        evidence(*LINES, exit_code=None),
        evidence("ERROR another kind of error"),
        evidence(),
    ],
)
def test_another_fault_image_exit_code_or_error_is_another_signature(other: Evidence) -> None:
    assert signature_of(other) != signature_of(evidence(*LINES))


def test_a_target_that_could_not_be_observed_has_a_signature_too() -> None:
    unseen = evidence(*LINES).model_copy(update={"target": None})
    assert signature_of(unseen) not in {signature_of(evidence(*LINES)), ""}


@given(st.lists(st.text(), max_size=8))
def test_any_log_has_a_stable_signature(lines: list[str]) -> None:
    assert signature_of(evidence(*lines)) == signature_of(evidence(*lines))
    assert len(signature_of(evidence(*lines))) == 16


def test_the_same_signature_counts_more_than_the_same_container_and_that_more_than_the_same_image() -> None:
    asked = (Fault.CRASHED, "web", IMAGE, "s1")
    known = make.lesson(fault=Fault.CRASHED, container="other", image="other", signature="s0")
    ranked = [
        known,
        known.model_copy(update={"image": IMAGE}),
        known.model_copy(update={"container": "web"}),
        known.model_copy(update={"container": "web", "image": IMAGE}),
        known.model_copy(update={"signature": "s1"}),
        known.model_copy(update={"signature": "s1", "container": "web", "image": IMAGE}),
    ]
    rates = [resemblance(one, *asked) for one in ranked]
    assert rates == sorted(set(rates))
    assert rates[0] > 0


def test_a_lesson_of_another_fault_says_nothing_however_alike_the_rest_is() -> None:
    assert resemblance(make.lesson(fault=Fault.LATENCY), Fault.CRASHED, "web", "", "0123456789abcdef") == 0


def test_two_targets_without_an_image_do_not_share_one() -> None:
    known = make.lesson(fault=Fault.CRASHED, image="", container="other", signature="s0")
    assert resemblance(known, Fault.CRASHED, "web", "", "s1") == 1


def test_among_equals_the_newest_lesson_comes_first() -> None:
    old = make.lesson("inc-1", fault=Fault.CRASHED, timestamp=make.later(-60))
    new = make.lesson("inc-2", fault=Fault.CRASHED)
    assert similar([old, new], evidence(), "web") == (new, old)
    assert similar([new, old], evidence(), "web") == (new, old)


LESSONS = st.lists(
    st.builds(
        make.lesson,
        incident_id=st.uuids().map(str),
        fault=st.sampled_from([Fault.CRASHED, Fault.LATENCY]),
        container=st.sampled_from(["web", "db"]),
        image=st.sampled_from(["", IMAGE]),
        signature=st.sampled_from(["s0", signature_of(evidence(*LINES))]),
        timestamp=st.integers(0, 5).map(make.later),
    ),
    max_size=12,
)


@given(LESSONS, st.integers(0, 5))
def test_the_most_alike_are_chosen_and_no_better_one_is_left_out(lessons: list[Lesson], most: int) -> None:
    now = evidence(*LINES)

    def rate(one: Lesson) -> tuple[int, object]:
        return resemblance(one, now.fault, "web", IMAGE, signature_of(now)), one.timestamp

    chosen = similar(lessons, now, "web", most)
    assert len(chosen) == min(most, sum(one.fault is Fault.CRASHED for one in lessons))
    assert all(one.fault is Fault.CRASHED for one in chosen)
    assert [rate(one) for one in chosen] == sorted((rate(one) for one in chosen), reverse=True)
    left = [one for one in lessons if one.fault is Fault.CRASHED and one not in chosen]
    assert all(rate(one) <= rate(chosen[-1]) for one in left if chosen)


def test_a_brain_is_told_what_was_done_and_whether_it_held_in_short() -> None:
    held, failed = make.lesson("inc-1", root_cause="x" * 900), make.lesson("inc-2", verified_healthy=False)
    told = precedents([held, failed])
    assert [(one.fix, one.verified_healthy, one.container) for one in told] == [
        ("RESTART", True, "web"),
        ("RESTART", False, "web"),
    ]
    assert len(told[0].root_cause) == 200


def test_a_lesson_survives_json_and_passes_over_what_a_later_version_added() -> None:
    lesson = make.lesson()
    assert Lesson.model_validate_json(lesson.model_dump_json()) == lesson
    assert Lesson.model_validate({**lesson.model_dump(mode="json"), "trust": 0.9}) == lesson
