"""How real containers hang together: made by `docker run`, and by `docker compose`."""

import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.domain.change import MOST_NEIGHBOURS, Neighbour, Relation
from tests.integration.flaky_engine import FlakyEngine
from tests.integration.small_containers import docker, running, wait_until

pytestmark = pytest.mark.engine
QUICK = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")


@pytest.fixture
def runtime() -> Iterator[DockerRuntime]:
    runtime = DockerRuntime()
    yield runtime
    runtime.close()


@pytest.fixture
def network() -> Iterator[str]:
    name = f"aegis-it-{uuid.uuid4().hex[:8]}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


def neighbours(runtime: DockerRuntime, name: str) -> dict[str, Neighbour]:
    state = runtime.find(name)
    assert state
    return {neighbour.state.ref.name: neighbour for neighbour in runtime.neighbours(state.ref)}


def test_who_shares_a_network_namespace_is_found_both_ways_also_when_it_is_down(runtime: DockerRuntime) -> None:
    with running(command=QUICK) as parent, running(f"--network=container:{parent.name}", command=QUICK) as child:
        assert neighbours(runtime, child.name)[parent.name].relation is Relation.NETWORK_PARENT
        docker("stop", parent.name)

        seen = neighbours(runtime, child.name)[parent.name]
        back = neighbours(runtime, parent.name)[child.name]

        assert (seen.relation, seen.state.exit_code, seen.state.stopped_by_person) == (
            *(Relation.NETWORK_PARENT, 0, True),
        )
        assert (back.relation, back.state.running) == (Relation.NETWORK_CHILD, True)


def test_who_is_on_a_network_of_the_users_own_is_known_by_all_its_names(runtime: DockerRuntime, network: str) -> None:
    options = (f"--network={network}", "--network-alias=postgres", "--hostname=db.internal")
    with (
        running(*options, command=QUICK) as db,
        running(f"--network={network}", command=QUICK) as shop,
        running(command=QUICK) as stranger,
    ):
        found = neighbours(runtime, shop.name)

        assert found[db.name].relation is Relation.SAME_NETWORK
        assert set(found[db.name].names) == {db.name, "postgres", "db.internal"}
        assert shop.name not in found
        assert stranger.name not in found
        assert neighbours(runtime, stranger.name) == {}


def test_one_list_and_a_look_at_each_neighbour_is_all_that_it_takes(network: str) -> None:
    with FlakyEngine() as engine, running(f"--network={network}") as one, running(f"--network={network}") as other:
        runtime = DockerRuntime(engine.url)
        state = runtime.find(one.name)
        assert state
        engine.calls.clear()

        assert [neighbour.state.ref.name for neighbour in runtime.neighbours(state.ref)] == [other.name]

        assert engine.calls == ["GET /containers/json", f"GET /containers/{other.id}/json"]


def test_a_neighbour_that_the_engine_cannot_describe_is_told_as_far_as_the_list_tells(network: str) -> None:
    with FlakyEngine() as engine, running(f"--network={network}") as one, running(f"--network={network}") as other:
        runtime = DockerRuntime(engine.url)
        state = runtime.find(one.name)
        assert state
        engine.spoil(rf"GET /containers/{other.id}/json", 500)

        (neighbour,) = runtime.neighbours(state.ref)

        assert (neighbour.state.ref.name, neighbour.names) == (other.name, (other.name,))
        assert neighbour.state.running


def test_of_very_many_neighbours_the_closest_and_those_in_trouble_are_told(
    runtime: DockerRuntime, network: str
) -> None:
    crowd = [f"{network}-{number:02}" for number in range(MOST_NEIGHBOURS + 2)]
    try:
        for name in crowd:  # they are there, but do not run: quick to make
            docker("create", f"--name={name}", f"--network={network}", "--label=crowd", "python:3.11-slim", "true")
        with (
            running(f"--network={network}", command=QUICK) as shop,
            running(f"--network={network}", command=QUICK) as well,
            running(f"--network=container:{shop.name}", command=QUICK) as child,
        ):
            found = list(neighbours(runtime, shop.name))

            assert found == [child.name, *crowd[: MOST_NEIGHBOURS - 1]]
            assert well.name not in found
    finally:
        docker("rm", "--force", *crowd)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[str]:
    """A project of three services, up; its name. It is taken down at the end."""
    name = f"aegis-it-{uuid.uuid4().hex[:8]}"
    file = tmp_path / "compose.yml"
    file.write_text(
        textwrap.dedent("""
            x-quick: &quick
              image: python:3.11-slim
              command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.05; done"
            services:
              db: *quick
              web: {<<: *quick, depends_on: [db]}
              sidecar: {<<: *quick, network_mode: "service:web"}
        """)
    )
    compose = ("compose", f"--file={file}", f"--project-name={name}")
    docker(*compose, "up", "--detach")
    yield name
    docker(*compose, "down", "--timeout=1")


def test_what_a_compose_file_says_is_found_both_ways(runtime: DockerRuntime, project: str) -> None:
    db, web, sidecar = (f"{project}-{service}-1" for service in ("db", "web", "sidecar"))

    of_web, of_db, of_sidecar = (neighbours(runtime, name) for name in (web, db, sidecar))

    assert {name: one.relation for name, one in of_web.items()} == {
        sidecar: Relation.NETWORK_CHILD,
        db: Relation.DEPENDENCY,
    }
    assert list(of_web) == [sidecar, db], "the closest first"
    assert {"db", db} <= set(of_web[db].names)
    assert (of_db[web].relation, of_db[sidecar].relation) == (Relation.DEPENDENT, Relation.SAME_NETWORK)
    assert (of_sidecar[web].relation, of_sidecar[db].relation) == (Relation.NETWORK_PARENT, Relation.SAME_NETWORK)


def test_that_limits_were_changed_lately_is_told(runtime: DockerRuntime) -> None:
    with running("--memory=64m", command=QUICK) as container:
        state = runtime.find(container.name)
        assert state
        docker("update", "--memory=96m", "--memory-swap=96m", container.name)

        def told() -> list[str]:
            return [line.split(" ", 1)[1] for line in runtime.happenings(state.ref, container.since)]

        wait_until(lambda: "update (of its limits or its restart policy)" in told(), "the change to be told")
