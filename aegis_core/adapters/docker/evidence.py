"""What a Docker engine knows about the past of one container."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from aegis_core.domain.change import Neighbour
from aegis_core.domain.masking import secret_values
from aegis_core.domain.target import TargetRef
from aegis_core.ports import Clock

from .client import Engine, translated
from .containers import Containers
from .log import newest_lines
from .neighbours import Neighbourhood
from .past import happenings

MOST_LINES: Final = 2_000
MOST_LINE_BYTES: Final = 16_384 + 64  # the engine cuts what it keeps into pieces of 16 KiB, and counts pieces as lines


class DockerEvidence:
    """Reads logs, events and the environment."""

    def __init__(self, engine: Engine, containers: Containers, clock: Clock) -> None:
        self._engine = engine
        self._containers = containers
        self._neighbourhood = Neighbourhood(engine, containers, clock)
        self._clock = clock

    def logs(self, target: TargetRef, tail: int = 200, since: datetime | None = None) -> Sequence[str]:
        """Return the newest lines of stdout and stderr together, cleaned, oldest first; 2,000 at most.

        Raises TargetGone; RuntimeUnavailable, also where the container's log driver cannot be read.
        """
        terminal = bool(self._containers.inspected(target.id, target.name)["Config"].get("Tty"))
        lines = max(1, min(tail, MOST_LINES))
        with translated(f"reading the log of {target.name}"):
            chunks = self._engine.log_bytes(target.id, lines, since, lines * MOST_LINE_BYTES)
            return newest_lines(chunks, terminal, lines)

    def happenings(self, target: TargetRef, since: datetime) -> Sequence[str]:
        """Tell what the engine did with it, with times in UTC: `12:03:04 die (exit code 137)`.

        What the engine has forgotten is left out. Raises RuntimeUnavailable.
        """
        return [str(happening) for happening in happenings(self._engine, target.id, since, self._clock())]

    def secrets(self, target: TargetRef) -> frozenset[str]:
        """Return the values of its environment that are worth masking. Raises TargetGone, RuntimeUnavailable."""
        inspection = self._containers.inspected(target.id, target.name)
        pairs = (entry.partition("=") for entry in inspection["Config"].get("Env") or ())
        return secret_values({name: value for name, _, value in pairs})

    def neighbours(self, target: TargetRef) -> Sequence[Neighbour]:
        """See `ports.EvidenceSource.neighbours`."""
        return self._neighbourhood.of(target)
