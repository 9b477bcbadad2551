"""Containers that fail because another one failed: the first cause is healed, and the others follow it."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.integration.llm_servers import Exchange, answer, openai_server, says
from tests.integration.small_containers import docker

from .served_agent import ServedAgent, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

THINKS = 5.0  # seconds that the model takes: long enough for the others to become unhealthy meanwhile
SERVES = (
    "sh", "-c",
    "if [ -e /again ]; then sleep 3; fi; touch /again; python3 -m http.server 8080 & echo ready; "
    "while [ ! -e /die ]; do sleep 0.1; done; rm /die; exit 3",
)  # fmt: skip
HEALTH = ("--health-interval=1s", "--health-retries=1", "--health-timeout=2s")


def asks(host: str) -> str:
    """A health check that wants this host to answer."""
    connecting = f"import socket; socket.create_connection(('{host}', 8080), 1)"
    return f'--health-cmd=python3 -c "{connecting}"'


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedAgent]:
    def slowly(exchange: Exchange) -> None:
        time.sleep(THINKS)
        says(answer(action="RESTART", confidence=0.99))(exchange)

    with openai_server(slowly) as server:
        brain = {"AEGIS_LLM_BASE_URL": f"{server.url}/v1", "AEGIS_LLM_API_KEY": "of-the-test"}
        yield ward.agent(tmp_path_factory.mktemp("agent"), AEGIS_SENSE_SECONDS="1", **brain)


@pytest.fixture(scope="module")
def network(ward: Ward) -> Iterator[str]:
    name = ward.label.replace("=", "-")
    docker("network", "create", name)
    yield name
    for patient in docker("ps", "--all", "--quiet", f"--filter=network={name}").split():
        docker("rm", "--force", "--volumes", patient)
    docker("network", "rm", name)


def health(patient: Patient) -> str:
    return str(patient.state["Health"]["Status"])


def started(patient: Patient) -> datetime:
    return datetime.fromisoformat(patient.state["StartedAt"])


def crash(agent: ServedAgent, cause: Patient, *others: Patient) -> dict[str, Any]:
    """All are well; then the cause crashes, the others become unhealthy, and its incident comes to its end."""
    for other in others:
        until(lambda one=other: health(one) == "healthy", f"{other.name} to be healthy")
    docker("exec", cause.name, "touch", "/die")
    for other in others:
        until(lambda one=other: health(one) == "unhealthy", f"{other.name} to feel it")
    assert cause.state["Running"] is False, "the model thinks for longer than that takes"
    return agent.closed(container_name=cause.name)


def test_who_lives_in_the_network_of_another_is_restarted_after_it_and_has_a_network_again(
    ward: Ward, agent: ServedAgent
) -> None:
    parent = ward.admit(OPTED_IN, "--stop-timeout=1", command=SERVES)
    child = ward.admit(OPTED_IN, "--stop-timeout=1", f"--network=container:{parent.name}", *HEALTH, asks("127.0.0.1"))
    stranger = ward.admit("--stop-timeout=1", f"--network=container:{parent.name}")

    incident = crash(agent, parent, child)

    assert (incident["status"], incident["alert_type"]) == ("RESOLVED", "crashed"), incident
    assert started(child) > started(parent)
    until(lambda: health(child) == "healthy", "the child to reach its parent again")
    assert (parent.restarts(), child.restarts(), stranger.restarts()) == (1, 1, 0)
    assert agent.incidents(container_name=child.name) == []
    (seen,) = [one["data"]["seen"] for one in agent.events(incident["incident_id"]) if one["type"] == "ActionExecuted"]
    assert f"{child.name} restarted after it, for it shares its network" in seen
    assert f"{stranger.name} shares its network and was left as it is" in seen


def test_who_depends_on_another_gets_well_after_it_and_is_not_restarted(
    ward: Ward, agent: ServedAgent, network: str
) -> None:
    project = f"--label=com.docker.compose.project={network}"
    db = ward.admit(
        OPTED_IN, project, "--label=com.docker.compose.service=db", f"--network={network}", "--network-alias=db",
        "--stop-timeout=1", command=SERVES,
    )  # fmt: skip
    web = ward.admit(
        OPTED_IN, project, "--label=com.docker.compose.service=web", f"--network={network}", *HEALTH, asks("db"),
        "--label=com.docker.compose.depends_on=db:service_started:false", "--stop-timeout=1",
    )  # fmt: skip

    incident = crash(agent, db, web)

    assert (incident["status"], incident["alert_type"]) == ("RESOLVED", "crashed"), incident
    until(lambda: health(web) == "healthy", "the web to reach its database again")
    until(lambda: (agent.seen(web.name) or {}).get("health") == "healthy", "the agent to see that")
    assert (db.restarts(), web.restarts()) == (1, 0)
    assert agent.incidents(container_name=web.name) == []
    assert any("held back" in line and f'"target": "{web.name}"' in line for line in agent.log().splitlines())
