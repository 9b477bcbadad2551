"""One decision, one effect: whenever the agent is killed, the next one goes on where it was.

Docker's own events say how often the container was started; that is the judge, not Aegis.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.small_containers import DEAF, OBEDIENT

from .ward import Ward

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
COMMITS = (
    "SignalReceived",
    "EvidenceGathered",
    "Diagnosed",
    "Decided",
    "ActionIntended",
    "ActionExecuted",
    "Verified",
)
POINTS = [f"{when}:{what}" for what in COMMITS for when in ("before", "after")] + ["before:apply", "after:apply"]


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


def command(ward: Ward, data: Path, target: str, point: str) -> list[str]:
    return [sys.executable, "-m", "tests.acceptance.dying_agent", ward.engine.url, str(data), target, point]


def agent(ward: Ward, data: Path, target: str, point: str) -> int:
    """Run the agent until it dies or the incident is closed; returns its exit code."""
    return subprocess.run(
        command(ward, data, target, point), cwd=ROOT, timeout=120, check=False, capture_output=True
    ).returncode


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_agent_is_taken_up_where_it_was_and_restarts_once(point: str, ward: Ward, tmp_path: Path) -> None:
    patient = ward.admit(command=OBEDIENT)
    assert agent(ward, tmp_path, patient.name, point) == -9
    assert agent(ward, tmp_path, patient.name, "never") == 0
    assert patient.restarts() == 1
    assert patient.state["Running"]
    entries = json.loads((tmp_path / "runbook.json").read_text())["entries"]
    assert [one["verified_healthy"] for one in entries if one["incident_id"] == "one"] == [True]


def test_a_kill_inside_a_slow_stop_leads_to_one_restart(ward: Ward, tmp_path: Path) -> None:
    """The container ignores SIGTERM: the engine is still stopping it when the next agent looks."""
    patient = ward.admit("--stop-timeout=6", command=DEAF)
    never = command(ward, tmp_path, patient.name, "never")
    first = subprocess.Popen(never, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not patient.is_told_of("kill"):
        assert first.poll() is None, "the agent ended before it had stopped anything"
    first.kill()
    first.wait()
    assert patient.restarts() == 0, "the kill came too late to test anything"
    assert agent(ward, tmp_path, patient.name, "never") == 0
    assert patient.restarts() == 1
    assert patient.state["Running"]
