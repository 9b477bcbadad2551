"""The panels of an incident: what they say before there is something to show."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis_dashboard.components import panels
from aegis_dashboard.format import Clock
from aegis_dashboard.wire import Detail

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def incident(status: str, **fields: Any) -> Detail:
    known = {"incident_id": "i", "container_name": "app", "opened_at": NOW, "updated_at": NOW}
    return Detail.model_validate({**known, "fault": "cpu_saturation", "status": status, **fields})


def test_while_it_is_verified_the_panel_says_what_has_to_be_proven() -> None:
    shown = panels.verification(incident("VERIFYING", attempts=1), Clock(NOW))
    assert "is being proven" in shown
    assert "it was started after the action" in shown
    assert "CPU saturation is gone" in shown
    assert "holds" not in shown


def test_where_nothing_was_done_no_start_after_it_has_to_be_proven() -> None:
    assert "started after" not in panels.verification(incident("VERIFYING"), Clock(NOW))


def test_what_was_seen_takes_the_place_of_what_is_to_be_proven() -> None:
    seen = {"healthy": True, "conditions": [{"name": "running", "holds": True, "seen": "running"}]}
    shown = panels.verification(incident("VERIFYING", attempts=1, verification=seen), Clock(NOW))
    assert "1 of 1 hold" in shown
    assert "proven" not in shown


@pytest.mark.parametrize(
    ("status", "waits_until", "said"),
    [
        ("RECEIVED", None, "The brain is being asked…"),
        ("ANALYZING", NOW + timedelta(seconds=5), "The brain is asked after the wait."),
        ("FAILED", NOW + timedelta(seconds=5), "There was no diagnosis."),
    ],
)
def test_a_missing_diagnosis_says_why_it_is_missing(status: str, waits_until: datetime | None, said: str) -> None:
    assert said in panels.diagnosis(incident(status, waits_until=waits_until))


def test_only_an_alert_without_a_container_says_that_it_names_none() -> None:
    assert panels.nobody(incident("FAILED")) is None
    note = panels.nobody(incident("FAILED", container_name="unmapped:grafana:Disk-3f2a9c1d"))
    assert note is not None
    assert "AEGIS_TARGET_LABELS" in note


def test_who_saw_the_cause_otherwise_is_shown_beside_the_diagnosis() -> None:
    words = "rules rules-9: dns_failure, NOOP (0.60). A name does not resolve."
    known = {"root_cause": "The cache is full.", "action": "RESTART", "category": "oom", "source": "cloud"}
    shown = panels.diagnosis(incident("DECIDED", analysis={**known, "dissent": [words]}))
    assert "Seen otherwise by" in shown
    assert words in shown
    assert "Seen otherwise by" not in panels.diagnosis(incident("DECIDED", analysis=known))
