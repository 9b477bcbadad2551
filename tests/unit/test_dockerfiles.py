"""The images hold what the programs in them need."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"flask", "streamlit"}  # of the target app and the dashboard


def installed(image: str) -> set[str]:
    """The packages that a Dockerfile names."""
    text = (ROOT / "aegis_infra" / "docker" / f"{image}.Dockerfile").read_text().replace("\\\n", " ")
    [line] = re.findall(r"pip install --no-cache-dir -c requirements.txt (.+)", text)
    return set(line.split())


def needed() -> set[str]:
    """The packages that the project depends on."""
    names = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return {re.split(r"[;\s]", name)[0] for name in names}


def test_the_image_of_the_agent_holds_every_dependency_but_those_of_the_others() -> None:
    assert installed("core") == needed() - ELSEWHERE


@pytest.mark.parametrize("image", ["core", "dashboard", "target"])
def test_whatever_an_image_installs_is_pinned(image: str) -> None:
    pinned = {line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line}
    assert {_plain(name) for name in installed(image)} <= {_plain(name) for name in pinned}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
