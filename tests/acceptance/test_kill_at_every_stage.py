"""One decision, one effect: whenever the agent is killed, the next one goes on where it was.

Docker's own events say how often the container was started; that is the judge, not Aegis.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.small_containers import DEAF, OBEDIENT, SmallContainer, running

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


def agent(data: Path, target: str, point: str) -> int:
    """Run the agent until it dies or the incident is closed; returns its exit code."""
    command = [sys.executable, "-m", "tests.acceptance.dying_agent", str(data), target, point]
    return subprocess.run(command, cwd=ROOT, timeout=120, check=False, capture_output=True).returncode


def restarts(container: SmallContainer) -> int:
    return container.events("start").count("start") - 1


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_agent_is_taken_up_where_it_was_and_restarts_once(point: str, tmp_path: Path) -> None:
    with running("--label=aegis.enable=true", command=OBEDIENT) as container:
        assert agent(tmp_path, container.name, point) == -9
        assert agent(tmp_path, container.name, "never") == 0
        assert restarts(container) == 1
        assert container.state["Running"]
    entries = json.loads((tmp_path / "runbook.json").read_text())["entries"]
    assert [one["verified_healthy"] for one in entries if one["incident_id"] == "one"] == [True]


def test_a_kill_inside_a_slow_stop_leads_to_one_restart(tmp_path: Path) -> None:
    """The container ignores SIGTERM: the engine is still stopping it when the next agent looks."""
    with running("--label=aegis.enable=true", "--stop-timeout=6", command=DEAF) as container:
        command = [sys.executable, "-m", "tests.acceptance.dying_agent", str(tmp_path), container.name, "never"]
        first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while "kill" not in container.events("kill"):
            assert first.poll() is None, "the agent ended before it had stopped anything"
        first.kill()
        first.wait()
        assert restarts(container) == 0, "the kill came too late to test anything"
        assert agent(tmp_path, container.name, "never") == 0
        assert restarts(container) == 1
        assert container.state["Running"]
