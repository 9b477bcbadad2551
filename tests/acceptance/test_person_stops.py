"""What a person stopped, paused or removed stays as the person left it, and leaves no incident open.

Whether it was reported in the same moment or not; and the brain wants everything restarted.
"""

import subprocess
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aegis_core.domain.incident import Status
from tests.integration.small_containers import DEAF, docker

from .moments import RestartsAlways
from .served_agent import ServedAgent, until
from .story import Story
from .ward import OPTED_IN, Patient, Ward

pytestmark = pytest.mark.engine

CRASHED = ("sh", "-c", "exit 3")
RUDE = ("sh", "-c", "trap 'exit 7' TERM; echo ready; sleep 600 & wait")  # its end looks like a crash
LEFT, GONE = "as a person left it", "knows no target of this name"


class Person:
    """Somebody with a terminal, and containers of theirs: some by `docker run`, one by a compose file."""

    def __init__(self, ward: Ward, folder: Path) -> None:
        self._ward, self._folder = ward, folder

    def runs(self, act: str, *options: str, deaf: bool = False) -> Patient:
        """Start what this act will be about."""
        if act != "compose down":
            return self._ward.admit(OPTED_IN, *options, command=DEAF if deaf else RUDE)
        patient = Patient(f"aegis-ward-{uuid.uuid4().hex[:8]}", self._ward)
        self._compose_file(patient).write_text(_compose(patient.name, self._ward.label, deaf))
        docker(*self._compose(patient), "up", "--detach")
        return patient

    def does(self, act: str, patient: Patient) -> None:
        docker(*self._command(act, patient))

    def begins(self, act: str, patient: Patient) -> "subprocess.Popen[bytes]":
        """Do something that takes its time, and go on as soon as the engine has begun with it."""
        doing = subprocess.Popen(
            ("docker", *self._command(act, patient)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: patient.is_told_of("kill"), "the stop to begin", 10)
        assert doing.poll() is None, "the stop was over before anything could be tested"
        return doing

    def _command(self, act: str, patient: Patient) -> tuple[str, ...]:
        if act == "compose down":
            return (*self._compose(patient), "down")
        return (*{"rm": ("rm", "--force")}.get(act, (act,)), patient.name)

    def _compose(self, patient: Patient) -> tuple[str, ...]:
        return ("compose", f"--file={self._compose_file(patient)}", f"--project-name={patient.name}")

    def _compose_file(self, patient: Patient) -> Path:
        return self._folder / f"{patient.name}.yml"


def _compose(name: str, label: str, deaf: bool) -> str:
    key, _, value = label.partition("=")
    return textwrap.dedent(f"""
        services:
          web:
            image: python:3.11-slim
            container_name: {name}
            command: sh -c "trap '{"" if deaf else "exit 7"}' TERM; while :; do sleep 0.1; done"
            stop_grace_period: 2s
            network_mode: none
            labels: {{aegis.enable: "true", {key}: "{value}"}}
    """)


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[Ward]:
    with Ward() as ward:
        yield ward


@pytest.fixture(scope="module")
def agent(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    return ward.agent(tmp_path_factory.mktemp("agent"), **ward.sure_of("RESTART"))


@pytest.fixture(scope="module")
def person(ward: Ward, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(ward, tmp_path_factory.mktemp("person"))


def begun_again(patient: Patient) -> list[str]:
    """What the engine was told to begin with it after its first start; `unpause` included."""
    return patient.happened("start", "restart", "unpause")[1:]


ACTS = ("stop", "kill", "pause", "compose down", "rm")


@pytest.fixture(scope="module")
def unreported(ward: Ward, agent: ServedAgent, person: Person) -> dict[str, Patient]:
    """All acts done, and the agent has looked at everything since: a crash that came later is an incident."""
    patients = {act: person.runs(act) for act in ACTS}
    for act, patient in patients.items():
        person.does(act, patient)
    crashed = ward.admit(OPTED_IN, command=CRASHED)
    until(lambda: agent.incidents(container_name=crashed.name), "a crash to be an incident")
    docker("rm", "--force", crashed.name)
    return patients


@pytest.mark.parametrize("act", ACTS)
def test_what_a_person_ended_is_no_incident(act: str, agent: ServedAgent, unreported: dict[str, Patient]) -> None:
    assert agent.incidents(container_name=unreported[act].name) == []
    assert begun_again(unreported[act]) == []


@pytest.mark.parametrize("act", ACTS)
def test_a_report_about_what_a_person_has_just_ended_is_closed_and_starts_nothing(
    act: str, agent: ServedAgent, person: Person
) -> None:
    patient = person.runs(act)
    person.does(act, patient)

    incident = agent.closed(incident_id=agent.report(patient.name))

    assert_left(incident, gone=act in ("rm", "compose down"))
    assert begun_again(patient) == []
    assert [one for one in agent.incidents(container_name=patient.name) if not one["closed_at"]] == []


@pytest.mark.parametrize("act", ["stop", "compose down"])
def test_a_report_while_a_person_is_stopping_it_starts_nothing(act: str, agent: ServedAgent, person: Person) -> None:
    """It ignores SIGTERM: it still runs, and still looks ill, while the person waits for it to end."""
    patient = person.runs(act, "--stop-timeout=2", deaf=True)
    stopping = person.begins(act, patient)

    incident = agent.closed(incident_id=agent.report(patient.name))
    stopping.wait()

    if act == "stop":
        assert_left(incident, gone=False)
    else:  # seen between its end and its removal, or not
        assert incident["attempts"] == 0, incident
        assert incident["status"] == "RESOLVED" or "is gone" in incident["error"] or GONE in incident["error"]
    assert begun_again(patient) == []


def assert_left(incident: dict[str, Any], gone: bool) -> None:
    assert incident["attempts"] == 0, incident
    if gone:
        assert incident["status"] == "FAILED", incident
        assert GONE in incident["error"]
    else:
        assert incident["status"] == "RESOLVED", incident
        assert [one["name"] for one in incident["verification"]["conditions"]] == [LEFT]
        assert incident["action"] == "NOOP"


MOMENTS = ("after:EvidenceGathered", "after:Decided", "after:ActionIntended")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("act", ["stop", "pause"])
def test_what_a_person_ends_before_the_action_is_left_so(
    act: str, moment: str, ward: Ward, person: Person, tmp_path: Path
) -> None:
    story = Story(ward, person.runs(act), tmp_path, RestartsAlways())

    story.tell(moment, lambda: person.does(act, story.patient))

    assert (story.incident.status, story.incident.attempts) == (Status.RESOLVED, 0)
    assert not story.incident.proven
    assert begun_again(story.patient) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_person_begins_to_stop_before_the_action_ends_stopped(
    moment: str, ward: Ward, person: Person, tmp_path: Path
) -> None:
    story = Story(ward, person.runs("stop", "--stop-timeout=2", deaf=True), tmp_path, RestartsAlways())
    stopping: list[subprocess.Popen[bytes]] = []

    story.tell(moment, lambda: stopping.append(person.begins("stop", story.patient)))
    stopping[0].wait()

    assert (story.incident.status, story.incident.attempts) == (Status.RESOLVED, 0)
    assert begun_again(story.patient) == []
    assert not story.patient.state["Running"]


@pytest.mark.parametrize(
    ("act", "status"), [("stop", Status.RESOLVED), ("pause", Status.RESOLVED), ("rm", Status.FAILED)]
)
def test_what_a_person_ends_after_the_action_is_not_begun_again(
    act: str, status: Status, ward: Ward, person: Person, tmp_path: Path
) -> None:
    story = Story(ward, person.runs(act), tmp_path, RestartsAlways(), cooldown_seconds=0)

    story.tell("after:ActionExecuted", lambda: person.does(act, story.patient))

    assert (story.incident.status, story.incident.attempts) == (status, 1)
    assert not story.incident.proven
    assert begun_again(story.patient) == ["start", "restart"]  # the action itself
