"""What the pipeline needs from the world: small protocols that speak the types of the domain.

Each is implemented by adapters and by a fake in `testing`, and both pass the same contract tests.
"""

from .knowledge import Brain, Recall, Runbook, Writer
from .notices import Channel, Outbox, OutboxItem
from .store import (
    Claim,
    EventLog,
    Feed,
    Filter,
    Incidents,
    Opening,
    Releases,
    Routes,
    StandingBook,
    Standings,
    WorkQueue,
)
from .targets import Clock, Effector, EvidenceSource, Prober, Reverter, Sensor, Stopping

__all__ = [
    "Brain",
    "Channel",
    "Claim",
    "Clock",
    "Effector",
    "EventLog",
    "EvidenceSource",
    "Feed",
    "Filter",
    "Incidents",
    "Opening",
    "Outbox",
    "OutboxItem",
    "Prober",
    "Recall",
    "Releases",
    "Reverter",
    "Routes",
    "Runbook",
    "Sensor",
    "StandingBook",
    "Standings",
    "Stopping",
    "WorkQueue",
    "Writer",
]
