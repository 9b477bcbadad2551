"""The user's own incidents as questions: only what was verified is known."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Draft
from aegis_core.domain.replay import IN_VAIN, OBSERVED, VERIFIED, question_of_past
from aegis_core.domain.trial import Question
from tests import examples as make

RESTART, NOOP, SCALE_UP, ROLLBACK = Action.RESTART, Action.NOOP, Action.SCALE_UP, Action.ROLLBACK


def question(*drafts: Draft) -> Question | None:
    return question_of_past(make.events_of(make.received(target="web"), *drafts))


def attempt(healthy: bool, action: Action = RESTART, **evidence: object) -> list[Draft]:
    """From the evidence to what came of the action."""
    known = (make.gathered(**evidence), make.diagnosed(make.diagnosis(action)), make.decided())
    return [*known, make.intended(action=action), make.executed(action), make.verified(healthy)]


def test_what_was_verified_healthy_was_right() -> None:
    found = question(*attempt(healthy=True, course=("as the brain saw it",)), make.resolved())
    assert found
    assert (found.expected.category, found.expected.action) == (Category.OOM, RESTART)
    assert (found.expected.allowed, found.expected.certainty) == ({RESTART}, VERIFIED)
    assert (found.id, found.container, found.evidence.course) == ("inc-1", "web", ("as the brain saw it",))


def test_doing_nothing_can_have_been_right_too() -> None:
    known = (make.gathered(), make.diagnosed(make.diagnosis(NOOP)), make.decided(make.decision(action=NOOP)))
    found = question(*known, make.verified(healthy=True), make.resolved())
    assert found
    assert found.expected.action is NOOP


def test_an_action_in_vain_is_known_to_be_wrong_and_nothing_else_is_known() -> None:
    found = question(
        *attempt(healthy=False, course=("first",)),
        make.rested(make.NOON),
        *attempt(healthy=False, action=SCALE_UP, course=("second",)),
        make.rested(make.NOON),
        make.gathered(course=("after it all",)),
        make.diagnosed(),
        make.failed(),
    )
    assert found
    assert (found.expected.category, found.expected.action) == (None, None)
    assert (found.expected.allowed, found.expected.certainty) == ({NOOP, ROLLBACK}, IN_VAIN)
    assert found.evidence.course == ("first",)


def test_of_several_attempts_the_last_one_is_what_was_right_with_the_evidence_it_rested_on() -> None:
    found = question(
        *attempt(healthy=False, course=("first",)),
        make.rested(make.NOON),
        *attempt(healthy=True, action=SCALE_UP, course=("second",)),
        make.resolved(),
    )
    assert found
    assert (found.expected.action, found.evidence.course) == (SCALE_UP, ("second",))


@pytest.mark.parametrize(
    "drafts",
    [
        (),
        (make.gathered(), make.diagnosed(), make.failed("it needs a person")),
        (*attempt(healthy=True)[:-1], make.failed("nobody could look")),
        (make.gathered(), make.diagnosed(make.diagnosis(NOOP)), make.verified(healthy=False), make.failed()),
        attempt(healthy=False),
        attempt(healthy=True),
    ],
    ids=["just received", "refused", "not verified", "nothing was done in vain", "still open", "not closed yet"],
)
def test_what_was_not_verified_is_no_question(drafts: tuple[Draft, ...]) -> None:
    assert question(*drafts) is None


def test_a_stop_by_a_person_proves_nothing() -> None:
    known = (make.gathered(), make.diagnosed(make.diagnosis(NOOP)), make.decided())
    assert question(*known, make.verified(healthy=True, name="as a person left it"), make.resolved()) is None


def test_what_went_away_by_itself_was_asked_of_nobody() -> None:
    observed = make.diagnosis(NOOP, model=OBSERVED)
    drafts = (make.gathered(), make.diagnosed(observed), make.decided(), make.verified(healthy=True), make.resolved())
    assert question(*drafts) is None
