"""Somebody who listens for the changes of a runtime, as the agent does."""

import threading
import time
from collections.abc import Callable
from typing import Self

from aegis_core.domain.change import Change, ChangeKind
from aegis_core.errors import RuntimeUnavailable
from aegis_core.ports import Sensor


class Listening:
    """Listens in a thread, and asks again where the runtime is away. It has begun to hear when this is entered."""

    def __init__(self, sensor: Sensor) -> None:
        self.heard: list[Change] = []
        self.problems: list[RuntimeUnavailable] = []
        self._sensor = sensor
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait(lambda: self.heard, "the first change")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> float:
        """Say that it is over; returns how many seconds the runtime took to notice."""
        begun = time.monotonic()
        self._stopping.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        return time.monotonic() - begun

    def kinds(self, name: str) -> list[ChangeKind]:
        """What has happened to the target of this name, in order."""
        return [change.kind for change in list(self.heard) if change.target and change.target.name == name]

    def gaps(self) -> int:
        return sum(change.kind is ChangeKind.GAP for change in list(self.heard))

    def wait_for(self, kind: ChangeKind, name: str, times: int = 1) -> Change:
        """Wait until this has happened to the target of this name so many times; returns the last one."""
        self.wait(lambda: self.kinds(name).count(kind) >= times, f"{name}: {kind} {times}×")
        return [one for one in list(self.heard) if one.kind is kind and one.target and one.target.name == name][-1]

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}; heard {self.heard}"
            time.sleep(0.02)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                for change in self._sensor.changes(self._stopping):
                    self.heard.append(change)
            except RuntimeUnavailable as problem:
                self.problems.append(problem)
                self._stopping.wait(0.2)
