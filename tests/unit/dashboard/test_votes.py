"""Votes, questions and answers as they are drawn."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis_dashboard.components import switches, votes
from aegis_dashboard.format import Clock
from aegis_dashboard.people_wire import Approval, Opinion, Standing
from aegis_dashboard.wire import Decision, Detail

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CLOCK = Clock(NOW)
GIVEN = (
    Opinion(agent="detection", action="RESTART", confidence=0.6, reason="It hangs."),
    Opinion(agent="diagnosis", action="ROLLBACK", confidence=7.0, reason="The image is new."),
)


def approval(**fields: Any) -> Approval:
    known = {"action": "ROLLBACK", "reasons": ["It asks."], "expires_at": NOW + timedelta(minutes=30)}
    return Approval.model_validate({**known, **fields})


def test_before_anybody_has_voted_there_are_no_votes() -> None:
    assert votes.opinions((), None) is None


def test_a_vote_says_who_what_how_sure_and_why_and_that_they_disagree() -> None:
    shown = votes.opinions(GIVEN, None) or ""
    for said in ("detection", "RESTART", "0.60", "It hangs.", "they disagree"):
        assert said in shown
    assert "all agree" in (votes.opinions(GIVEN[:1], None) or "")


def test_a_confidence_out_of_range_draws_no_bar_beyond_its_end() -> None:
    assert "width: 100%" in (votes.opinions(GIVEN, None) or "")


def test_who_abstains_and_whose_vote_does_not_count_is_said_with_the_reason() -> None:
    together = {
        "action": "RESTART", "confidence": 0.74, "votes": 1,
        "abstained": {"prediction": "It knows nothing of this image."},
        "set_aside": {"diagnosis": "a confidence of 7 is not between 0 and 1"},
    }  # fmt: skip
    shown = votes.opinions(GIVEN, Decision.model_validate({"consensus": together})) or ""
    assert "abstains" in shown
    assert "It knows nothing of this image." in shown
    assert "Does not count: a confidence of 7" in shown
    assert "together 0.74 sure of RESTART" in shown


@pytest.mark.parametrize(
    ("seconds", "said"), [(-60, "(in 31 min)"), (0, "(in 30 min)"), (1_795, "(in 5 s)"), (1_800, "(that is over)")]
)
def test_a_question_says_how_long_it_still_waits(seconds: float, said: str) -> None:
    incident = Detail.model_validate(
        {
            "incident_id": "i",
            "container_name": "app",
            "opened_at": NOW,
            "updated_at": NOW,
            "status": "AWAITING_APPROVAL",
        }
    )
    shown = votes.question(incident, approval(), Clock(NOW + timedelta(seconds=seconds)))
    assert said in shown
    assert "May Aegis do this? ROLLBACK of app" in shown


def test_what_is_not_answered_has_no_answer() -> None:
    assert votes.answered(None, CLOCK) is None
    assert votes.answered(approval(), CLOCK) is None


@pytest.mark.parametrize(("approved", "said"), [(True, "ROLLBACK approved"), (False, "ROLLBACK refused")])
def test_an_answer_says_whose_it_is_and_on_which_way_it_came(approved: bool, said: str) -> None:
    one = approval(approved=approved, by="ann", via="slack", comment="<b>go on</b>", answered_at=NOW)
    shown = votes.answered(one, CLOCK) or ""
    for words in (said, "ann", "(Slack)", "12:00:00", "&lt;b&gt;go on&lt;/b&gt;"):
        assert words in shown


def test_only_a_question_that_waits_is_asked() -> None:
    known = {"incident_id": "i", "container_name": "app", "opened_at": NOW, "updated_at": NOW}
    asks = {**known, "status": "AWAITING_APPROVAL", "approval": approval().model_dump()}
    assert Detail.model_validate(asks).asks
    assert not Detail.model_validate(asks | {"status": "FAILED"}).asks
    assert not Detail.model_validate(asks | {"approval": approval(approved=False).model_dump()}).asks
    assert not Detail.model_validate(asks | {"approval": None}).asks


def test_maintenance_of_one_target_is_no_notice_for_all() -> None:
    one = Standing(target="shop", maintenance_until=NOW, by="ann")
    assert switches.notice([one], CLOCK) is None
    everywhere = Standing(target="*", maintenance_until=NOW, by="", reason="<i>disks</i>")
    assert "says somebody: &lt;i&gt;disks&lt;/i&gt;" in (switches.notice([one, everywhere], CLOCK) or "")
