"""People are asked, on a real engine: on the command line and over HTTP, whatever happens until they answer."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.small_containers import docker

from .served_agent import ROOT, ServedAgent, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine
ASKS = {"AEGIS_AUTONOMY": "suggest"}


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


def asked(ward: Ward, folder: Path, **settings: str) -> tuple[ServedAgent, Patient, str]:
    """An agent that waits for an answer about a patient; returns both, and the incident's id."""
    patient = ward.admit(OPTED_IN, "--stop-timeout=1")
    agent = ward.agent(folder, **{**ASKS, **ward.sure_of("RESTART"), **settings})
    incident_id = agent.report(patient.name)
    until(lambda: status(agent, incident_id) == "AWAITING_APPROVAL", "the question")
    return agent, patient, incident_id


def status(agent: ServedAgent, incident_id: str) -> str:
    return str(agent.ask(f"/incidents/{incident_id}")["status"])


def aegis(agent: ServedAgent, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line against the agent."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AEGIS_PORT": str(agent.core), "USER": "ann"}
    command = [sys.executable, "-m", "aegis_core", *words]
    return subprocess.run(
        command, cwd=agent.folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def say(agent: ServedAgent, incident_id: str, word: str, by: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{agent.core}/incidents/{incident_id}/{word}",
        json.dumps({"by": by}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_question_outlives_the_agent_and_one_command_restarts_once(ward: Ward, tmp_path: Path) -> None:
    agent, patient, incident_id = asked(ward, tmp_path)
    assert patient.restarts() == 0
    agent.kill_agent()
    agent.serve()
    assert status(agent, incident_id) == "AWAITING_APPROVAL"
    said = aegis(agent, "approve", incident_id, "--comment", "go on")
    assert said.returncode == 0, said.stderr
    assert f"RESTART of {patient.name}?" in said.stdout
    healed = agent.closed(incident_id=incident_id)
    assert (healed["status"], patient.restarts()) == ("RESOLVED", 1)
    assert (healed["approval"]["by"], healed["approval"]["via"]) == ("ann", "cli")
    again = aegis(agent, "approve", incident_id)
    assert again.returncode == 1
    assert "ann has approved it already" in again.stderr
    assert patient.restarts() == 1


def test_two_people_and_a_double_click_are_one_restart(ward: Ward, tmp_path: Path) -> None:
    agent, patient, incident_id = asked(ward, tmp_path)
    with ThreadPoolExecutor(6) as people:
        said = list(people.map(lambda by: say(agent, incident_id, "approve", by), ["ann", "ann", "bob"] * 2))
    assert sorted(code for code, _ in said) == [200, 409, 409, 409, 409, 409]
    assert agent.closed(incident_id=incident_id)["status"] == "RESOLVED"
    assert patient.restarts() == 1


def test_an_approval_that_is_too_late_restarts_nothing(ward: Ward, tmp_path: Path) -> None:
    agent, patient, incident_id = asked(ward, tmp_path, AEGIS_APPROVAL_SECONDS="2")
    failed = agent.closed(incident_id=incident_id)
    assert failed["status"] == "FAILED"
    assert "Nobody answered in time" in failed["error"]
    code, problem = say(agent, incident_id, "approve", "ann")
    assert code == 409
    assert "expired" in problem["detail"]
    assert patient.restarts() == 0


def test_an_approval_of_a_container_that_was_recreated_does_nothing_to_the_new_one(ward: Ward, tmp_path: Path) -> None:
    agent, patient, incident_id = asked(ward, tmp_path)
    docker("rm", "--force", patient.name)
    ward.admit(OPTED_IN, "--stop-timeout=1", name=patient.name)
    code, problem = say(agent, incident_id, "approve", "ann")
    assert code == 409
    assert f"{patient.name} was recreated" in problem["detail"]
    assert patient.restarts(of=patient.id) == 0
    until(lambda: status(agent, incident_id) == "AWAITING_APPROVAL", "the question about the new one")
    shown = agent.ask(f"/incidents/{incident_id}")["approval"]["shown"]["ref"]["id"]
    assert shown == patient.id
    assert say(agent, incident_id, "reject", "bob")[0] == 200
    assert "bob has declined RESTART" in agent.closed(incident_id=incident_id)["error"]
    assert patient.restarts(of=patient.id) == 0
