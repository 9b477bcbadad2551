"""The rigs that the contract tests of the runtimes run on, one fresh target a test; and the stores, empty."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from .rigs import Rig, RigUnavailableError
from .stores import STORES, Store

RIGS = ["fake", "process", pytest.param("docker", marks=pytest.mark.engine)]
SERVICE = pytest.param("swarm", marks=pytest.mark.engine)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "services: holds of a Swarm service as well")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A service makes a promise only where that is said: Swarm itself keeps its tasks running, and healthy."""
    if "rig" in metafunc.fixturenames:
        of_services = metafunc.definition.get_closest_marker("services") is not None
        metafunc.parametrize("rig", [*RIGS, *([SERVICE] if of_services else [])], indirect=True)


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    module = import_module(f".{request.param}_rig", __package__)
    try:
        opened: Rig = module.open_rig(tmp_path)
    except RigUnavailableError as reason:
        pytest.skip(f"{request.param}: {reason}")
    yield opened
    opened.close()


@pytest.fixture(params=STORES, ids=lambda make: make.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = request.param(tmp_path)
    yield opened
    opened.close()
