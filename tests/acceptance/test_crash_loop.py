"""A container that crashes soon after every start, and that the engine itself starts again and again.

Between two crashes it runs, and looks well. The restart count and the stability window tell.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.small_containers import docker

from .served_agent import ServedAgent, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

STABILITY = 4.0  # seconds; it never runs for so long
# After two restarts that did not help the rules are in doubt, and a person would be asked about the third.
PERSISTS = {"AEGIS_CONFIDENCE_THRESHOLD": "0.5"}
CRASHES = ("sh", "-c", "sleep 1.5; echo giving up; exit 3")


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture
def agent(ward: Ward, tmp_path: Path) -> Iterator[ServedAgent]:
    """One that knows of no attempt that did not help: it would ask a person before it tried that again."""
    settings = {"AEGIS_STABILITY_SECONDS": str(STABILITY), "AEGIS_COOLDOWN_SECONDS": "0.5", **PERSISTS}
    agent = ward.agent(tmp_path, **settings, **ward.sure_of("RESTART"))
    yield agent
    agent.stop_agent()


def test_a_crash_loop_is_never_taken_for_healed_and_given_up_after_three_attempts(
    ward: Ward, agent: ServedAgent
) -> None:
    patient = ward.admit(OPTED_IN, "--restart=always", "--stop-timeout=1", command=CRASHES)
    until(lambda: patient.state["Restarting"], "the first crash")

    incident = agent.closed(incident_id=agent.report(patient.name, "crash_loop"))

    assert (incident["status"], incident["attempts"]) == ("FAILED", 3), incident
    assert "RESTART did not help, 3 times in a row" in incident["error"]
    assert "stable: up for" in incident["error"]
    assert patient.happened("restart") == ["restart"] * 3
    told = [one["data"] for one in agent.events(incident["incident_id"]) if one["type"] == "Verified"]
    assert len(told) == 3
    for one in told:
        assert not all(condition["holds"] for condition in one["judgement"]["conditions"])
    assert not incident["lesson"]["verified_healthy"]
    assert {one["status"] for one in agent.incidents(container_name=patient.name)} == {"FAILED"}


def test_a_quarantine_is_told_once_and_survives_the_agent(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(OPTED_IN, "--restart=always", "--stop-timeout=1", command=CRASHES)
    until(lambda: patient.state["Restarting"], "the first crash")
    given_up = agent.closed(incident_id=agent.report(patient.name, "crash_loop"))
    assert "It is in quarantine until" in given_up["error"]

    agent.stop_agent()
    agent.serve()
    for word in ("crash_loop", "odd"):
        refused = agent.closed(incident_id=agent.report(patient.name, word))
        assert (refused["status"], refused["attempts"]) == ("FAILED", 0), refused
        assert refused["error"].startswith("In quarantine: 3 attempts within 10 minutes"), refused
    assert patient.happened("restart") == ["restart"] * 3
    assert agent.log().count(f"{patient.name} needs you") == 1

    agent.post({"by": "ann"}, f"/targets/{patient.name}/release")
    again = agent.closed(incident_id=agent.report(patient.name, "odd"))
    assert again["attempts"] > 0, "a person has released it"


def restarted(patient: Patient) -> int:
    """How often its restart policy has restarted it in a row."""
    return int(docker("inspect", "--format={{.RestartCount}}", patient.name))


def test_a_crash_loop_that_was_there_before_the_agent_is_found_and_reported_once(engine: None, tmp_path: Path) -> None:
    """Its restart policy has come to long pauses: hardly ever is it seen to end, and never does it run for long."""
    with Ward() as ward:
        patient = ward.admit(OPTED_IN, "--restart=always", "--stop-timeout=1", command=("sh", "-c", "exit 3"))
        until(lambda: restarted(patient) >= 6, "long pauses")

        settings = {"AEGIS_SENSE_SECONDS": "0.5", "AEGIS_COOLDOWN_SECONDS": "0.1", "AEGIS_VERIFY_ATTEMPTS": "2"}
        settings |= PERSISTS
        agent = ward.agent(tmp_path, **settings, **ward.sure_of("RESTART"))
        incident = agent.closed(container_name=patient.name)

        assert (incident["alert_type"], incident["status"]) == ("crash_loop", "FAILED"), incident
        assert incident["attempts"] == 3
        (told,) = agent.events(incident["incident_id"])[0]["data"]["signal"]["logs"]
        assert "its restart policy has restarted it" in told, "at the first look, and not by counting its ends"
        seen = restarted(patient)
        until(lambda: restarted(patient) > seen + 1, "it to go on")
        assert len(agent.incidents(container_name=patient.name, fault="crash_loop")) == 1
