"""Fakes of the ports for tests. Each passes the same contract tests as the real thing."""

from .clock import FakeClock
from .outbox import MemoryOutbox
from .recall import MarksRecall
from .releases import MemoryReleases
from .runtime import FakeRuntime
from .stubs import StubBrain, StubProber

__all__ = ["FakeClock", "FakeRuntime", "MarksRecall", "MemoryOutbox", "MemoryReleases", "StubBrain", "StubProber"]
