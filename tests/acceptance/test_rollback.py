"""A new release that does not run makes room for the one that was verified healthy, and nothing else changes."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.small_containers import docker

from .changes import CRASHES, SPOILS, WELL, all_of, build, deploy, inspected
from .served_agent import ServedAgent, until
from .ward import Patient, Ward

pytestmark = pytest.mark.engine

BY_LABEL = ("--label=aegis.actions=restart,rollback",)
# It watches all that it sees, which is the ward: what opted in might be healed by the agents of other tests as well.
SETTINGS = {"AEGIS_SENSE_SECONDS": "0.5", "AEGIS_COOLDOWN_SECONDS": "1", "AEGIS_WATCH": "all"}


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    return ward.agent(tmp_path_factory.mktemp("agent"), **SETTINGS, **ward.sure_of("ROLLBACK"))


@pytest.fixture
def tag(ward: Ward) -> Iterator[str]:
    """A name for images of a test; they are removed after it, with all that runs from them."""
    name = f"aegis-release-{uuid.uuid4().hex[:8]}"
    yield name
    left = docker("ps", "--all", "--quiet", f"--filter=label={ward.label}").split()
    if left:
        docker("rm", "--force", "--volumes", *left)
    images = docker("images", "--format={{.Repository}}:{{.Tag}}", name).split()
    if images:
        docker("rmi", "--force", *images)


@pytest.fixture
def volume(ward: Ward) -> Iterator[str]:
    name = f"{ward.label}-{uuid.uuid4().hex[:8]}".replace("=", "-")
    yield name
    left = docker("ps", "--all", "--quiet", f"--filter=volume={name}").split()
    if left:
        docker("rm", "--force", "--volumes", *left)
    docker("volume", "rm", "--force", name)


def verified(agent: ServedAgent, ward: Ward, tag: str, *options: str) -> Patient:
    """Release 1, until the agent has seen that it is well."""
    build(f"{tag}:1", 1, WELL)
    patient = deploy(ward, f"{tag}:1", *options)
    told = f'"target": "{patient.name}"'
    until(
        lambda: any("proven itself" in line and told in line for line in agent.log().splitlines()),
        "release 1 to have proven itself", 30,
    )  # fmt: skip
    return patient


def asked(agent: ServedAgent, patient: Patient) -> dict[str, Any]:
    """The incident about the patient that waits for a person."""

    def waiting() -> dict[str, Any] | None:
        found = agent.incidents(container_name=patient.name, status="AWAITING_APPROVAL")
        return found[0] if found else None

    return dict(until(waiting, "a person to be asked"))


def rolled_back(agent: ServedAgent, patient: Patient) -> dict[str, Any] | None:
    """The incident in which the patient was rolled back: of a crash loop there may be one more."""
    closed = [one for one in agent.incidents(container_name=patient.name) if one["closed_at"] and one["attempts"]]
    return closed[0] if closed else None


def only(patient: Patient, run: str) -> bool:
    """Whether there is one container of the patient's name in this state, and nothing beside it."""
    return all_of(patient) == {patient.name: run}


def test_a_release_that_crashes_at_its_start_is_rolled_back_once_a_person_has_approved(
    ward: Ward, agent: ServedAgent, tag: str
) -> None:
    patient = verified(agent, ward, tag)
    good = inspected(patient.name)["Image"]
    build(f"{tag}:2", 2, CRASHES)
    deploy(ward, f"{tag}:2", name=patient.name)
    broken = inspected(patient.name)["Id"]

    waiting = asked(agent, patient)
    assert inspected(patient.name)["Id"] == broken, "nothing is done before somebody has answered"
    assert only(patient, "exited")
    agent.post({"by": "ann"}, f"/incidents/{waiting['incident_id']}/approve")
    incident = agent.closed(incident_id=waiting["incident_id"])

    assert incident["status"] == "RESOLVED", incident
    assert (incident["action"], incident["attempts"]) == ("ROLLBACK", 1)
    now = inspected(patient.name)
    assert (now["Image"], now["State"]["Running"], now["RestartCount"]) == (good, True, 0)
    assert now["Config"]["Image"] == f"{tag}:1"
    assert only(patient, "running")
    assert "ready 1" in patient.log()


