"""Services of a swarm, healed through Swarm itself: by its own restart, its own scaling, its own way back."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.releases import SqlReleases
from aegis_core.domain.release import Release
from tests.integration.flaky_engine import Fault
from tests.integration.small_containers import docker

from .changes import CRASHES, build
from .served_agent import ROOT, ServedAgent, until
from .swarm_ward import FOR_GOOD, Service, SwarmWard

pytestmark = pytest.mark.engine

OPTED_IN = "--label=aegis.enable=true"
FREE = (OPTED_IN, "--label=aegis.actions=restart,scale_up,rollback")
SETTINGS = {"AEGIS_SENSE_SECONDS": "0.5", "AEGIS_COOLDOWN_SECONDS": "1"}
WELL = "[ -e /shared/spoilt ] && exit 4; trap 'exit 0' TERM; echo ready $RELEASE; sleep 600 & wait"
SPOILS = "touch /shared/spoilt; exit 3"
# Each task says that it is there. Alone (or, the greedy, always) it burns what CPU it gets.
BURNS = "trap 'exit 0' TERM; touch /shared/$(hostname); while {}; do :; done; while :; do sleep 1; done"
BUSY = ("sh", "-c", BURNS.format("set -- /shared/*; [ $# -lt 2 ]"))
GREEDY = ("sh", "-c", BURNS.format(":"))


@pytest.fixture(scope="module")
def ward(engine: None) -> Iterator[SwarmWard]:
    with SwarmWard() as ward:
        yield ward


def agent_that(wants: str, ward: SwarmWard, folder: Path, **settings: str) -> ServedAgent:
    return ward.agent(folder, **SETTINGS, **ward.sure_of(wants), **settings)


@pytest.fixture(scope="module")
def agent(ward: SwarmWard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedAgent]:
    """One that wants everything restarted."""
    agent = agent_that("RESTART", ward, tmp_path_factory.mktemp("agent"))
    yield agent
    agent.stop_agent()


def told(agent: ServedAgent, incident: dict[str, Any]) -> list[str]:
    return [one["type"] for one in agent.events(incident["incident_id"])]


def seen_well(agent: ServedAgent, service: Service) -> None:
    until(lambda: (agent.seen(service.name) or {}).get("run") == "running", f"{service.name} to be seen")


# ---- RESTART


def test_a_service_whose_task_crashes_for_good_is_told_once_to_start_anew(ward: SwarmWard, agent: ServedAgent) -> None:
    service, stranger = ward.serve(OPTED_IN, FOR_GOOD), ward.serve(FOR_GOOD)
    seen_well(agent, service)
    stranger.fall_ill()
    service.fall_ill()

    incident = agent.closed(container_name=service.name)

    assert (incident["status"], incident["fault"], incident["attempts"]) == ("RESOLVED", "crashed", 1), incident
    assert (service.forced, service.tasks(), len(service.containers())) == (1, 2, 1)
    assert service.update == "completed", "what is still being carried out is not verified"
    assert agent.incidents(container_name=stranger.name) == []
    assert (stranger.forced, stranger.tasks(), stranger.containers()) == (0, 1, [])


def test_a_signal_about_a_task_joins_its_service(ward: SwarmWard, agent: ServedAgent) -> None:
    service = ward.serve(OPTED_IN, FOR_GOOD)
    seen_well(agent, service)
    (container,) = service.containers()

    incident = agent.closed(incident_id=agent.report(container))

    assert (incident["container_name"], incident["status"], service.forced) == (service.name, "RESOLVED", 1), incident
    assert agent.incidents(container_name=container) == []
    assert agent.seen(container) is None, "a task is no target of its own"


def test_what_swarm_mends_by_itself_is_left_to_it(ward: SwarmWard, agent: ServedAgent) -> None:
    service = ward.serve(OPTED_IN, "--restart-condition=any", "--restart-delay=1s")
    seen_well(agent, service)
    service.fall_ill()
    until(lambda: service.tasks() == 2 and service.containers(), "Swarm to have mended it")
    # Another one falls ill after it, and is healed: by then the agent has looked at the first one, too.
    other = ward.serve(OPTED_IN, FOR_GOOD)
    seen_well(agent, other)
    other.fall_ill()
    agent.closed(container_name=other.name)

    assert agent.incidents(container_name=service.name) == []
    assert service.forced == 0


def test_a_service_that_a_person_has_scaled_to_nothing_stays_so(ward: SwarmWard, agent: ServedAgent) -> None:
    service = ward.serve(OPTED_IN)
    seen_well(agent, service)
    docker("service", "scale", "--detach", f"{service.name}=0")
    until(lambda: not service.containers(), "the tasks to be gone")

    incident = agent.closed(incident_id=agent.report(service.name, "crashed"))

    assert (incident["status"], incident["action"], incident["attempts"]) == ("RESOLVED", "NOOP", 0), incident
    assert (service.forced, service.replicas) == (0, 0)


def test_a_service_that_loops_is_never_taken_for_healed_and_given_to_a_person(
    ward: SwarmWard, agent: ServedAgent
) -> None:
    service = ward.serve(OPTED_IN, "--restart-delay=500ms", command=("sh", "-c", "sleep 1; echo cannot go on; exit 3"))

    def left_to_a_person() -> dict[str, Any] | None:
        found = agent.incidents(container_name=service.name)
        return next((one for one in found if one["status"] in {"AWAITING_APPROVAL", "FAILED"}), None)

    incident = until(left_to_a_person, "a person to be asked")

    assert incident["fault"] == "crash_loop"
    assert service.forced == incident["attempts"] > 0
    verified = [one["data"]["judgement"] for one in agent.events(incident["incident_id"]) if one["type"] == "Verified"]
    assert verified
    assert not any(all(condition["holds"] for condition in one["conditions"]) for one in verified)
    docker("service", "rm", service.name)


# ---- SCALE_UP


@pytest.fixture(scope="module")
def scaler(ward: SwarmWard, agent: ServedAgent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedAgent]:
    """One that wants one more of everything; alone, for two agents would treat the same services."""
    agent.stop_agent()
    scaler = agent_that("SCALE_UP", ward, tmp_path_factory.mktemp("scaler"))
    yield scaler
    scaler.stop_agent()


BURNING = ("--limit-cpu=0.1", "--label=aegis.cpu_percent=40", "--label=aegis.for=2s", "--label=aegis.max_replicas=3")


def test_one_more_is_kept_where_it_helped(ward: SwarmWard, scaler: ServedAgent) -> None:
    service = ward.serve(*FREE, *BURNING, command=BUSY)

    incident = scaler.closed(container_name=service.name)

    assert (incident["status"], incident["fault"]) == ("RESOLVED", "cpu_saturation"), incident
    assert (incident["action"], service.replicas) == ("SCALE_UP", 2)
    assert ward.asked_to_update(service) == 1
    assert "Undone" not in told(scaler, incident)


def test_one_more_that_did_not_help_is_taken_back(ward: SwarmWard, scaler: ServedAgent) -> None:
    service = ward.serve(*FREE, *BURNING, command=GREEDY)

    incident = scaler.closed(container_name=service.name)

    assert (incident["status"], service.replicas) == ("FAILED", 1), incident
    kinds = told(scaler, incident)
    assert kinds.index("Verified") < kinds.index("Undone") < kinds.index("Failed")
    assert ward.asked_to_update(service) == 2, "given, and taken back"
    docker("service", "rm", service.name)


def test_without_a_label_that_says_how_far_a_person_is_asked(ward: SwarmWard, scaler: ServedAgent) -> None:
    service = ward.serve(*FREE, *BURNING[:3], command=GREEDY)
    asked = until(lambda: scaler.incidents(container_name=service.name, status="AWAITING_APPROVAL"), "a question")

    shown = scaler.ask(f"/incidents/{asked[0]['incident_id']}")

    assert "aegis.max_replicas" in str(shown["decision"])
    assert service.replicas == 1
    docker("service", "rm", service.name)


def test_at_its_ceiling_nothing_is_done(ward: SwarmWard, scaler: ServedAgent) -> None:
    service = ward.serve(*FREE, *BURNING[:3], "--label=aegis.max_replicas=1", command=GREEDY)

    incident = scaler.closed(container_name=service.name)

    assert (incident["status"], incident["attempts"], service.replicas) == ("FAILED", 0, 1), incident
    assert f"{service.name} is at its ceiling of 1 replicas already" in str(incident["error"])
    docker("service", "rm", service.name)


# ---- ROLLBACK


@pytest.fixture(scope="module")
def keeper(ward: SwarmWard, scaler: ServedAgent, tmp_path_factory: pytest.TempPathFactory) -> ServedAgent:
    """One that wants everything rolled back; alone as well."""
    scaler.stop_agent()
    return agent_that("ROLLBACK", ward, tmp_path_factory.mktemp("keeper"))


@pytest.fixture
def tag(ward: SwarmWard) -> Iterator[str]:
    """A name for the images of a test; they are removed after it, with all services."""
    name = f"aegis-release-{uuid.uuid4().hex[:8]}"
    yield name
    ward.clear()
    images = docker("images", "--quiet", name).split()
    if images:
        docker("rmi", "--force", *set(images))


def verified(agent: ServedAgent, ward: SwarmWard, tag: str, *options: str) -> Service:
    """Release 1 with two tasks, until the agent has seen that it is well."""
    build(f"{tag}:1", 1, WELL)
    service = ward.serve(*FREE, "--replicas=2", *options, image=f"{tag}:1", command=())
    proven = f'"target": "{service.name}"'
    until(
        lambda: any("proven itself" in line and proven in line for line in agent.log().splitlines()),
        "release 1 to have proven itself", 30,
    )  # fmt: skip
    return service


def test_a_release_that_crashes_at_its_start_is_taken_back_by_swarms_own_way(
    ward: SwarmWard, keeper: ServedAgent, tag: str
) -> None:
    service = verified(keeper, ward, tag)
    build(f"{tag}:2", 2, CRASHES)
    service.deploy(f"{tag}:2")

    incident = keeper.closed(container_name=service.name)

    assert (incident["status"], incident["action"], incident["attempts"]) == ("RESOLVED", "ROLLBACK", 1), incident
    assert (service.image, service.update) == (f"{tag}:1", "rollback_completed")
    assert len(service.containers()) == 2
    assert ward.asked_to_update(service) == 1
    assert len(keeper.incidents(container_name=service.name)) == 1, "its update, and not each of its ends, is told"


def test_where_the_way_back_does_not_help_either_the_new_release_is_put_back(
    ward: SwarmWard, keeper: ServedAgent, tag: str
) -> None:
    service = verified(keeper, ward, tag)
    build(f"{tag}:2", 2, SPOILS)
    service.deploy(f"{tag}:2")

    incident = keeper.closed(container_name=service.name)

    assert (incident["status"], service.image) == ("FAILED", f"{tag}:2"), incident
    kinds = told(keeper, incident)
    assert kinds.index("Verified") < kinds.index("Undone") < kinds.index("Failed")
    assert ward.asked_to_update(service) == 2, "back, and forth again"


def test_a_release_that_was_restarted_in_between_is_still_taken_back(
    ward: SwarmWard, keeper: ServedAgent, tag: str
) -> None:
    """A restart is a change like any other: what Swarm would go back to is the broken release itself."""
    service = verified(keeper, ward, tag, "--update-failure-action=continue")
    build(f"{tag}:2", 2, CRASHES)
    docker(
        *("service", "update", "--quiet", "--detach", "--no-resolve-image"),
        *(f"--image={tag}:2", "--label-add=aegis.autonomy=observe", service.name),
    )
    docker("service", "update", "--quiet", "--detach", "--force", "--label-rm=aegis.autonomy", service.name)

    incident = keeper.closed(container_name=service.name, status="RESOLVED")

    assert (incident["action"], service.image) == ("ROLLBACK", f"{tag}:1"), incident
    assert len(service.containers()) == 2


# ---- one effect per decision


def dying(ward: SwarmWard, data: Path, service: Service, action: str, point: str) -> int:
    """Run an agent until it dies at that call, or the incident is closed; returns its exit code."""
    command = [sys.executable, "-m", "tests.acceptance.dying_change", ward.engine.url, str(data), service.name]
    done = subprocess.run([*command, action, point], cwd=ROOT, timeout=120, check=False, capture_output=True, text=True)
    assert done.returncode in {0, -9}, done.stdout + done.stderr
    return done.returncode


LEFT_TO_US = ("--label=aegis.actions=restart,scale_up,rollback", "--label=aegis.max_replicas=3")


@pytest.mark.parametrize("point", ["before:1", "after:1"])
@pytest.mark.parametrize("action", ["RESTART", "SCALE_UP"])
def test_an_agent_that_is_killed_around_the_effect_leads_to_one(
    point: str, action: str, ward: SwarmWard, tmp_path: Path
) -> None:
    service = ward.serve(*LEFT_TO_US)

    assert dying(ward, tmp_path, service, action, point) == -9
    assert dying(ward, tmp_path, service, action, "never") == 0

    assert ward.asked_to_update(service) == 1
    assert (service.forced, service.replicas) == ((1, 1) if action == "RESTART" else (0, 2))


@pytest.mark.parametrize("point", ["before:1", "after:1"])
def test_an_agent_that_is_killed_around_a_rollback_leads_to_one(
    point: str, ward: SwarmWard, tag: str, tmp_path: Path
) -> None:
    build(f"{tag}:1", 1, WELL)
    build(f"{tag}:2", 2, f"{WELL} # too")
    service = ward.serve(*LEFT_TO_US, image=f"{tag}:1", command=())
    remembers(tmp_path, service)
    service.deploy(f"{tag}:2")
    until(lambda: service.update == "completed", "release 2 to run")

    assert dying(ward, tmp_path, service, "ROLLBACK", point) == -9
    assert dying(ward, tmp_path, service, "ROLLBACK", "never") == 0

    assert ward.asked_to_update(service) == 1
    assert (service.image, len(service.containers())) == (f"{tag}:1", 1)


def remembers(data: Path, service: Service) -> None:
    """The agent's store knows that what the service is now was well."""
    runtime = DockerRuntime(inspect_all=True)
    state = runtime.find(service.name)
    runtime.close()
    assert state
    data.mkdir(exist_ok=True)
    with Database(f"sqlite:///{data / 'aegis.db'}") as database:
        known = Release(target=service.name, image_id=state.image_id, image=state.image, verified_at=datetime.now(UTC))
        SqlReleases(database).note(known)


