"""More of what ran out, up to its owner's ceiling: kept where it helped, taken back where it did not."""

from collections.abc import Iterator

import pytest

from .changes import inspected
from .served_agent import ServedAgent, until
from .ward import Patient, Ward

pytestmark = pytest.mark.engine

MIB = 2**20
FREE = ("--label=aegis.actions=restart,scale_up", "--stop-timeout=1")
SMALL = ("--memory=32m", "--memory-swap=64m")
# It watches all that it sees, which is the ward: what opted in might be healed by the agents of other tests as well.
SETTINGS = {"AEGIS_SENSE_SECONDS": "0.5", "AEGIS_COOLDOWN_SECONDS": "1", "AEGIS_WATCH": "all"}

# The first needs 33 MiB or so for its work, the second as much as it can get.
NEEDS = "kept = bytearray({}); kept[::4096] = b'x' * len(kept[::4096]); print('up', flush=True)"
WORKS = ("python3", "-c", NEEDS.format(30_000_000) + "; import time; time.sleep(600)")
GREEDY = ("python3", "-c", NEEDS.format(900_000_000))
BURNS = ("sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do :; done")


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    return ward.agent(tmp_path_factory.mktemp("agent"), **SETTINGS, **ward.sure_of("SCALE_UP"))


def limits(patient: Patient) -> tuple[int, int, int]:
    """Memory, memory and swap in bytes, and billionths of a CPU."""
    settings = inspected(patient.name)["HostConfig"]
    return settings["Memory"], settings["MemorySwap"], settings["NanoCpus"]


def told(agent: ServedAgent, incident_id: str) -> list[str]:
    return [one["type"] for one in agent.events(incident_id)]


def test_what_the_kernel_killed_gets_more_memory_and_keeps_it_because_it_helps(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(*FREE, "--label=aegis.max_memory=1g", "--memory=28m", "--memory-swap=28m", command=WORKS)

    incident = agent.closed(container_name=patient.name)

    assert (incident["status"], incident["action"], incident["fault"]) == ("RESOLVED", "SCALE_UP", "oom_killed")
    assert limits(patient)[:2] == (42 * MIB, 42 * MIB)
    assert patient.state["Running"]
    assert patient.restarts() == 1
    assert "Undone" not in told(agent, incident["incident_id"])


def test_what_is_killed_again_and_again_is_given_enough_to_go_on(ward: Ward, agent: ServedAgent) -> None:
    options = ("--restart=always", "--label=aegis.max_memory=1g", "--memory=28m", "--memory-swap=28m")
    patient = ward.admit(*FREE, *options, command=WORKS)

    def healed() -> bool:
        return any(
            one["status"] == "RESOLVED" and one["attempts"] for one in agent.incidents(container_name=patient.name)
        )

    until(healed, "it to be healed")
    assert limits(patient)[:2] == (42 * MIB, 42 * MIB)
    assert patient.state["Running"]
    starts = patient.restarts()
    until(lambda: all(one["closed_at"] for one in agent.incidents(container_name=patient.name)), "all to be over")
    assert (limits(patient)[0], patient.restarts()) == (42 * MIB, starts)


def test_what_needs_still_more_gets_its_old_limits_back_and_a_person(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(*FREE, "--label=aegis.max_memory=64m", *SMALL, "--cpus=0.5", command=GREEDY)

    incident = agent.closed(container_name=patient.name, fault="oom_killed")

    assert (incident["status"], incident["attempts"]) == ("FAILED", 1)
    assert incident["error"] == "SCALE_UP was tried already, did not help, and was taken back."
    assert limits(patient) == (32 * MIB, 64 * MIB, 500_000_000)
    kinds = told(agent, incident["incident_id"])
    assert kinds.index("Verified") < kinds.index("Undone") < kinds.index("Failed")


def test_a_cpu_that_is_used_up_is_given_more_and_what_only_burns_loses_it_again(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(
        *FREE, "--label=aegis.max_cpus=1.5", "--label=aegis.for=2s", "--cpus=0.05", "--memory=64m", command=BURNS
    )

    incident = agent.closed(container_name=patient.name)

    assert (incident["status"], incident["fault"], incident["attempts"]) == ("FAILED", "cpu_saturation", 1)
    assert patient.happened("update") == ["update", "update"], "given, and taken back"
    assert limits(patient)[2] == 50_000_000
    assert patient.restarts() == 0


def test_at_its_ceiling_nothing_is_touched_and_a_person_hears_why(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(*FREE, "--label=aegis.max_memory=32m", *SMALL, command=GREEDY)

    incident = agent.closed(container_name=patient.name)

    assert (incident["status"], incident["attempts"]) == ("FAILED", 0)
    assert f"{patient.name} is at its ceiling of 32 MiB already." in incident["error"]
    assert patient.happened("update", "start") == ["start"]


def test_without_the_label_a_person_is_asked_and_then_it_is_done(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit("--memory=28m", "--memory-swap=28m", command=WORKS)
    asked = until(
        lambda: agent.incidents(container_name=patient.name, status="AWAITING_APPROVAL"), "a person to be asked"
    )[0]
    assert limits(patient)[0] == 28 * MIB

    agent.post({"by": "ann"}, f"/incidents/{asked['incident_id']}/approve")
    incident = agent.closed(incident_id=asked["incident_id"])

    assert incident["status"] == "RESOLVED", incident
    assert limits(patient)[0] == 42 * MIB
