"""Containers of another make than our own app, with nothing but the label: seen, named right, and healed.

All of them fall ill at once, each in its own way, under one agent that knows them from Docker alone.
"""

from collections.abc import Iterator

import pytest

from tests.integration.small_containers import docker

from .served_agent import ServedAgent, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

# Each is well until the file /tmp/ill appears, and a start takes that away.
WAITS = "rm -f /tmp/ill; echo ready; while [ ! -e /tmp/ill ]; do sleep 0.1; done"
SHELL = ("sh", "-c", f"trap 'exit 0' TERM; {WAITS}; echo 'fatal: lost my place'; exit 7")
HANGS = ("sh", "-c", "rm -f /tmp/ill; trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done")
HEALTH = ("--health-cmd=test ! -e /tmp/ill", "--health-interval=500ms", "--health-retries=2", "--health-timeout=5s")
LOOPS = ("sh", "-c", "sleep 1; echo 'cannot go on'; exit 3")
WORKER = """
import os, signal, sys, time
if os.path.exists('/tmp/ill'): os.remove('/tmp/ill')
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print('ready', flush=True)
while not os.path.exists('/tmp/ill'): time.sleep(0.1)
kept = []
while True: {ill}
"""
EATS = ("python", "-c", WORKER.format(ill="kept.append(bytearray(os.urandom(1)) * 4_000_000)"))
LEAKS = ("python", "-c", WORKER.format(ill="kept.append(bytearray(b'x') * 1_000_000); time.sleep(0.5)"))
BURNS = ("python", "-c", WORKER.format(ill="kept.clear()"))

SETTINGS = {
    "AEGIS_SENSE_SECONDS": "1", "AEGIS_STABILITY_SECONDS": "3", "AEGIS_COOLDOWN_SECONDS": "2",
    "AEGIS_APPROVAL_SECONDS": "1",  # nobody is there to answer
}  # fmt: skip


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    return ward.agent(tmp_path_factory.mktemp("agent"), **SETTINGS)


@pytest.fixture(scope="module")
def patients(ward: Ward, agent: ServedAgent) -> dict[str, Patient]:
    memory = ("--memory=64m", "--memory-swap=64m")
    admitted = {
        "crashed": ward.admit(OPTED_IN, command=SHELL),
        "moved over": ward.admit("--label=autoheal=true", command=SHELL),
        "unhealthy": ward.admit(OPTED_IN, *HEALTH, command=HANGS),
        "killed": ward.admit(OPTED_IN, *memory, command=EATS),
        "leaking": ward.admit(OPTED_IN, *memory, command=LEAKS),
        "burning": ward.admit(OPTED_IN, "--cpus=0.2", "--label=aegis.for=4s", command=BURNS),
        "stranger": ward.admit(command=SHELL),
        "forbidden": ward.admit("--label=aegis.enable=false", "--label=autoheal=true", *HEALTH, command=HANGS),
    }
    for patient in admitted.values():
        until(lambda one=patient: "ready" in one.log(), f"{patient.name} to be ready")
        until(lambda one=patient: agent.seen(one.name), f"the agent to see {patient.name}")
    for patient in admitted.values():
        docker("exec", patient.name, "touch", "/tmp/ill")
    admitted["looping"] = ward.admit(OPTED_IN, "--restart=always", command=LOOPS)
    return admitted


@pytest.mark.parametrize(
    ("who", "fault", "category"),
    [
        ("crashed", "crashed", "app_crash_bug"),
        ("moved over", "crashed", "app_crash_bug"),
        ("unhealthy", "unhealthy", "app_crash_bug"),
        ("killed", "oom_killed", "oom"),
        ("leaking", "memory_pressure", "oom"),
        ("burning", "cpu_saturation", "cpu_saturation"),
    ],
)
def test_it_is_seen_named_right_and_healed_by_one_restart(
    agent: ServedAgent, patients: dict[str, Patient], who: str, fault: str, category: str
) -> None:
    patient = patients[who]
    incident = agent.closed(container_name=patient.name, fault=fault)
    assert (incident["status"], incident["action"], incident["category"]) == ("RESOLVED", "RESTART", category), incident
    assert patient.restarts() == 1
    assert patient.state["Running"]


def test_the_leak_was_ended_before_the_kernel_did(agent: ServedAgent, patients: dict[str, Patient]) -> None:
    agent.closed(container_name=patients["leaking"].name)
    assert "oom" not in patients["leaking"].happened("oom")


def test_a_crash_loop_is_named_so_and_not_taken_for_healed(agent: ServedAgent, patients: dict[str, Patient]) -> None:
    incident = until(lambda: agent.incidents(container_name=patients["looping"].name), "the loop to be noticed")[-1]
    assert incident["fault"] == "crash_loop"
    closed = agent.closed(container_name=patients["looping"].name, fault="crash_loop")
    assert closed["status"] == "FAILED", closed


@pytest.mark.parametrize("who", ["stranger", "forbidden"])
def test_who_did_not_opt_in_is_never_touched(agent: ServedAgent, patients: dict[str, Patient], who: str) -> None:
    for other in ("crashed", "unhealthy"):
        agent.closed(container_name=patients[other].name)
    assert agent.incidents(container_name=patients[who].name) == []
    assert patients[who].restarts() == 0
