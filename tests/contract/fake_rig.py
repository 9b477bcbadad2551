"""The rig of the runtime in memory."""

from datetime import datetime
from pathlib import Path

from aegis_core.domain.change import Relation
from aegis_core.domain.target import Health, Limits
from aegis_core.testing import FakeClock, FakeRuntime

from .rigs import CPUS, LABELS, MEMORY_LIMIT_BYTES, SAID, SECRET, STOP_TIMEOUT


def open_rig(folder: Path) -> "FakeRig":
    return FakeRig()


class FakeRig:
    """A fake runtime with one target, disturbed by telling the fake."""

    name = "tiny"

    def __init__(self) -> None:
        self._clock = FakeClock()
        self._runtime = FakeRuntime(self._clock)
        self.sensor = self.evidence = self.effector = self.reverter = self._runtime
        self._release = 1
        self.recreate()

    def now(self) -> datetime:
        return self._clock()

    def starts(self) -> int:
        return self._runtime.starts(self.name)

    def say(self, line: str) -> None:
        self._runtime.say(self.name, f"{SAID} {line}")

    def grow(self, size: int) -> None:
        usage = self._runtime.usage(self._ref)
        self._runtime.use(self.name, memory_bytes=size + (usage.memory_bytes if usage else 0))

    def burn(self) -> None:
        self._runtime.use(self.name, cpu_percent=100.0)

    def turn_unhealthy(self) -> None:
        self._runtime.turn(self.name, Health.UNHEALTHY)

    def turn_deaf(self) -> None:
        self._runtime.deafen(self.name)

    def crash(self, exit_code: int) -> None:
        self._runtime.end(self.name, exit_code)

    def stop_as_person(self) -> None:
        self._runtime.end(self.name, 143, by_person=True)

    def start_as_person(self) -> None:
        self._runtime.start(self.name)

    def recreate(self) -> None:
        limits = Limits(memory_bytes=MEMORY_LIMIT_BYTES, cpus=CPUS)
        known = {"labels": LABELS, "limits": limits, "stop_timeout": STOP_TIMEOUT, "health": Health.HEALTHY}
        known |= {"image": f"tiny:{self._release}", "image_id": f"sha256:{self._release}"}
        self._ref = self._runtime.add(self.name, {"API_TOKEN": SECRET}, **known)

    def release(self) -> None:
        self._release += 1
        self.recreate()

    def drop_releases(self) -> None:
        self._runtime.images.intersection_update({f"sha256:{self._release}"})

    def befriend(self) -> str:
        self._runtime.add("db")
        self._runtime.relate(self.name, Relation.DEPENDENCY, "db")
        return "db"

    def close(self) -> None:
        """Nothing was made."""
