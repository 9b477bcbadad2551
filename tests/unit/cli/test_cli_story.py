"""Events as sentences, and the way of an incident."""

import pytest

from aegis_core.api import views
from aegis_core.cli.output import Tone
from aegis_core.cli.story import tell, way
from aegis_core.cli.wire import Happening
from aegis_core.domain.diagnosis import Source
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.incident import Status
from aegis_core.domain.logs import Template
from aegis_core.domain.policy import Verdict
from aegis_core.domain.target import Usage
from tests.examples import (
    NOON,
    approved,
    asked,
    called_off,
    commented,
    decided,
    decision,
    declined,
    diagnosed,
    diagnosis,
    events_of,
    executed,
    failed,
    gathered,
    intended,
    joined,
    later,
    learned,
    opined,
    received,
    resolved,
    rested,
    stage_failed,
    state,
    undone,
    verified,
)

EVERY = (
    received(),
    joined(),
    Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION),
    gathered(),
    diagnosed(),
    opined(),
    decided(),
    asked(),
    approved(),
    declined(),
    commented(),
    undone(),
    rested(later(60)),
    intended(),
    executed(),
    called_off(),
    verified(True),
    learned(),
    resolved(),
    failed(),
    stage_failed(later(1)),
)


def shown(*drafts: Draft) -> list[Happening]:
    """Events as the API answers them, read as the commands read them."""
    return [Happening.model_validate(views.event(event)) for event in events_of(*drafts)]


def text_of(draft: Draft) -> str:
    told = tell(shown(draft)[0])
    return "\n".join([told.headline, *(text for text, _ in told.lines)])


def test_every_kind_of_event_has_words_of_its_own() -> None:
    assert {draft.type for draft in EVERY} == set(EventType)
    headlines = [tell(event).headline for event in shown(*EVERY)]
    assert len(set(headlines)) == len(EVERY)
    assert not {str(kind) for kind in EventType} & set(headlines)


def test_a_signal_tells_the_highest_shares_and_who_saw_it() -> None:
    told = text_of(received(metrics={"cpu_percent": 2.5, "disk_percent": 0.0, "memory_percent": 88.4, "pid": 7.0}))
    assert told.startswith("memory pressure (critical), reported by webhook")
    assert "memory 88 %, CPU 2 %" in told
    assert "pid" not in told
    assert "seen by Aegis itself" in text_of(received(source="sensor"))


def test_evidence_tells_what_was_measured_and_the_newest_errors() -> None:
    usage = Usage(at=NOON, memory_bytes=1, memory_percent=91.0)
    logs = [Template(count=1, example=f"ERROR number {number}", error=True) for number in range(5)]
    told = text_of(gathered(state(usage=usage), templates=tuple(logs), missing=("logs: none",)))
    assert "measured: memory at 91 % of its limit" in told
    assert "ERROR number 4" in told
    assert "ERROR number 0" not in told
    assert "missing: logs: none" in told


def test_a_diagnosis_tells_its_source_its_confidence_and_what_it_rests_on() -> None:
    told = text_of(
        diagnosed(
            diagnosis(
                confidence=0.86,
                source=Source.CLOUD,
                model="m-1",
                passed_over=("runbook: none",),
                dissent=("rules rules-9: dns_failure, NOOP (0.60). A name.",),
            )
        )
    )
    assert told.startswith("diagnosis by cloud (m-1), 0.86 sure: RESTART")
    assert "A cache grows without bound." in told
    assert "rests on: measured: memory at 93 % of its limit" in told
    assert "passed over: runbook: none" in told
    assert "seen otherwise by rules rules-9: dns_failure, NOOP (0.60). A name." in told


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_decision_tells_its_verdict_and_its_reasons(verdict: Verdict) -> None:
    told = text_of(decided(decision(verdict)))
    assert f"decision {verdict}: RESTART" in told
    assert "No limit stands against it." in told


def test_conditions_that_do_not_hold_are_told_as_such() -> None:
    assert "✘ running: as seen" in text_of(verified(False))
    assert tell(shown(verified(False))[0]).tone is Tone.WARN
    assert tell(shown(verified(True))[0]).tone is Tone.GOOD


def test_an_event_of_another_version_is_named_and_breaks_nothing() -> None:
    unknown = Happening(version=1, type="PersonAsked", at=NOON, agent="resolution")
    odd = Happening(version=1, type=EventType.DIAGNOSED, at=NOON, agent="diagnosis", data={"diagnosis": {"new": 1}})
    assert tell(unknown).headline == "PersonAsked"
    assert tell(odd).headline == "Diagnosed"


def test_nothing_in_an_event_can_steer_the_terminal() -> None:
    told = text_of(failed("\x1b]0;owned\x07\x1b[2Jdone\r\nnext"))
    assert "\x1b" not in told
    assert "\r" not in told
    assert "done next" in told


def test_the_way_is_the_one_of_the_round_under_way() -> None:
    first = shown(received(), gathered(), diagnosed(), decided(), intended(), executed())
    assert list(way(first)) == [
        Status.RECEIVED,
        Status.ANALYZING,
        Status.DECIDED,
        Status.EXECUTING,
        Status.VERIFYING,
    ]
    second = shown(received(), gathered(), decided(), intended(), executed(), verified(False), rested(NOON), gathered())
    assert list(way(second)) == [Status.RECEIVED, Status.ANALYZING]


def test_only_a_decision_to_act_counts_as_decided() -> None:
    assert Status.DECIDED not in way(shown(received(), gathered(), decided(decision(Verdict.ASK)), failed()))
