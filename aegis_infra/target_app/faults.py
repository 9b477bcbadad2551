"""The faults: what goes wrong on purpose, by name. All are off until they are triggered."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class FaultError(ValueError):
    """A fault cannot be switched on as asked; the message says why."""


class Part(Protocol):
    """The part of the shop that goes wrong.

    `active`: it goes wrong, or what it left behind still does harm. `start` returns False where it is at it already.
    """

    @property
    def active(self) -> bool: ...
    def start(self, level: float, /) -> bool: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Grade:
    """How bad a fault is, as one number with its bounds."""

    name: str
    unit: str
    default: float
    lowest: float
    highest: float

    def read(self, text: str | None) -> float:
        """The number in `text`, or the default; raises FaultError."""
        if not text:
            return self.default
        try:
            level = float(text)
        except ValueError:
            level = float("nan")
        if not self.lowest <= level <= self.highest:
            bounds = f"{self.lowest:g} to {self.highest:g} {self.unit}"
            raise FaultError(f"{self.name} must be a number from {bounds}, got {text!r}")
        return level


@dataclass(frozen=True)
class Fault:
    """A fault in words; `expect` says what will be seen, with the grade as `{level}`."""

    name: str
    description: str
    expect: str
    grade: Grade | None = None


FAULTS: tuple[Fault, ...] = (
    Fault(
        "memory",
        "A report job caches its batches and never evicts them: memory grows to the limit.",
        "Memory grows by {level:g} MiB/s to 88 % of its limit, then slowly on until the kernel kills the process; "
        "above 85 % it is reported.",
        Grade("rate", "MiB/s", 16, 0.1, 1000),
    ),
    Fault(
        "cpu",
        "A price calculation never converges: its processes run in a busy loop.",
        "CPU rises to about {level:g} % of the allowance and stays there; above 85 % for some seconds it is reported.",
        Grade("percent", "% of the CPU allowance", 95, 5, 100),
    ),
    Fault(
        "db_latency",
        "A stock import holds the database's exclusive lock for long: every query waits for it.",
        "Requests and the health check take up to {level:g} seconds; a 95th percentile above a second is reported.",
        Grade("seconds", "s", 2, 0.1, 30),
    ),
    Fault(
        "crash",
        "A settlement record is truncated and the error is not handled: the process ends.",
        "After {level:g} seconds the process writes a traceback and ends with exit code 1.",
        Grade("delay", "s", 0.5, 0.1, 60),
    ),
    Fault(
        "unhealthy",
        "Two background workers take two locks in opposite order and deadlock: the health check fails.",
        "Within some seconds /health answers 503 and says which worker waits for what, until a restart or /reset.",
    ),
    Fault(
        "errors",
        "The payment gateway's address is one where nothing listens: orders fail.",
        "{level:g} % of the requests to /orders answer 500 with a connection error in the log; this is reported.",
        Grade("percent", "% of the requests", 100, 1, 100),
    ),
    Fault(
        "disk",
        "An export job never deletes its files: the data directory fills up.",
        "Files are written at {level:g} MiB/s until the disk is full, above 90 % it is reported; "
        "a restart does not remove them, /reset does.",
        Grade("rate", "MiB/s", 8, 0.1, 1000),
    ),
)


class FaultBoard:
    """Switches the faults of the given parts on and off; may be used from several threads."""

    def __init__(self, parts: Mapping[str, Part], faults: Sequence[Fault] = FAULTS) -> None:
        self._faults = {fault.name: (fault, parts[fault.name]) for fault in faults}
        self._lock = threading.Lock()

    def start(self, name: str, grades: Mapping[str, str]) -> dict[str, str]:
        """Switches a fault on and says what to expect; one that is on already stays as it is.

        Raises FaultError where the grade is out of bounds, KeyError for an unknown name.
        """
        fault, part = self._faults[name]
        level = fault.grade.read(grades.get(fault.grade.name)) if fault.grade else 0.0
        with self._lock:
            status = "started" if part.start(level) else "already active"
        return {"fault": name, "status": status, "expect": fault.expect.format(level=level)}

    def reset(self) -> list[str]:
        """Ends all faults that are on and undoes what they left; returns their names."""
        with self._lock:
            ended = self.active()
            for name in ended:
                self._faults[name][1].stop()
        return ended

    def active(self) -> list[str]:
        return [name for name, (_, part) in self._faults.items() if part.active]

    def listing(self) -> list[dict[str, Any]]:
        """All faults as JSON-ready objects: words, grade, and whether they are on."""
        return [
            {
                "name": fault.name,
                "description": fault.description,
                "expect": fault.expect.format(level=fault.grade.default if fault.grade else 0),
                "grade": vars(fault.grade) if fault.grade else None,
                "trigger": f"/trigger_{fault.name}",
                "active": part.active,
            }
            for fault, part in self._faults.values()
        ]