def test_by_label_it_needs_nobody_and_all_that_the_owner_set_is_as_before(
    ward: Ward, agent: ServedAgent, tag: str, volume: str
) -> None:
    network, other = f"{tag}-front", f"{tag}-back"
    docker("network", "create", "--subnet=10.211.7.0/24", network)
    docker("network", "create", other)
    options = (
        *BY_LABEL, f"--network={network}", "--network-alias=shop", "--ip=10.211.7.77", f"--volume={volume}:/data",
        "--volume=/cache", "--env=TOKEN=of-the-owner", "--env=OF_IMAGE=of-the-owner", "--publish=127.0.0.1::80",
        "--restart=on-failure:3", "--memory=64m", "--cpus=0.25", "--stop-timeout=2", "--hostname=shop-1",
        "--user=nobody", "--health-cmd=true", "--health-interval=1s", "--cap-drop=NET_RAW", "--tmpfs=/run/shop",
    )  # fmt: skip
    try:
        patient = verified(agent, ward, tag, *options)
        build(f"{tag}:2", 2, CRASHES)
        deploy(ward, f"{tag}:2", *options, name=patient.name)
        docker("network", "connect", "--alias=api", other, patient.name)
        before = inspected(patient.name)

        incident = agent.closed(container_name=patient.name)

        assert (incident["status"], incident["action"]) == ("RESOLVED", "ROLLBACK"), incident
        now = inspected(patient.name)
        assert now["Id"] != before["Id"]
        for key in ("User", "Hostname", "Healthcheck", "StopTimeout", "Cmd", "Entrypoint"):
            if key != "Cmd":
                assert now["Config"].get(key) == before["Config"].get(key), key
        assert now["Config"]["Cmd"] == ["sh", "-c", WELL], "the command is that of its own image"
        environment = dict(entry.split("=", 1) for entry in now["Config"]["Env"])
        assert environment["RELEASE"] == "1", "what the broken image brought is gone"
        assert (environment["TOKEN"], environment["OF_IMAGE"]) == ("of-the-owner", "of-the-owner")
        labels = {key: value for key, value in now["Config"]["Labels"].items() if key != "aegis.replaces"}
        assert labels == {**before["Config"]["Labels"], "release": f"{tag}:1"}
        same = ("RestartPolicy", "Memory", "MemorySwap", "NanoCpus", "PortBindings", "CapDrop", "Tmpfs", "NetworkMode")
        for key in same:
            assert now["HostConfig"][key] == before["HostConfig"][key], key
        assert {one["Destination"]: one["Name"] for one in now["Mounts"]} == {
            one["Destination"]: one["Name"] for one in before["Mounts"]
        }
        networks = now["NetworkSettings"]["Networks"]
        assert sorted(networks) == sorted([network, other])
        assert networks[network]["IPAddress"] == "10.211.7.77"
        assert "shop" in networks[network]["Aliases"]
        assert "api" in networks[other]["Aliases"]
        assert only(patient, "running")
        assert agent.incidents(container_name=patient.name, status="AWAITING_APPROVAL") == []
    finally:
        docker("rm", "--force", "--volumes", patient.name)
        docker("network", "rm", network, other)


def test_a_release_that_crashes_again_and_again_is_rolled_back_and_its_restart_policy_stays(
    ward: Ward, agent: ServedAgent, tag: str
) -> None:
    options = (*BY_LABEL, "--restart=unless-stopped")
    patient = verified(agent, ward, tag, *options)
    build(f"{tag}:2", 2, CRASHES)
    deploy(ward, f"{tag}:2", *options, name=patient.name)

    incident = until(lambda: rolled_back(agent, patient), "a rollback", 90)

    assert incident["status"] == "RESOLVED", incident
    now = inspected(patient.name)
    assert (now["Config"]["Image"], now["RestartCount"]) == (f"{tag}:1", 0)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert only(patient, "running")


def test_without_a_model_the_rules_go_back_from_an_image_whose_program_is_missing(
    tag: str, tmp_path: Path, engine: None
) -> None:
    with Ward() as ward:
        agent = ward.agent(tmp_path, **SETTINGS)
        patient = verified(agent, ward, tag, *BY_LABEL)
        build(f"{tag}:2", 2, "exec /app/serve")
        deploy(ward, f"{tag}:2", *BY_LABEL, name=patient.name)

        incident = agent.closed(container_name=patient.name)

        told = (incident["status"], incident["action"], incident["category"], incident["source"])
        assert told == ("RESOLVED", "ROLLBACK", "bad_image", "rules"), incident
        assert inspected(patient.name)["Config"]["Image"] == f"{tag}:1"


def test_a_release_that_is_no_longer_on_the_host_is_refused_before_anything_is_stopped(
    ward: Ward, agent: ServedAgent, tag: str
) -> None:
    patient = verified(agent, ward, tag, *BY_LABEL)
    build(f"{tag}:2", 2, CRASHES)
    docker("rm", "--force", patient.name)
    docker("rmi", "--force", f"{tag}:1")
    deploy(ward, f"{tag}:2", *BY_LABEL, name=patient.name)
    broken = inspected(patient.name)["Id"]

    incident = agent.closed(container_name=patient.name)

    assert (incident["status"], incident["attempts"]) == ("FAILED", 0), incident
    assert f"{tag}:1, which {patient.name} ran healthily with, is no longer here" in incident["error"]
    assert inspected(patient.name)["Id"] == broken
    assert patient.happened(of=broken) == ["create", "start", "die"]
    assert only(patient, "exited")


def test_where_the_verified_release_does_not_run_any_more_either_the_broken_one_is_put_back(
    ward: Ward, agent: ServedAgent, tag: str, volume: str
) -> None:
    options = (*BY_LABEL, f"--volume={volume}:/data")
    patient = verified(agent, ward, tag, *options)
    build(f"{tag}:2", 2, SPOILS)
    deploy(ward, f"{tag}:2", *options, name=patient.name)
    before = inspected(patient.name)

    incident = agent.closed(container_name=patient.name)

    assert (incident["status"], incident["attempts"]) == ("FAILED", 1), incident
    assert incident["error"] == "ROLLBACK was tried already, did not help, and was taken back."
    now = inspected(patient.name)
    assert (now["Id"], now["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    assert now["HostConfig"] == before["HostConfig"]
    assert only(patient, "exited")
    kinds = [one["type"] for one in agent.events(incident["incident_id"])]
    assert kinds.index("Verified") < kinds.index("Undone") < kinds.index("Failed")


def test_what_would_lose_its_network_by_it_keeps_a_rollback_from_being_done(
    ward: Ward, agent: ServedAgent, tag: str
) -> None:
    patient = verified(agent, ward, tag, *BY_LABEL)
    build(f"{tag}:2", 2, "sleep 4; exit 3")
    deploy(ward, f"{tag}:2", *BY_LABEL, name=patient.name)
    child = ward.admit(f"--network=container:{patient.name}")

    incident = agent.closed(container_name=patient.name)

    assert (incident["status"], incident["attempts"]) == ("FAILED", 0), incident
    assert f"{child.name} would lose its network" in incident["error"]
    assert only(patient, "exited")
