"""Every event has a sentence, and no event breaks the telling."""

from typing import Any

import pytest

from aegis_core.domain.chronicle import sentence
from aegis_core.domain.events import Draft, Event, EventType
from tests import examples as make
from tests.examples import later

EVERY: dict[EventType, tuple[Draft, str]] = {
    EventType.SIGNAL_RECEIVED: (make.received(), "memory_pressure (critical) reported by native"),
    EventType.SIGNAL_JOINED: (make.joined(), "the same symptom again, 1 time"),
    EventType.SIGNAL_CLEARED: (
        Draft(type=EventType.SIGNAL_CLEARED, agent="detection"),
        "whoever reported it says that it is over",
    ),
    EventType.EVIDENCE_GATHERED: (
        make.gathered(missing=("no log",)),
        "evidence gathered: 3 lines; missing: no log",
    ),
    EventType.DIAGNOSED: (
        make.diagnosed(),
        "diagnosis by rules, 0.90 sure: A cache grows without bound. → RESTART",
    ),
    EventType.OPINION_GIVEN: (make.opined(), "votes for RESTART, 0.90 sure: It hangs."),
    EventType.DECIDED: (make.decided(), "policy allows RESTART: No limit stands against it."),
    EventType.APPROVAL_REQUESTED: (
        make.asked(),
        "people are asked for ROLLBACK until 12:30:00 UTC: It needs a person.",
    ),
    EventType.APPROVED: (make.approved(comment="go on"), "approved by ann (api): go on"),
    EventType.DECLINED: (make.declined(), "declined by ann (api)"),
    EventType.RESTED: (make.rested(later(5)), "rests until 12:00:05 UTC, then looks anew: It rests."),
    EventType.ACTION_INTENDED: (make.intended(), "RESTART begins; what was observed before it is on record"),
    EventType.ACTION_EXECUTED: (make.executed(), "RESTART is done: running"),
    EventType.ACTION_FAILED: (make.called_off(), "the action was not carried out: It is gone."),
    EventType.VERIFIED: (make.verified(False), "not healthy: running: as seen"),
    EventType.UNDONE: (make.undone(), "what did not help was taken back: the old limits are back"),
    EventType.COMMENTED: (make.commented(), "ann says: I am on it."),
    EventType.LESSON_LEARNED: (make.learned(), "lesson for the runbook: RESTART held"),
    EventType.RESOLVED: (make.resolved(), "resolved, and verified"),
    EventType.FAILED: (make.failed(), "left to a person: It did not help."),
    EventType.STAGE_FAILED: (make.stage_failed(later(2)), "could not verify, tried again at 12:00:02 UTC: no answer"),
}


def event(draft: Draft) -> Event:
    [made] = make.events_of(draft)
    return made


@pytest.mark.parametrize("kind", EventType)
def test_every_event_is_told_in_a_sentence_of_its_own(kind: EventType) -> None:
    draft, told = EVERY[kind]
    assert sentence(event(draft)) == told


@pytest.mark.parametrize("data", [{}, {"signal": 3}, {"until": "soon"}, {"approval": {}}, {"judgement": None}])
@pytest.mark.parametrize("kind", EventType)
def test_an_event_of_another_version_is_named_if_it_cannot_be_told(kind: EventType, data: dict[str, Any]) -> None:
    assert sentence(event(Draft(type=kind, agent="detection", data=data)))


def test_a_sentence_is_one_line() -> None:
    assert "\n" not in sentence(event(make.commented("one\ntwo")))
