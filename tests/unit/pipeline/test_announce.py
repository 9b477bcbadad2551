"""Which changes people hear of, and that what they hear is true."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.pipeline.announce import LOG_LINES, notices, routes_to
from tests import examples as make

LOOKED = (make.gathered(tail=tuple(f"line {number}" for number in range(20))), make.diagnosed(), make.decided())
ACTED = (*LOOKED, make.intended(), make.executed())


def told(before: tuple[Draft, ...], then: tuple[Draft, ...]) -> list[Notice]:
    return list(notices(make.incident(*before), make.incident(*before, *then)))


def one(before: tuple[Draft, ...], then: tuple[Draft, ...]) -> Notice:
    (notice,) = told(before, then)
    return notice


def test_a_new_incident_is_told() -> None:
    (notice,) = notices(None, make.incident())
    assert notice.kind is NoticeKind.RECEIVED
    assert notice.summary == "web: memory_pressure reported by native."


def test_an_action_is_told_when_it_is_about_to_happen() -> None:
    notice = one(LOOKED, (make.intended(),))
    assert (notice.kind, notice.action, notice.attempts) == (NoticeKind.ACTING, Action.RESTART, 1)
    assert notice.root_cause == "A cache grows without bound."
    assert notice.reason == "No limit stands against it."


def test_a_question_is_told_with_what_was_shown_who_thinks_what_and_until_when() -> None:
    notice = one((*LOOKED, make.opined()), (make.asked(),))
    assert (notice.kind, notice.action) == (NoticeKind.APPROVAL, Action.ROLLBACK)
    assert notice.until == make.later(1800)
    assert notice.shown == "running, started at 11:00:00 UTC"
    assert notice.votes == ("diagnosis: RESTART (0.90). It hangs.",)
    assert notice.version == 6


def test_a_question_asks_for_its_own_action_and_not_for_the_one_that_was_tried_before() -> None:
    again = (*ACTED, make.verified(healthy=False), make.rested(make.later(60)), *LOOKED)
    assert one(again, (make.asked(),)).action is Action.ROLLBACK


def test_a_question_that_is_asked_anew_is_told_anew_and_a_no_is_told_as_the_end() -> None:
    asked = (*LOOKED, make.asked())
    assert one((*asked, make.rested(make.later(1)), *LOOKED), (make.asked(),)).kind is NoticeKind.APPROVAL
    assert one(asked, (make.declined(), make.failed("ann has declined it."))).reason == "ann has declined it."
    assert told(asked, (make.approved(),)) == []


def test_every_attempt_is_told() -> None:
    again = (*ACTED, make.verified(healthy=False), make.rested(make.later(60)), *LOOKED)
    assert one(again, (make.intended(),)).attempts == 2


def test_healing_is_told_with_the_seconds() -> None:
    notice = one(ACTED, (make.verified(healthy=True), make.resolved()))
    assert (notice.kind, notice.seconds, notice.action) == (NoticeKind.RESOLVED, 0.0, Action.RESTART)
    assert notice.summary == "web is healthy again after RESTART, 0 s after the first signal."


def test_what_keeps_coming_back_is_told_with_what_to_do_about_its_cause() -> None:
    often = make.gathered(recurrence="3rd time in 80 min, about every 40 min")
    notice = one((often, *ACTED[1:]), (make.verified(healthy=True), make.resolved()))
    assert notice.advice == (
        "It is the 3rd time in 80 min, about every 40 min: RESTART helps, and the cause stays. "
        "Raise its memory limit, or find out what holds on to the memory."
    )
    assert one(ACTED, (make.verified(healthy=True), make.resolved())).advice == ""


def test_an_end_without_an_action_claims_none() -> None:
    noop = (*LOOKED[:2], make.decided(make.decision(action=Action.NOOP)), make.executed(Action.NOOP))
    notice = one(noop, (make.verified(healthy=True), make.resolved()))
    assert (notice.action, notice.attempts) == (Action.NOOP, 0)
    assert notice.summary == "web: memory_pressure ended without an action."


@pytest.mark.parametrize("earlier", [(), (make.intended(), make.executed(), make.verified(healthy=False))])
def test_what_a_person_stopped_is_not_called_healthy(earlier: tuple[Draft, ...]) -> None:
    looked = (*LOOKED[:2], make.decided(make.decision(action=Action.NOOP)), make.executed(Action.NOOP))
    left = (make.verified(healthy=True, name="as a person left it"), make.resolved())
    notice = one((*earlier, make.rested(make.later(60)), *looked), left)
    assert notice.summary == "web is left as a person stopped it."
    assert notice.action == Action.NOOP


def test_a_failure_is_told_with_the_reason_the_last_lines_and_what_to_do() -> None:
    notice = one(LOOKED, (make.failed("3 attempts were in vain"),))
    assert (notice.kind, notice.reason) == (NoticeKind.FAILED, "3 attempts were in vain")
    assert notice.log_lines == tuple(f"line {number}" for number in range(20 - LOG_LINES, 20))
    assert "memory limit" in notice.advice


@pytest.mark.parametrize("category", Category)
def test_there_is_advice_for_every_cause(category: Category) -> None:
    diagnosed = make.diagnosed(make.diagnosis(category=category))
    assert len(one((make.gathered(), diagnosed), (make.failed(),)).advice) > 10


def test_a_failure_before_any_diagnosis_can_be_told() -> None:
    notice = one((), (make.failed("given up"),))
    assert (notice.root_cause, notice.log_lines, notice.confidence) == ("", (), None)
    assert "docker logs web" in notice.advice


def test_people_are_told_how_the_log_of_a_service_is_read() -> None:
    notice = one((make.gathered(make.state(definition="1f")),), (make.failed("given up"),))
    assert "docker service logs web" in notice.advice


def nowhere() -> Draft:
    """The evidence of a target that the runtime does not know."""
    found = make.gathered()
    return found.model_copy(update={"data": {"evidence": {**found.data["evidence"], "target": None}}})


@pytest.mark.parametrize(
    ("before", "known"),
    [
        ((), False),
        ((nowhere(),), False),
        ((make.gathered(),), True),
        ((*ACTED, make.verified(healthy=False), make.rested(make.later(60))), True),
    ],
    ids=["nobody has looked", "it was not found", "it was found", "it was acted on and its evidence put aside"],
)
def test_it_is_told_whether_there_is_such_a_target(before: tuple[Draft, ...], known: bool) -> None:
    assert one(before, (make.failed(),)).known is known


def test_a_lesson_goes_out_with_the_end_that_taught_it() -> None:
    both = told(ACTED, (make.verified(healthy=True), make.resolved(), make.learned()))
    assert {notice.kind for notice in both} == {NoticeKind.LESSON, NoticeKind.RESOLVED}
    assert all(notice.lesson for notice in both)


@pytest.mark.parametrize(
    "quiet",
    [
        (make.joined(),),
        (make.gathered(),),
        (make.diagnosed(),),
        (make.decided(),),
        (make.stage_failed(make.later(1)),),
        (make.rested(make.later(60)),),
    ],
)
def test_people_are_not_told_of_every_step(quiet: tuple[Draft, ...]) -> None:
    assert told((make.gathered(),), quiet) == []


def test_verifying_and_joining_while_acting_are_not_told_again() -> None:
    assert told((*LOOKED, make.intended()), (make.executed(),)) == []
    assert told((*LOOKED, make.intended()), (make.joined(),)) == []
    assert told(ACTED, (make.joined(),)) == []


def test_a_lesson_that_comes_late_is_told_once_and_without_the_end_once_more() -> None:
    ended = (*ACTED, make.failed())
    assert one(ended, (make.learned(),)).kind is NoticeKind.LESSON
    assert told((*ended, make.learned()), (make.learned(),)) == []


def test_notices_go_to_every_channel_of_people_and_lessons_to_the_runbook() -> None:
    routes = routes_to(["slack", "log"], "runbook")
    before: Incident = make.incident(*ACTED)
    after = make.incident(*ACTED, make.failed(), make.learned())
    sent = [(channel, notice.kind) for channel, notice in routes(before, after)]
    assert sorted(sent) == [
        ("log", NoticeKind.FAILED),
        ("runbook", NoticeKind.LESSON),
        ("slack", NoticeKind.FAILED),
    ]
