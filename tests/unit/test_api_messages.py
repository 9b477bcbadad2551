"""The messages of the live stream: the wire names that were promised, and figures out of the events only."""

import json
from typing import Any

import pytest

from aegis_core.api.messages import MOST_DETAILS, frames, messages
from aegis_core.domain.events import Agent, Draft
from aegis_core.domain.incident import fold
from aegis_core.pipeline.live import Happening
from tests import examples as make
from tests.examples import later

HEALED = (
    make.received(), make.gathered(), make.diagnosed(), make.opined(), make.decided(), make.intended(),
    make.executed(), make.verified(True), make.resolved(),
)  # fmt: skip


def told(*drafts: Draft, seconds: float = 2.5) -> list[dict[str, Any]]:
    """The messages of the last of these events, which came so many seconds after those before it."""
    before = fold(make.events_of(*drafts[:-1])) if drafts[1:] else None
    [event] = make.chain(
        drafts[-1:], "inc-1", later(seconds), before.version if before else 0, before.head if before else make.GENESIS
    )
    return [json.loads(one) for one in messages(Happening(event, before, fold([event], before)))]


def test_an_action_has_the_promised_names_and_nothing_is_made_up() -> None:
    [message] = told(*HEALED[:4])
    assert message == {
        "type": "agent_action",
        "incident_id": "inc-1",
        "action": {
            "agent_type": "diagnosis",
            "action_id": "inc-1:4",
            "description": "votes for RESTART, 0.90 sure: It hangs.",
            "timestamp": "2026-11-20T12:00:02.500000+00:00",
            "status": "completed",
            "details": {"event": "OpinionGiven", "opinion": message["action"]["details"]["opinion"]},
            "duration_ms": 2500,
            "confidence": 0.9,
        },
    }


def test_the_first_event_opens_the_incident_and_took_no_time() -> None:
    [action, status] = told(make.received())
    assert action["action"]["duration_ms"] is None
    assert (status["type"], status["status"], status["resolution_time"]) == ("incident_status", "RECEIVED", None)


@pytest.mark.parametrize("upto", range(2, len(HEALED) + 1))
def test_a_status_is_told_exactly_where_it_changes(upto: int) -> None:
    before, after = make.incident(*HEALED[: upto - 1]), make.incident(*HEALED[:upto])
    statuses = [one["status"] for one in told(*HEALED[:upto]) if one["type"] == "incident_status"]
    assert statuses == ([after.status] if after.status is not before.status else [])


def test_the_end_tells_how_long_it_took() -> None:
    [_, status] = told(*HEALED, seconds=14.2)
    assert (status["status"], status["resolution_time"], status["cost_savings"]) == ("RESOLVED", 14.2, None)


@pytest.mark.parametrize(
    ("drafts", "stands"),
    [
        ((*HEALED[:6],), "started"),
        ((*HEALED[:8],), "completed"),
        ((*HEALED[:7], make.verified(False)), "failed"),
        ((make.received(), make.asked()), "waiting"),
        ((make.received(), make.rested(later(60))), "waiting"),
        ((make.received(), make.failed()), "failed"),
        ((make.received(), make.stage_failed(later(60))), "failed"),
    ],
)
def test_how_an_action_stands(drafts: tuple[Draft, ...], stands: str) -> None:
    assert told(*drafts)[0]["action"]["status"] == stands


def test_long_parts_are_told_by_their_number() -> None:
    action = told(make.received(logs=("line",) * 50))[0]["action"]
    assert action["details"]["signal"]["logs"] == 50
    details = told(make.received(), make.gathered(tail=("line",) * 50, missing=("no traces",)))[0]["action"]["details"]
    assert details == {"event": "EvidenceGathered", "missing": ["no traces"], "log_patterns": 0}


def test_details_have_a_bound() -> None:
    huge = Draft(type="ActionExecuted", agent=Agent.RESOLUTION, data={"action": "RESTART", "seen": "x" * MOST_DETAILS})
    assert told(*HEALED[:6], huge)[0]["action"]["details"] == {"event": "ActionExecuted", "cut": True}


def test_only_after_the_last_message_of_an_event_is_it_behind_its_receiver() -> None:
    """Whoever is cut off between the two asks with the mark of the first, and gets both again."""
    marked = [json.loads(one) for one in frames(messages_of(make.received()), 17)]
    assert [(one["type"], one["since"]) for one in marked] == [("agent_action", 16), ("incident_status", 17)]


def messages_of(draft: Draft) -> list[str]:
    [event] = make.events_of(draft)
    return list(messages(Happening(event, None, fold([event]))))
