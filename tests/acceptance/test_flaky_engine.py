"""An engine on a bad day: it answers with errors, breaks connections off or hangs, for a while or for good.

All cases go on at once in one agent, each with its own container and its own fault, because what fails is tried again
after growing pauses: half a minute in all.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.integration.flaky_engine import Fault

from .served_agent import ServedAgent, until
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

FAULTS: tuple[Fault | int, ...] = (500, 409, Fault.RESET, Fault.HANG)
FOR_GOOD = 1_000_000
A_WHILE = 2
SHORT, LONG = 30.0, 75.0  # seconds; six tries with pauses of 1+2+4+8+16 s, and time limits of a second or two


class Case(NamedTuple):
    """Which calls about the container fail, how, and how often."""

    calls: str
    fault: Fault | int
    times: int

    def __str__(self) -> str:
        often = "for-good" if self.times == FOR_GOOD else f"{self.times}x"
        return f"{self.calls}-{getattr(self.fault, 'name', self.fault)}-{often}"


class Trial(NamedTuple):
    """A case under way."""

    patient: Patient
    incident_id: str


PASSING = [Case(calls, fault, A_WHILE) for calls in ("inspect", "restart") for fault in FAULTS]
LASTING = [Case(calls, fault, FOR_GOOD) for calls in ("inspect", "restart") for fault in FAULTS]
REASONS = {
    "inspect": "Given up after 6 tries to investigate: inspecting",
    "restart": "6 tries to remediate: restarting",
}


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    return ward.agent(tmp_path_factory.mktemp("agent"), AEGIS_DOCKER_TIMEOUT_SECONDS="1", **ward.sure_of("RESTART"))


def inspecting(patient: Patient) -> str:
    return f"GET /containers/({patient.id}|{patient.name})/json"


def restarting(patient: Patient) -> str:
    return f"POST /containers/{patient.id}/restart"


@pytest.fixture(scope="module")
def trials(ward: Ward, agent: ServedAgent) -> dict[Case, Trial]:
    """All cases, begun."""
    trials: dict[Case, Trial] = {}
    for case in (*LASTING, *PASSING):  # those that take the longest first
        patient = ward.admit(OPTED_IN, "--stop-timeout=1")
        calls = {"inspect": inspecting(patient), "restart": restarting(patient)}[case.calls]
        ward.engine.spoil(calls, case.fault, case.times)
        trials[case] = Trial(patient, agent.report(patient.name))
    return trials


@pytest.mark.parametrize("case", PASSING, ids=str)
def test_what_passes_is_waited_for_and_ends_in_one_restart(
    case: Case, agent: ServedAgent, trials: dict[Case, Trial]
) -> None:
    patient, incident_id = trials[case]

    incident = agent.closed(incident_id=incident_id)

    assert incident["status"] == "RESOLVED", incident
    assert incident["seconds"] < SHORT
    assert (incident["attempts"], patient.restarts()) == (1, 1)


@pytest.mark.parametrize("fault", [500, Fault.HANG], ids=str)
def test_a_restart_that_cannot_be_looked_at_for_a_while_is_not_repeated(
    fault: Fault | int, ward: Ward, agent: ServedAgent, trials: dict[Case, Trial]
) -> None:
    """Its reply is lost, and what has become of it cannot be seen either."""
    patient = ward.admit(OPTED_IN, "--stop-timeout=1")
    ward.engine.spoil(restarting(patient), Fault.DROP_REPLY)
    incident_id = agent.report(patient.name)
    until(lambda: restarting(patient) in ward.engine.calls, "the restart to be asked for")
    ward.engine.spoil(inspecting(patient), fault)

    until(lambda: any("inspecting" in reason for reason in broken(agent, incident_id)), "a look at it to fail")
    ward.engine.mend(inspecting(patient))
    incident = agent.closed(incident_id=incident_id)

    assert "may have happened" in broken(agent, incident_id)[0]
    assert incident["status"] == "RESOLVED", incident
    assert incident["seconds"] < SHORT
    assert (incident["attempts"], patient.restarts()) == (1, 1)


def broken(agent: ServedAgent, incident_id: str) -> list[str]:
    return [one["data"]["reason"] for one in agent.events(incident_id) if one["type"] == "StageFailed"]


@pytest.mark.parametrize("case", LASTING, ids=str)
def test_what_lasts_is_given_up_with_the_reason_and_without_a_restart(
    case: Case, agent: ServedAgent, trials: dict[Case, Trial]
) -> None:
    patient, incident_id = trials[case]

    incident = agent.closed(incident_id=incident_id)

    assert incident["status"] == "FAILED", incident
    assert REASONS[case.calls] in incident["error"]
    assert incident["seconds"] < LONG
    assert patient.restarts() == 0
