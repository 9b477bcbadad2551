"""The feed of the agents."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aegis_dashboard.components.timeline import feed, timeline
from aegis_dashboard.format import Clock
from aegis_dashboard.wire import Event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WAIT = {"until": NOW.isoformat(), "waits_for": "db", "reason": "It fails because of db."}


def events(*rows: tuple[str, dict[str, Any]]) -> list[Event]:
    return [
        Event(version=version, type=type_, at=NOW + timedelta(seconds=version), data=data)
        for version, (type_, data) in enumerate(rows, start=1)
    ]


def test_what_happens_again_and_again_stands_in_the_feed_once_and_is_counted() -> None:
    waited = events(("SignalReceived", {}), *[("Rested", WAIT)] * 12, ("EvidenceGathered", {}), ("Rested", WAIT))
    shown = feed(waited, Clock(NOW))
    assert shown.count("Waits for db") == 2
    assert "12×" in shown
    assert "12:00:13" in shown  # the newest of them
    assert timeline(waited, Clock(NOW)).count("Waits for db") == 13
