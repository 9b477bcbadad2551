"""The stream of the engine's events is cut while a container dies: the list finds it, within one interval."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.integration.flaky_engine import Fault
from tests.integration.small_containers import docker

from .served_agent import ServedAgent, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

LISTED = 5.0  # seconds between two lists
SUBSCRIBING = r"^GET /events\?(?!.*until=)"  # with an end it is a question about the past
DIES_ON_DEMAND = ("sh", "-c", "echo ready; while [ ! -e /die ]; do sleep 0.1; done; rm /die; exit 3")


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    settings = {"AEGIS_SENSE_SECONDS": str(LISTED), **ward.sure_of("RESTART")}
    return ward.agent(tmp_path_factory.mktemp("agent"), **settings)


def dies(patient: Patient) -> datetime:
    """Let it die; returns when it did."""
    docker("exec", patient.name, "touch", "/die")
    until(lambda: patient.happened("die"), "its end")
    return datetime.fromisoformat(patient.state["FinishedAt"])


@pytest.mark.parametrize("fault", [500, Fault.HANG])
def test_what_dies_while_the_stream_is_cut_is_an_incident_within_one_list_and_healed(
    fault: Fault | int, ward: Ward, agent: ServedAgent
) -> None:
    patient = ward.admit(OPTED_IN, command=DIES_ON_DEMAND)
    ward.engine.spoil(SUBSCRIBING, fault)
    try:
        ward.engine.hang_up()
        died = dies(patient)
        incident = agent.closed(container_name=patient.name)

        waited = datetime.fromisoformat(incident["opened_at"]) - died
        assert incident["alert_type"] == "crashed", incident
        assert timedelta(0) < waited <= timedelta(seconds=LISTED + 2.5), "a list, and a second look a second later"
        assert incident["status"] == "RESOLVED", incident
        assert patient.restarts() == 1
    finally:
        ward.engine.mend()


def test_what_has_died_while_the_stream_was_cut_is_told_as_soon_as_it_is_back(ward: Ward, agent: ServedAgent) -> None:
    patient = ward.admit(OPTED_IN, command=DIES_ON_DEMAND)
    ward.engine.spoil(SUBSCRIBING, 500)
    ward.engine.hang_up()
    died = dies(patient)
    ward.engine.mend()

    incident = agent.closed(container_name=patient.name)

    waited = datetime.fromisoformat(incident["opened_at"]) - died
    assert waited < timedelta(seconds=LISTED / 2), "sooner than by the list"
    assert incident["status"] == "RESOLVED", incident
