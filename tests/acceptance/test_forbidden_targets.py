"""What Aegis never touches, however sure its brain is: itself, what it was told by name, and who did not opt in."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from .served_agent import ServedAgent, until
from .ward import IDLE, OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

ALL, LABELED = "all", "labeled"  # AEGIS_WATCH
CRASHED = ("sh", "-c", "exit 3")
OWN = f"aegis-own-{uuid.uuid4().hex[:8]}"
ITSELF, STRANGER = "is part of Aegis itself and is never acted on", "has not opted in (label aegis.enable=true)"


class Forbidden(NamedTuple):
    """Why it is forbidden, what the agent watches, the labels of the target, and what the agent must say."""

    why: str
    watch: str
    labels: tuple[str, ...]
    reason: str

    def admit(self, ward: Ward, command: tuple[str, ...] = IDLE) -> Patient:
        name = f"{OWN}-{'crashed' if command == CRASHED else 'idle'}" if self.why == "its name is Aegis' own" else None
        return ward.admit(*(f"--label={label}" for label in self.labels), command=command, name=name)


FORBIDDEN = [
    Forbidden("it is Aegis, opted in or not", LABELED, ("aegis.self=true", "aegis.enable=true"), ITSELF),
    Forbidden("it is Aegis, watched or not", ALL, ("aegis.self=true",), ITSELF),
    Forbidden("its name is Aegis' own", ALL, (), ITSELF),
    Forbidden("it has no label", LABELED, (), STRANGER),
    Forbidden("it opted out of all", ALL, ("aegis.enable=false",), STRANGER),
    Forbidden("it opted out, whatever autoheal does", LABELED, ("aegis.enable=false", "autoheal=true"), STRANGER),
]


class Ground(NamedTuple):
    """A ward and its agent, which watches in one way and has a brain that is sure of RESTART."""

    ward: Ward
    agent: ServedAgent


@pytest.fixture(scope="module")
def grounds(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ground]]:
    with Ward() as labeled, Ward() as everything:
        grounds: dict[str, Ground] = {}
        for watch, ward in ((LABELED, labeled), (ALL, everything)):
            settings = {"AEGIS_WATCH": watch, "AEGIS_OWN_NAMES": f"{OWN}-idle, {OWN}-crashed"}
            agent = ward.agent(tmp_path_factory.mktemp("agent"), **settings, **ward.sure_of("RESTART"))
            grounds[watch] = Ground(ward, agent)
        yield grounds


@pytest.mark.parametrize("forbidden", FORBIDDEN, ids=lambda one: one.why)
def test_a_report_about_it_ends_with_the_reason_and_no_restart(
    forbidden: Forbidden, grounds: dict[str, Ground]
) -> None:
    ward, agent = grounds[forbidden.watch]
    patient = forbidden.admit(ward)

    incident = agent.closed(incident_id=agent.report(patient.name))

    assert (incident["status"], incident["attempts"]) == ("FAILED", 0)
    assert incident["error"].startswith(f"{patient.name} {forbidden.reason}")
    assert (incident["action"], incident["source"]) == ("RESTART", "cloud")
    assert incident["confidence"] > 0.8
    assert patient.happened() == ["create", "start"]


def test_without_a_model_it_is_the_same(grounds: dict[str, Ground], tmp_path: Path) -> None:
    ward = grounds[LABELED].ward
    patient = ward.admit()
    agent = ward.agent(tmp_path)

    incident = agent.closed(incident_id=agent.report(patient.name))

    assert (incident["status"], incident["action"], incident["source"]) == ("FAILED", "RESTART", "rules")
    assert incident["error"].startswith(f"{patient.name} {STRANGER}")
    assert patient.happened() == ["create", "start"]


@pytest.mark.parametrize("watch", [LABELED, ALL])
def test_a_report_about_a_name_that_nobody_knows_ends_with_the_reason(watch: str, grounds: dict[str, Ground]) -> None:
    agent = grounds[watch].agent

    incident = agent.closed(incident_id=agent.report("aegis-ward-never-was"))

    assert (incident["status"], incident["attempts"]) == ("FAILED", 0)
    assert "knows no target of this name" in incident["error"]


@pytest.mark.parametrize(("watch", "options"), [(LABELED, (OPTED_IN,)), (ALL, ())])
def test_the_same_report_about_a_permitted_target_does_restart_it(
    watch: str, options: tuple[str, ...], grounds: dict[str, Ground]
) -> None:
    ward, agent = grounds[watch]
    patient = ward.admit(*options)

    incident = agent.closed(incident_id=agent.report(patient.name))

    assert incident["status"] == "RESOLVED", incident
    assert patient.restarts() == 1


@pytest.mark.parametrize(("watch", "options"), [(LABELED, (OPTED_IN,)), (ALL, ())])
def test_its_crash_is_not_even_an_incident(watch: str, options: tuple[str, ...], grounds: dict[str, Ground]) -> None:
    ward, agent = grounds[watch]
    forbidden = [one.admit(ward, CRASHED) for one in FORBIDDEN if one.watch == watch]
    permitted = ward.admit(*options, command=CRASHED)

    until(lambda: agent.incidents(container_name=permitted.name), "the crash of another one to be an incident")

    for patient in forbidden:
        assert agent.seen(patient.name)
        assert agent.incidents(container_name=patient.name) == []
        assert patient.happened() == ["create", "start", "die"]
