"""The engine's reply to the restart does not arrive: Aegis looks what has become of it before it acts again."""

from collections.abc import Iterator

import pytest

from tests.integration.flaky_engine import Fault

from .served_agent import ServedAgent
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    return ward.agent(tmp_path_factory.mktemp("agent"), AEGIS_DOCKER_TIMEOUT_SECONDS="3", **ward.sure_of("RESTART"))


def asked_to_restart(ward: Ward, patient: Patient) -> int:
    return ward.engine.calls.count(f"POST /containers/{patient.id}/restart")


@pytest.mark.parametrize("fault", [Fault.DROP_REPLY, Fault.CUT])
def test_a_lost_reply_does_not_restart_twice(fault: Fault, ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(OPTED_IN)
    ward.engine.spoil(f"POST /containers/{patient.id}/restart", fault)

    incident = agent.closed(incident_id=agent.report(patient.name))

    assert incident["status"] == "RESOLVED", incident
    broken = [one["data"] for one in agent.events(incident["incident_id"]) if one["type"] == "StageFailed"]
    assert [one["stage"] for one in broken] == ["remediate"]
    assert "may have happened" in broken[0]["reason"]
    assert asked_to_restart(ward, patient) == 1
    assert patient.restarts() == 1
    assert incident["attempts"] == 1


def test_a_restart_that_the_engine_never_heard_of_is_asked_for_once_more(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(OPTED_IN)
    ward.engine.spoil(f"POST /containers/{patient.id}/restart", Fault.RESET, times=1)

    incident = agent.closed(incident_id=agent.report(patient.name))

    assert incident["status"] == "RESOLVED", incident
    assert asked_to_restart(ward, patient) == 2
    assert patient.restarts() == 1
    assert incident["attempts"] == 1
