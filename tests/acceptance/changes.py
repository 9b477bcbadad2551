"""Releases for the tests of ROLLBACK: images that are built on the spot, and what the engine has of a patient."""

import json
import subprocess
from typing import Any

from tests.integration.small_containers import IMAGE, docker

from .ward import Patient, Ward

# Each release says so, and is well as long as nobody has spoilt its data.
WELL = "[ -e /data/spoilt ] && exit 4; trap 'exit 0' TERM; echo ready $RELEASE; sleep 600 & wait"
CRASHES = "echo release $RELEASE cannot start; exit 3"
SPOILS = "touch /data/spoilt; exit 3"


def build(tag: str, release: int, program: str, *more: str) -> str:
    """Build an image unlike any other whose own command is this shell program; returns its id.

    `more` are further lines of its Dockerfile.
    """
    command = json.dumps(["sh", "-c", program])
    recipe = f"FROM {IMAGE}\nENV RELEASE={release} OF_IMAGE={release}\nLABEL release={tag}\nCMD {command}\n"
    recipe += "\n".join(more)
    subprocess.run(
        ["docker", "build", "--quiet", f"--tag={tag}", "-"], input=recipe, text=True, check=True, capture_output=True
    )
    return docker("image", "inspect", "--format={{.Id}}", tag)


def deploy(ward: Ward, tag: str, *options: str, name: str | None = None) -> Patient:
    """Run a release with the command that its image brings; one of the same name makes room for it."""
    if name:
        docker("rm", "--force", name)
    return ward.admit(*options, command=(), name=name, image=tag)


def inspected(name: str) -> dict[str, Any]:
    """What the engine says of a container."""
    return dict(json.loads(docker("inspect", name))[0])


def all_of(patient: Patient) -> dict[str, str]:
    """Every container whose name begins with the patient's, with its state: also what is kept ready or aside."""
    listed = docker("ps", "--all", f"--filter=name=^/?{patient.name}", "--format={{.Names}} {{.State}}")
    return dict(line.split(" ", 1) for line in listed.splitlines())