@pytest.mark.parametrize("fault", [Fault.DROP_REPLY, Fault.CUT, Fault.RESET])
def test_a_lost_reply_does_not_restart_twice(fault: Fault, ward: SwarmWard, tmp_path: Path) -> None:
    service = ward.serve(*LEFT_TO_US)
    ward.engine.spoil(f"POST /services/{service.id}/update", fault, times=1)

    assert dying(ward, tmp_path, service, "RESTART", "never") == 0

    assert service.forced == 1
    assert ward.asked_to_update(service) == (2 if fault is Fault.RESET else 1)


@pytest.mark.parametrize("point", ["before:2", "after:2"])
def test_an_agent_that_is_killed_around_taking_back_leads_to_one_change_back(
    point: str, ward: SwarmWard, tag: str, tmp_path: Path
) -> None:
    """What release 1 finds in the shared folder makes it crash: release 2 is put back."""
    build(f"{tag}:1", 1, WELL)
    build(f"{tag}:2", 2, "trap 'exit 0' TERM; sleep 600 & wait")
    service = ward.serve(*LEFT_TO_US, image=f"{tag}:1", command=())
    remembers(tmp_path, service)
    service.deploy(f"{tag}:2")
    until(lambda: service.update == "completed", "release 2 to run")
    (service.shared / "spoilt").touch()

    assert dying(ward, tmp_path, service, "ROLLBACK", point) == -9
    assert dying(ward, tmp_path, service, "ROLLBACK", "never") == 0

    assert ward.asked_to_update(service) == 2
    assert service.image == f"{tag}:2"
    until(service.containers, "release 2 to run again")
