"""Killed anywhere in the middle of a SCALE_UP or a ROLLBACK, or of taking one back: finished or restored, once.

The engine's own record says what happened; that is the judge, not Aegis.
"""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.releases import SqlReleases
from aegis_core.domain.release import Release
from tests.integration.small_containers import docker

from .changes import WELL, all_of, build, deploy, inspected
from .served_agent import until
from .ward import Patient, Ward

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
MIB = 2**20
FREE = ("--label=aegis.actions=restart,scale_up,rollback", "--label=aegis.max_memory=1g", "--stop-timeout=1")
RUNS = "trap 'exit 0' TERM; echo ready $RELEASE; sleep 600 & wait"
EATS = "python3 -c 'kept = bytearray(60_000_000); kept[::4096] = b\"x\" * len(kept[::4096])'; exit 7"
THERE = ["create", "rename new", "update", "stop", "rename old", "rename new", "start", "remove old"]
BACK = [
    *THERE[:-1], "rename old", "update", "stop", "rename new", "rename old", "start", "remove new",
]  # fmt: skip


def points(calls: list[str]) -> list[str]:
    """Before the first call, and after each: between two calls nothing happens on the engine."""
    return ["before:1", *(f"after:{number}" for number in range(1, len(calls) + 1))]


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def tag(ward: Ward) -> Iterator[str]:
    name = f"aegis-release-{uuid.uuid4().hex[:8]}"
    build(f"{name}:1", 1, WELL)
    build(f"{name}:2", 2, RUNS)
    yield name
    left = docker("ps", "--all", "--quiet", f"--filter=label={ward.label}").split()
    if left:
        docker("rm", "--force", "--volumes", *left)
    docker("rmi", "--force", f"{name}:1", f"{name}:2")


def agent(ward: Ward, data: Path, target: str, action: str, point: str) -> int:
    """Run the agent until it dies or the incident is closed; returns its exit code.

    It watches all that it sees, which is the ward: what opted in might be healed by the agents of other tests as well.
    """
    told = (ward.engine.url, str(data), target, action, point)
    command = [sys.executable, "-m", "tests.acceptance.dying_change", *told]
    ended = subprocess.run(command, cwd=ROOT, timeout=120, check=False, capture_output=True, text=True)
    assert ended.returncode in {0, -9}, ended.stdout + ended.stderr
    return ended.returncode


def remembers(data: Path, patient: Patient, tag: str) -> None:
    """The agent's store knows that release 1 was well."""
    data.mkdir(exist_ok=True)
    with Database(f"sqlite:///{data / 'aegis.db'}") as database:
        image_id = docker("image", "inspect", "--format={{.Id}}", f"{tag}:1")
        known = Release(target=patient.name, image_id=image_id, image=f"{tag}:1", verified_at=datetime.now(UTC))
        SqlReleases(database).note(known)


def two_ran_at_once(ward: Ward, patient: Patient) -> bool:
    """Whether a container of the patient's name, or one kept ready or aside, was started while another ran."""
    running: set[str] = set()
    for one in ward.record():
        if not str(one["Actor"]["Attributes"].get("name")).startswith(patient.name):
            continue
        if one["Action"] == "die":
            running.discard(one["id"])
        if one["Action"] == "start":
            running.add(one["id"])
        if len(running) > 1:
            return True
    return False


@pytest.mark.parametrize("point", points(THERE))
def test_a_rollback_is_finished_by_the_next_agent(point: str, ward: Ward, tag: str, tmp_path: Path) -> None:
    patient = deploy(ward, f"{tag}:2", *FREE, "--restart=always")
    old = patient.id
    remembers(tmp_path, patient, tag)

    assert agent(ward, tmp_path, patient.name, "ROLLBACK", point) == -9
    assert agent(ward, tmp_path, patient.name, "ROLLBACK", "never") == 0

    assert all_of(patient) == {patient.name: "running"}
    now = inspected(patient.name)
    assert (now["Config"]["Image"], now["RestartCount"]) == (f"{tag}:1", 0)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert patient.happened("start", of=now["Id"]) == ["start"]
    assert now["Id"] != old
    assert not two_ran_at_once(ward, patient)
    docker("rm", "--force", patient.name)


@pytest.mark.parametrize("point", points(BACK))
def test_a_rollback_that_does_not_help_is_taken_back_by_the_next_agent(
    point: str, ward: Ward, tag: str, tmp_path: Path
) -> None:
    """What release 1 finds in its data makes it crash: release 2 runs again as it did."""
    volume = f"{tag}-{uuid.uuid4().hex[:8]}"
    patient = deploy(ward, f"{tag}:2", *FREE, f"--volume={volume}:/data", "--restart=unless-stopped")
    docker("exec", patient.name, "touch", "/data/spoilt")
    old = inspected(patient.name)
    remembers(tmp_path, patient, tag)

    assert agent(ward, tmp_path, patient.name, "ROLLBACK", point) == -9
    assert agent(ward, tmp_path, patient.name, "ROLLBACK", "never") == 0

    assert all_of(patient) == {patient.name: "running"}
    now = inspected(patient.name)
    assert now["Id"] == old["Id"]
    assert now["HostConfig"] == old["HostConfig"]
    assert not two_ran_at_once(ward, patient)
    docker("rm", "--force", patient.name)
    docker("volume", "rm", volume)


@pytest.mark.parametrize("point", points(["update", "start"]))
def test_more_memory_is_given_once_and_what_was_killed_is_started_once(
    point: str, ward: Ward, tag: str, tmp_path: Path
) -> None:
    """The first time it needs more than it has; then its folder says that it is content with less."""
    program = f"[ -e /again ] || {{ touch /again; {EATS}; }}; sleep 600 & wait"
    patient = ward.admit(*FREE, "--memory=32m", "--memory-swap=32m", command=("sh", "-c", program))
    until(lambda: not patient.state["Running"], "the kernel to kill it")

    assert agent(ward, tmp_path, patient.name, "SCALE_UP", point) == -9
    assert agent(ward, tmp_path, patient.name, "SCALE_UP", "never") == 0

    limits = inspected(patient.name)["HostConfig"]
    assert (limits["Memory"], limits["MemorySwap"]) == (48 * MIB, 48 * MIB)
    assert patient.state["Running"]
    assert patient.restarts() == 1
