"""SCALE_UP, ROLLBACK and taking them back on the embedded runtime: a real agent and real child processes."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.integration.llm_servers import answer, openai_server, says

from .served_agent import ServedAgent, until

MIB = 2**20
NAME = "shop"
FREE = {"aegis.enable": "true", "aegis.actions": "restart,scale_up,rollback", "aegis.max_memory": "256m"}
SETTINGS = {
    "AEGIS_RUNTIME": "process", "AEGIS_SENSE_SECONDS": "0.5", "AEGIS_STABILITY_SECONDS": "1",
    "AEGIS_VERIFY_WAIT_SECONDS": "0.3", "AEGIS_COOLDOWN_SECONDS": "1", "AEGIS_DEBOUNCE_SECONDS": "0",
}  # fmt: skip
WELL = (
    "import time, pathlib; print('release 1', flush=True); assert not pathlib.Path('spoilt').exists(); time.sleep(600)"
)
CRASHES = "import sys; print('release 2', flush=True); sys.exit(3)"
SPOILS = "import sys, pathlib; pathlib.Path('spoilt').touch(); sys.exit(3)"
EATS = "import time; kept = bytearray({}); kept[::4096] = b'x' * len(kept[::4096]); print('up'); time.sleep(600)"


class House(ServedAgent):
    """An agent with one child process, and with a model that is sure of one action."""

    def __init__(self, folder: Path, action: str) -> None:
        self._opened = ExitStack()
        server = self._opened.enter_context(openai_server(says(answer(action=action, confidence=0.99))))
        brain = {"AEGIS_LLM_BASE_URL": f"{server.url}/v1", "AEGIS_LLM_API_KEY": "of-the-test"}
        self.file = folder / "processes.toml"
        super().__init__(folder, {**SETTINGS, **brain, "AEGIS_PROCESSES": str(self.file)})

    def describe(self, program: str, **known: Any) -> None:
        target = {"command": [sys.executable, "-c", program], "labels": FREE, "stop_timeout": 1.0, **known}
        self.file.write_text(tomli_w.dumps({"targets": {NAME: target}}), encoding="utf-8")

    def deploy(self, program: str) -> None:
        """Another command in the file, and the agent anew: so is a release made here."""
        self.stop_agent()
        self.describe(program)
        self.serve()

    def target(self) -> dict[str, Any]:
        found = until(lambda: self.seen(NAME), "the target to be seen")
        return dict(found)

    def approve(self) -> str:
        """Say yes as soon as somebody is asked; returns the id of the incident."""
        waiting = until(lambda: self.incidents(container_name=NAME, status="AWAITING_APPROVAL"), "the question")[0]
        self.post({"by": "ann"}, f"/incidents/{waiting['incident_id']}/approve")
        return str(waiting["incident_id"])

    def close(self) -> None:
        self.stop_agent()
        self._opened.close()


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path, request.param)
    yield one
    one.close()


def verified(house: House) -> None:
    """The first release, until it has proven itself."""
    house.describe(WELL)
    house.serve()
    until(lambda: "a release has proven itself" in house.log(), "release 1 to have proven itself", 30)


@pytest.mark.parametrize("house", ["ROLLBACK"], indirect=True)
def test_a_command_that_crashes_makes_room_for_the_one_that_ran_healthily(house: House) -> None:
    verified(house)
    house.deploy(CRASHES)

    incident = house.closed(incident_id=house.approve())

    assert (incident["status"], incident["action"]) == ("RESOLVED", "ROLLBACK"), incident
    assert house.target()["run"] == "running"
    house.stop_agent()
    house.serve()
    until(lambda: house.target()["run"] == "running", "the good command to run with the next agent as well")
    assert len(house.incidents(container_name=NAME)) == 1


@pytest.mark.parametrize("house", ["ROLLBACK"], indirect=True)
def test_a_command_that_helps_no_more_is_taken_back(house: House) -> None:
    verified(house)
    house.deploy(SPOILS)

    incident = house.closed(incident_id=house.approve())

    assert (incident["status"], incident["attempts"]) == ("FAILED", 1), incident
    assert incident["error"] == "ROLLBACK was tried already, did not help, and was taken back."
    assert "Undone" in [one["type"] for one in house.events(incident["incident_id"])]
    assert house.target()["run"] == "exited"


@pytest.mark.parametrize("house", ["SCALE_UP"], indirect=True)
def test_what_was_killed_for_its_memory_gets_more_and_keeps_it(house: House) -> None:
    house.describe(EATS.format(60 * MIB), memory_limit_mb=50)
    house.serve()

    incident = house.closed(container_name=NAME, fault="oom_killed")

    assert (incident["status"], incident["action"]) == ("RESOLVED", "SCALE_UP"), incident
    target = house.target()
    assert (target["run"], target["limits"]["memory_bytes"]) == ("running", 75 * MIB)


@pytest.mark.parametrize("house", ["SCALE_UP"], indirect=True)
def test_what_needs_still_more_gets_its_old_limit_back(house: House) -> None:
    house.describe(EATS.format(200 * MIB), memory_limit_mb=50)
    house.serve()

    incident = house.closed(container_name=NAME, fault="oom_killed")

    assert (incident["status"], incident["attempts"]) == ("FAILED", 1), incident
    assert "Undone" in [one["type"] for one in house.events(incident["incident_id"])]
    until(lambda: house.target()["limits"]["memory_bytes"] == 50 * MIB, "the old limit to be seen", 20)
