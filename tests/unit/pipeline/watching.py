"""A watcher whose looks a test takes by hand, and what it reported."""

from typing import Any

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.domain.signal import Fault, Signal
from aegis_core.errors import StoreUnavailable
from aegis_core.pipeline.sightings import Sightings
from aegis_core.pipeline.watch import Eyes, Watcher

from .scene import NAME, Scene


class Watching:
    """A watcher whose looks a test takes by hand, and what it reported."""

    def __init__(self, **known: Any) -> None:
        self.scene = Scene(**known)
        self.runtime = self.scene.runtime
        self.reported: list[Signal] = []
        self.unstorable: list[str] = []  # signals of these targets, each as often as it stands here
        self.watcher = self.anew()

    def anew(self, every: float = 0.01) -> Watcher:
        eyes = Eyes(self.runtime, self.runtime, self.runtime)
        return Watcher(eyes, self.scene.tools, every, self.report, self.sightings)

    @property
    def sightings(self) -> Sightings:
        return self.scene.tools.sightings

    def report(self, signal: Signal) -> None:
        if signal.target in self.unstorable:
            self.unstorable.remove(signal.target)
            raise StoreUnavailable
        self.reported.append(signal)

    def look(self, times: int = 2) -> list[Fault]:
        """Look so often, and tell which faults were reported in all."""
        for _ in range(times):
            self.watcher.look()
        return [signal.fault for signal in self.reported]

    def measure(self, seconds: int) -> None:
        """Sample every two seconds for so long."""
        for _ in range(seconds // 2):
            self.scene.clock.advance(2)
            self.watcher.look()

    def tell(self, kind: ChangeKind, name: str = NAME, exit_code: int | None = None) -> None:
        """Let the watcher hear of a happening that is just now."""
        state = self.runtime.find(name)
        assert state
        self.watcher.hear(Change(kind=kind, at=self.scene.clock(), target=state.ref, exit_code=exit_code))
