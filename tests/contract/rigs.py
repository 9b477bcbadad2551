"""What the contract tests of the runtimes need to cause things for real.

A rig owns one fresh target that has opted in, and what is needed to disturb it. Everything it causes is real in its
runtime: the rig of Docker makes a container leak, it does not tell the adapter that one did.

The target of a rig, whatever runs it:
- prints `SAID` followed by a space and the text for every `say`, and `READY` once whenever it has started;
- has a health check that turns `healthy` within 5 s of the start, a memory limit of `MEMORY_LIMIT_BYTES` and a CPU
  limit of `CPUS`, a stop timeout of `STOP_TIMEOUT` seconds and no restart policy;
- carries `LABELS`, and `SECRET` as the value of an environment variable named `API_TOKEN`;
- ends with exit code 0 on SIGTERM, unless it has been made deaf;
- forgets everything that was done to it (memory, load, ill health, deafness) when it is started again.

Each rig is a module of its own (`fake_rig`, `process_rig`, `docker_rig`) with a function `open_rig(folder) -> Rig`,
which returns when the target has started and obeys; `folder` is an empty one for the rig's files. It raises
RigUnavailableError where its runtime is not there.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from aegis_core.domain.release import Release
from aegis_core.ports import Effector, EvidenceSource, Reverter, Sensor

MIB: Final = 1024 * 1024
MEMORY_LIMIT_BYTES: Final = 128 * MIB
CPUS: Final = 0.5
STOP_TIMEOUT: Final = 1
SECRET: Final = "s3cr3t-of-the-rig-7f1c"
LABELS: Final = {"aegis.enable": "true", "aegis.tier": "important"}
SAID: Final = "said:"
READY: Final = "ready"


class RigUnavailableError(Exception):
    """The runtime of a rig is not on this machine; the message says why."""


class Rig(Protocol):
    """One fresh target of a runtime and the means to disturb it. The methods return when the thing has been caused,
    not when the adapter has noticed: that is for the test to wait for."""

    name: str
    sensor: Sensor
    evidence: EvidenceSource
    effector: Effector
    reverter: Reverter

    def now(self) -> datetime:
        """The moment by the runtime's clock, aware, in UTC."""

    def starts(self) -> int:
        """How often it was started, by the target's own record or the runtime's, but not by the adapter's."""

    def say(self, line: str) -> None:
        """Make it print `SAID`, a space and this line."""

    def grow(self, size: int) -> None:
        """Make it take (and keep) this many bytes of memory, more than its limit included."""

    def burn(self) -> None:
        """Make it use as much CPU as it gets."""

    def turn_unhealthy(self) -> None:
        """Make its health check fail from now on; the runtime says `unhealthy` within 5 s."""

    def turn_deaf(self) -> None:
        """Make it ignore SIGTERM."""

    def crash(self, exit_code: int) -> None:
        """Make it end by itself with this exit code."""

    def stop_as_person(self) -> None:
        """Stop it the way a person would, and not through the adapter's `apply`."""

    def start_as_person(self) -> None:
        """Start the stopped target again, the way a person would."""

    def recreate(self) -> None:
        """Replace it by a new one of the same name, running, whose target id is another."""

    def release(self) -> None:
        """Replace it by a new one of the same name that runs another release of it, which obeys as well."""

    def drop_releases(self) -> None:
        """Take every release away from the host but the one that runs."""

    def befriend(self) -> str:
        """Make a second target that the first one depends on, running, and return its name.

        The first one may be a new one afterwards, as after `recreate`.
        """

    def close(self) -> None:
        """Take everything away that the rig has made."""


def as_release(rig: Rig) -> Release:
    """What the rig's target runs now, as if it had been seen healthy."""
    state = rig.effector.find(rig.name)
    assert state is not None
    return Release(target=rig.name, image_id=state.image_id, image=state.image, verified_at=rig.now())


def wait_until(condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Wait for a condition to hold. Raises TimeoutError with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)
