"""The engine does its part of a change, and its reply is lost: Aegis looks, and goes on from there."""

import uuid
from collections.abc import Iterator

import pytest

from tests.integration.flaky_engine import Fault
from tests.integration.small_containers import docker

from .changes import WELL, all_of, build, deploy, inspected
from .served_agent import ServedAgent, until
from .ward import Ward

pytestmark = pytest.mark.engine

MIB = 2**20
FREE = ("--label=aegis.actions=restart,scale_up,rollback", "--label=aegis.max_memory=1g", "--stop-timeout=1")
ILL = "HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD false"
RUNS = "trap 'exit 0' TERM; echo ready $RELEASE; sleep 600 & wait"
EATS = "python3 -c 'kept = bytearray(60_000_000); kept[::4096] = b\"x\" * len(kept[::4096])'; exit 7"
SETTINGS = {
    "AEGIS_SENSE_SECONDS": "0.5", "AEGIS_COOLDOWN_SECONDS": "1", "AEGIS_DOCKER_TIMEOUT_SECONDS": "5",
    "AEGIS_WATCH": "all",
}  # fmt: skip


@pytest.fixture
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture
def tag(ward: Ward) -> Iterator[str]:
    name = f"aegis-release-{uuid.uuid4().hex[:8]}"
    build(f"{name}:1", 1, WELL)
    build(f"{name}:2", 2, RUNS, ILL)
    yield name
    left = docker("ps", "--all", "--quiet", f"--filter=label={ward.label}").split()
    if left:
        docker("rm", "--force", "--volumes", *left)
    docker("rmi", "--force", f"{name}:1", f"{name}:2")


def broke(agent: ServedAgent, incident_id: str) -> int:
    """How often a stage was broken off and taken up again."""
    return [one["type"] for one in agent.events(incident_id)].count("StageFailed")


@pytest.mark.parametrize("call", ["create", "rename", "update", "stop", "start", "DELETE"])
def test_a_rollback_goes_on_from_where_the_engine_has_got_to(call: str, ward: Ward, tag: str, tmp_path_factory) -> None:
    agent = ward.agent(tmp_path_factory.mktemp("agent"), **SETTINGS, **ward.sure_of("ROLLBACK"))
    patient = deploy(ward, f"{tag}:1", *FREE, "--restart=always")
    until(lambda: "a release has proven itself" in agent.log(), "release 1 to have proven itself", 30)
    ward.engine.spoil("DELETE /containers/" if call == "DELETE" else f"POST /containers/.*{call}", Fault.DROP_REPLY, 1)
    deploy(ward, f"{tag}:2", *FREE, "--restart=always", name=patient.name)

    incident = agent.closed(container_name=patient.name, fault="unhealthy")

    assert (incident["status"], incident["attempts"]) == ("RESOLVED", 1), incident
    assert broke(agent, incident["incident_id"]) == 1
    now = inspected(patient.name)
    assert (now["Config"]["Image"], now["HostConfig"]["RestartPolicy"]["Name"]) == (f"{tag}:1", "always")
    assert "Healthcheck" not in now["Config"], "the check that the broken image brought is gone with it"
    assert patient.happened("start", of=now["Id"]) == ["start"]
    assert all_of(patient) == {patient.name: "running"}


@pytest.mark.parametrize("call", ["update", "start"])
def test_a_limit_is_raised_once_though_the_reply_is_lost(call: str, ward: Ward, tmp_path_factory) -> None:
    agent = ward.agent(tmp_path_factory.mktemp("agent"), **SETTINGS, **ward.sure_of("SCALE_UP"))
    ward.engine.spoil(f"POST /containers/.*{call}", Fault.DROP_REPLY, 1)
    program = f"[ -e /again ] || {{ touch /again; {EATS}; }}; sleep 600 & wait"
    patient = ward.admit(*FREE, "--memory=32m", "--memory-swap=32m", command=("sh", "-c", program))

    incident = agent.closed(container_name=patient.name, fault="oom_killed")

    assert (incident["status"], incident["attempts"]) == ("RESOLVED", 1), incident
    assert broke(agent, incident["incident_id"]) == 1
    assert inspected(patient.name)["HostConfig"]["Memory"] == 48 * MIB
    assert patient.restarts() == 1
