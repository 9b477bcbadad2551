"""The scene that each acceptance test plays in, once on the process runtime and once on a real Docker engine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .scene import IMAGE, ROOT, Scene

BOTH = ["process", pytest.param("docker", marks=pytest.mark.engine)]


@pytest.fixture(scope="session")
def image(engine: None) -> None:
    """The buggy app's image, built once from the Dockerfile that users get."""
    built = subprocess.run(
        ["docker", "build", "--quiet", f"--tag={IMAGE}", "--file=aegis_infra/docker/target.Dockerfile", "."],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr


@pytest.fixture(params=BOTH)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    if request.param == "docker":
        request.getfixturevalue("image")
    one = Scene(request.param, tmp_path)
    try:
        yield one.open()
    finally:
        one.close()
