"""Approvals: the first answer in time to the question that was shown counts, and no other."""

import pytest

from aegis_core.domain.approval import Approval, Comment, Via, answer, remark, same_question
from aegis_core.domain.incident import Incident, Status
from aegis_core.errors import AlreadyAnswered, AnswerRefused, ApprovalExpired, ApprovalReplaced, NotWaiting
from tests import examples as make
from tests.examples import NOON, later

LAST_MOMENT = 1799.999
EXPIRY = 1800.0


def waiting() -> Incident:
    return make.incident(make.gathered(), make.diagnosed(), make.asked())


def say(incident: Incident, approved: bool = True, by: str = "ann", seconds: float = 5.0) -> Incident:
    """Answer, and see what becomes of the incident."""
    drafts = answer(incident, approved, by, Via.CLI, "go on", later(seconds))
    return make.after(incident, drafts, later(seconds))


def test_a_yes_decides_and_is_on_record_with_who_how_and_when() -> None:
    after = say(waiting())
    assert after.status is Status.DECIDED
    assert after.approval is not None
    said = after.approval
    assert (said.approved, said.by, said.via, said.comment) == (True, "ann", Via.CLI, "go on")
    assert said.answered_at == later(5)


def test_a_no_is_on_record_as_well() -> None:
    after = say(waiting(), approved=False)
    assert after.approval is not None
    assert after.approval.approved is False


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_only_the_first_answer_counts_and_the_second_is_told_whose_it_was(first: bool, second: bool) -> None:
    after = say(waiting(), approved=first)
    with pytest.raises(AlreadyAnswered, match=f"ann has {'approved' if first else 'declined'} it already, at 12:00:05"):
        say(after, approved=second, by="bob", seconds=6)


def test_the_last_moment_counts_and_the_moment_of_expiry_does_not() -> None:
    assert say(waiting(), seconds=LAST_MOMENT).status is Status.DECIDED
    for approved in (True, False):
        with pytest.raises(ApprovalExpired, match="expired at 12:30:00 UTC"):
            say(waiting(), approved, seconds=EXPIRY)


def test_a_question_that_ended_with_its_incident_is_told_to_have_expired() -> None:
    ended = make.after(waiting(), [make.failed("Nobody has answered.")], later(EXPIRY))
    with pytest.raises(ApprovalExpired):
        say(ended, seconds=EXPIRY + 1)


@pytest.mark.parametrize(
    "incident",
    [
        make.incident(),
        make.incident(make.gathered(), make.diagnosed()),
        make.incident(make.gathered(), make.asked(), make.rested(later(1))),
        make.incident(make.gathered(), make.asked(), make.failed()),
    ],
    ids=["received", "analyzing", "looked at anew", "ended"],
)
def test_where_nobody_is_asked_no_answer_counts(incident: Incident) -> None:
    with pytest.raises(NotWaiting, match="inc-1"):
        say(incident)


def test_what_was_seen_before_the_question_was_asked_is_another_question() -> None:
    asked_again = make.incident(make.gathered(), make.asked(), make.rested(later(1)), make.gathered(), make.asked())
    assert asked_again.approval is not None
    assert asked_again.approval.version == 6
    with pytest.raises(ApprovalReplaced):
        same_question(asked_again, seen=3)
    same_question(asked_again, seen=6)
    same_question(make.after(asked_again, [make.commented()], later(3)), seen=6)
    same_question(asked_again, seen=None)


def test_a_question_in_the_log_of_an_older_version_can_be_answered() -> None:
    """It carries no version of its own: the fold knows it."""
    stored = make.approval().model_dump(mode="json", exclude={"version"})
    assert Approval.model_validate(stored).version == 0
    assert waiting().approval is not None


def test_a_comment_is_kept_with_who_said_it_and_moves_nothing() -> None:
    before = waiting()
    after = make.after(before, [remark("ann", "I am on it.", NOON)], later(1))
    assert after.comments == (Comment(by="ann", text="I am on it.", at=NOON),)
    assert (after.status, after.wake_at, after.approval) == (before.status, before.wake_at, before.approval)


def test_every_refusal_is_one_of_answers_and_never_tried_again() -> None:
    for error in (NotWaiting, AlreadyAnswered, ApprovalExpired, ApprovalReplaced):
        assert issubclass(error, AnswerRefused)
        assert not error.transient
