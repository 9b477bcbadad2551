"""The rigs that the contract tests of the runtimes run on, one fresh target a test."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from .rigs import Rig, RigUnavailableError


@pytest.fixture(params=["fake", "process", pytest.param("docker", marks=pytest.mark.engine)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    module = import_module(f".{request.param}_rig", __package__)
    try:
        opened: Rig = module.open_rig(tmp_path)
    except RigUnavailableError as reason:
        pytest.skip(f"{request.param}: {reason}")
    yield opened
    opened.close()
