"""The same trouble again and again: what healed it three times is done without a question, until it fails once."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.llm_servers import Server, answer, openai_server, says

from .conftest import BOTH
from .served_agent import ServedAgent, free_port, until
from .ward import OPTED_IN, Ward

# It is well until the file `ill` appears; where `broken` lies beside it, a start does not mend it.
WORKER = """
import sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
ill, broken = Path(sys.argv[1], "ill"), Path(sys.argv[1], "broken")
ill.unlink(missing_ok=True)
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if ill.exists() or broken.exists() else 200)
        self.end_headers()
    def log_message(self, *_): pass
def watch():
    while not ill.exists() and not broken.exists(): time.sleep(0.05)
    print(f"ERROR lost my place at {time.time()}", flush=True)
threading.Thread(target=watch, daemon=True).start()
print("INFO ready", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[2])), Health).serve_forever()
"""
SETTINGS = {
    "AEGIS_LOG_LEVEL": "INFO",
    "AEGIS_COOLDOWN_SECONDS": "0",
    "AEGIS_DEBOUNCE_SECONDS": "0",
    "AEGIS_SENSE_SECONDS": "0.3",
    "AEGIS_STABILITY_SECONDS": "1",
    "AEGIS_VERIFY_ATTEMPTS": "2",
    "AEGIS_VERIFY_WAIT_SECONDS": "0.3",
    "AEGIS_VERIFY_LIMIT_SECONDS": "20",
    "AEGIS_MAX_ATTEMPTS": "1",
    "AEGIS_QUARANTINE_SECONDS": "0",
}


class Patient:
    """A worker that can be made ill, and beyond repair, by files in a folder; and the agent that looks after it."""

    def __init__(self, name: str, folder: Path, agent: ServedAgent) -> None:
        self.name, self.folder, self.agent = name, folder, agent

    def touch(self, name: str) -> None:
        (self.folder / name).touch()

    def mend(self) -> None:
        (self.folder / "broken").unlink()


def child(folder: Path, settings: dict[str, str]) -> Patient:
    """The worker as a child process of the agent."""
    (folder / "worker.py").write_text(WORKER)
    port = free_port()
    command = f'command = ["{{python}}", "{folder / "worker.py"}", "{folder}", "{port}"]'
    health = f'health_url = "http://127.0.0.1:{port}/"\nhealth_interval = 0.3\nhealth_retries = 2'
    targets = folder / "targets.toml"
    targets.write_text(f'[targets.worker]\n{command}\n{health}\nlabels = {{ "aegis.enable" = "true" }}\n')
    runtime = {"AEGIS_RUNTIME": "process", "AEGIS_PROCESSES": str(targets)}
    return Patient("worker", folder, ServedAgent(folder, {**settings, **runtime}))


def container(ward: Ward, folder: Path, settings: dict[str, str]) -> Patient:
    """The worker in a container; its files lie in a folder of the host."""
    work = folder / "worker"
    work.mkdir()
    well = "--health-cmd=test ! -e /work/ill -a ! -e /work/broken"
    health = (well, "--health-interval=500ms", "--health-retries=2", "--health-timeout=5s")
    options = (OPTED_IN, f"--volume={work}:/work", "--stop-timeout=1", *health)
    name = ward.admit(*options, command=("python", "-c", WORKER, "/work", "8000")).name
    agent = ServedAgent(folder, {**settings, "AEGIS_RUNTIME": "docker", "AEGIS_DOCKER_HOST": ward.engine.url})
    return Patient(name, work, agent)


@contextmanager
def opened(runtime: str, folder: Path, settings: dict[str, str]) -> Iterator[Patient]:
    with ExitStack() as stack:
        if runtime == "docker":
            patient = container(stack.enter_context(Ward()), folder, settings)
        else:
            patient = child(folder, settings)
        stack.callback(patient.agent.stop_agent)
        patient.agent.serve()
        yield patient


@pytest.fixture
def model() -> Iterator[Server]:
    with openai_server(says(answer(action="RESTART", category="app_crash_bug", confidence=0.9))) as server:
        yield server


@pytest.fixture(params=BOTH)
def patient(request: pytest.FixtureRequest, model: Server, tmp_path: Path) -> Iterator[Patient]:
    if request.param == "docker":
        request.getfixturevalue("engine")
    brain = {"AEGIS_LLM_BASE_URL": f"{model.url}/v1", "AEGIS_LLM_API_KEY": "of-the-test"}
    with opened(request.param, tmp_path, {**SETTINGS, **brain}) as patient:
        yield patient


def ended(patient: Patient, number: int) -> dict[str, Any]:
    """Wait for the incident of this number to end and its lesson to be in the runbook; returns it whole."""
    agent = patient.agent

    def last() -> dict[str, Any] | None:
        found = agent.incidents(container_name=patient.name)
        return found[0] if len(found) == number and found[0]["closed_at"] else None

    brief = until(last, f"incident {number} to end; there are {agent.incidents()}")
    name = brief["incident_id"]
    until(lambda: any(one["incident_id"] == name for one in agent.ask("/runbook")["entries"]), "its lesson")
    return agent.ask(f"/incidents/{name}")


def falls_ill(patient: Patient, number: int, mark: str = "ill") -> dict[str, Any]:
    healthy = {"run": "running", "health": "healthy"}
    until(lambda: healthy.items() <= (patient.agent.seen(patient.name) or {}).items(), "it to be well")
    patient.touch(mark)
    return ended(patient, number)


def reflexes(patient: Patient) -> int:
    return sum(row["reflexes"] for row in patient.agent.ask("/trust")["items"])


def test_after_three_heals_the_model_is_not_asked_any_more_until_one_fails(patient: Patient, model: Server) -> None:
    agent = patient.agent
    for number in (1, 2, 3):
        assert reflexes(patient) == 0
        incident = falls_ill(patient, number)
        assert (incident["status"], incident["source"]) == ("RESOLVED", "cloud"), incident
        assert len(model.requests) == number

    assert reflexes(patient) == 1
    taught = incident["incident_id"]
    for number in (4, 5):
        incident = falls_ill(patient, number)
        assert (incident["status"], incident["source"], incident["action"]) == ("RESOLVED", "runbook", "RESTART"), (
            incident
        )
        assert len(model.requests) == 3
        assert incident["analysis"]["model"] == f"lesson {taught}"
        assert set(incident["analysis"]["evidence"]) <= {line["text"] for line in incident["evidence_lines"]}
        assert any("lost my place" in cited for cited in incident["analysis"]["evidence"])
        taught = incident["incident_id"]
        until(lambda number=number: f"It is the {number}th time" in agent.log(), "people to be told that it recurs")

    incident = falls_ill(patient, 6, "broken")
    assert (incident["status"], incident["source"]) == ("FAILED", "runbook"), incident
    assert len(model.requests) == 3
    assert reflexes(patient) == 0

    patient.mend()
    incident = falls_ill(patient, 7)
    assert (incident["status"], incident["source"]) == ("RESOLVED", "cloud"), incident
    assert len(model.requests) == 4
    assert reflexes(patient) == 0, "it has to be earned anew"
