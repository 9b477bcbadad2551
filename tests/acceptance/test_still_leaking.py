"""A container that answers 200 and is full again right after its start: an answer is no proof while the trouble lasts.

Both stories go on at once in one agent, by its own rules: one never ends, the other with the second restart.
"""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from .served_agent import ServedAgent, free_port, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

LIMIT_MIB = 64
FILL_MIB = 48  # with the interpreter itself more than 85 % of the limit, and less than all of it
PROGRAM = f"""
import http.server, pathlib, sys
port, full_starts = map(int, sys.argv[1:])
count = pathlib.Path("/starts")  # in the writable layer, which outlives a restart
starts = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(starts))
leak = b"x" * ({FILL_MIB} * 2**20 if starts <= full_starts else 1)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", port), Health).serve_forever()
"""
ALWAYS = 1_000


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    settings = {"AEGIS_STABILITY_SECONDS": "2", "AEGIS_COOLDOWN_SECONDS": "0.5", "AEGIS_APPROVAL_SECONDS": "1"}
    return ward.agent(tmp_path_factory.mktemp("agent"), **settings)


@pytest.fixture(scope="module")
def incidents(ward: Ward, agent: ServedAgent) -> dict[int, tuple[Patient, str]]:
    """Patients that are full for so many starts, each with its incident, all begun."""
    begun: dict[int, tuple[Patient, str]] = {}
    for full_starts in (ALWAYS, 2):
        patient = leaking(ward, full_starts)
        begun[full_starts] = (patient, agent.report(patient.name, "memory_pressure"))
    return begun


def leaking(ward: Ward, full_starts: int) -> Patient:
    port = free_port()
    limits = (f"--memory={LIMIT_MIB}m", f"--memory-swap={LIMIT_MIB}m", "--network=host", "--stop-timeout=0")
    url = f"--label=aegis.health_url=http://127.0.0.1:{port}/"
    patient = ward.admit(OPTED_IN, url, *limits, command=("python", "-u", "-c", PROGRAM, str(port), str(full_starts)))
    until(lambda: urlopen(f"http://127.0.0.1:{port}", timeout=5).status == 200, "it to answer")
    return patient


def judgements(agent: ServedAgent, incident_id: str) -> list[dict[str, bool]]:
    told = [one["data"]["judgement"]["conditions"] for one in agent.events(incident_id) if one["type"] == "Verified"]
    return [{condition["name"]: condition["holds"] for condition in conditions} for conditions in told]


def test_what_answers_and_leaks_on_is_never_taken_for_healed(
    agent: ServedAgent, incidents: dict[int, tuple[Patient, str]]
) -> None:
    patient, incident_id = incidents[ALWAYS]

    incident = agent.closed(incident_id=incident_id)

    assert incident["status"] == "FAILED", incident
    assert patient.restarts() == incident["attempts"] == 2  # after two in vain a person is asked, and nobody is there
    for judged in judgements(agent, incident_id):
        assert judged["health URL answers 200"]
        assert not judged["memory_pressure is gone"]
    assert not incident["lesson"]["verified_healthy"]


def test_it_is_healed_only_when_the_memory_is_back(
    agent: ServedAgent, incidents: dict[int, tuple[Patient, str]]
) -> None:
    patient, incident_id = incidents[2]

    incident = agent.closed(incident_id=incident_id)

    assert incident["status"] == "RESOLVED", incident
    assert patient.restarts() == incident["attempts"] == 2
    first, second = judgements(agent, incident_id)
    assert [name for name, holds in first.items() if not holds] == ["memory_pressure is gone"]
    assert all(second.values())
    assert incident["lesson"]["verified_healthy"]
