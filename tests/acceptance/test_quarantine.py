"""A container that dies after every restart is left alone after three attempts, and people are told so once.

The count survives the agent. After a release by hand people are asked, for a restart has not helped three times.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.slack_server import SlackServer
from tests.integration.small_containers import docker

from .served_agent import ServedAgent, until
from .ward import Patient, Ward

pytestmark = pytest.mark.engine

DIES = ("sh", "-c", "echo ready; sleep 1; exit 3")


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    server = SlackServer().start()
    yield server
    server.stop()


@pytest.fixture
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture
def agent(ward: Ward, slack: SlackServer, tmp_path: Path) -> ServedAgent:
    return ward.agent(
        tmp_path,
        AEGIS_WATCH="all",  # of what the ward shows; without a label nobody else touches it
        AEGIS_COOLDOWN_SECONDS="0.1",
        AEGIS_STABILITY_SECONDS="3",
        AEGIS_SLACK_WEBHOOK_URL=slack.url,
        **ward.sure_of("RESTART", category="app_crash_bug"),  # as the rules see it: so it is tried a third time
    )


def dies_again(agent: ServedAgent, patient: Patient) -> dict[str, Any]:
    """Somebody starts it once more, and it dies as before: wait until what follows has ended."""
    known = {one["incident_id"] for one in agent.incidents(container_name=patient.name)}
    docker("start", patient.name)

    def news() -> dict[str, Any] | None:
        found = agent.incidents(container_name=patient.name)
        return next((one for one in found if one["closed_at"] and one["incident_id"] not in known), None)

    return agent.ask(f"/incidents/{until(news, 'what follows to end', 90)['incident_id']}")


def told(slack: SlackServer, patient: Patient) -> list[str]:
    """The messages that ask for a person because of it."""
    texts = [str(message) for message in slack.messages]
    return [text for text in texts if patient.name in text and "needs you" in text]


def test_three_verified_failures_end_in_a_quarantine_that_is_told_once_survives_the_agent_and_can_be_lifted(
    ward: Ward, agent: ServedAgent, slack: SlackServer
) -> None:
    patient = ward.admit("--stop-timeout=1", command=DIES)

    first = agent.closed(container_name=patient.name, fault="crashed")
    assert (first["status"], first["attempts"]) == ("FAILED", 3), first
    assert "It is in quarantine until" in first["error"]
    assert patient.happened("restart") == ["restart"] * 3
    [standing] = [one for one in agent.ask("/standings")["items"] if one["target"] == patient.name]
    assert standing["quarantined_until"]
    until(lambda: told(slack, patient), "the notice")

    until(lambda: all(one["closed_at"] for one in agent.incidents(container_name=patient.name)), "all of it to end")
    agent.kill_agent()
    agent.serve()
    second = dies_again(agent, patient)
    assert (second["status"], second["attempts"]) == ("FAILED", 0), second
    assert "In quarantine" in second["error"]
    assert patient.happened("restart") == ["restart"] * 3
    assert len(told(slack, patient)) == 1, "the quarantine is told once, and not what it refuses"

    agent.post({"by": "ann", "reason": "mended"}, f"/targets/{patient.name}/release")
    docker("start", patient.name)
    waiting = until(lambda: agent.incidents(container_name=patient.name, status="AWAITING_APPROVAL"), "a question", 90)
    asked = agent.ask(f"/incidents/{waiting[0]['incident_id']}")["approval"]
    assert any("RESTART helped 0 of 3 times here" in reason for reason in asked["reasons"]), asked
    agent.post({"by": "ann"}, f"/incidents/{waiting[0]['incident_id']}/approve")
    until(lambda: len(patient.happened("restart")) == 4, "what ann has approved", 90)
