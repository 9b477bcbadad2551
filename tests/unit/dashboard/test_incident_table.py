"""Rows of the table of incidents, and the filters of its page."""

from datetime import UTC, datetime, timedelta

from aegis_dashboard.components.incident_table import row
from aegis_dashboard.core_client import IncidentQuery
from aegis_dashboard.format import Clock
from aegis_dashboard.wire import Brief

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def brief(**fields: object) -> Brief:
    times = {"opened_at": NOW - timedelta(seconds=30), "updated_at": NOW}
    return Brief.model_validate({"incident_id": "i", "container_name": "app", **times, **fields})


def test_an_open_incident_counts_up_and_a_closed_one_shows_what_it_took() -> None:
    assert row(brief(status="VERIFYING"), Clock(NOW))["took"] == "30 s so far"
    assert row(brief(status="RESOLVED", closed_at=NOW, seconds=21.4), Clock(NOW))["took"] == "21 s"


def test_why_it_failed_is_shown_before_the_root_cause() -> None:
    assert (
        row(brief(status="FAILED", root_cause="It leaks.", error="Not opted in."), Clock(NOW))["cause"]
        == "Not opted in."
    )


def test_what_is_not_known_yet_is_a_dash() -> None:
    shown = row(brief(status="RECEIVED", root_cause=None, source=None, confidence=None), Clock(NOW))
    assert (shown["action"], shown["source"], shown["cause"]) == ("–", "–", "–")


def test_a_status_of_a_newer_core_is_told_as_it_is() -> None:
    assert row(brief(status="LOOKING_AROUND"), Clock(NOW))["status"] == "Looking around"


def test_what_waits_says_until_when_as_long_as_it_waits() -> None:
    waits = {"status": "ANALYZING", "waits_until": NOW + timedelta(seconds=5), "root_cause": "It leaks."}
    assert row(brief(**waits), Clock(NOW))["cause"] == "Waits until 12:00:05"
    assert row(brief(**waits | {"status": "RESOLVED"}), Clock(NOW))["cause"] == "It leaks."


def test_an_alert_that_names_no_container_is_told_in_words() -> None:
    named = brief(container_name="unmapped:grafana:Disk-full-3f2a9c1d")
    assert row(named, Clock(NOW))["target"] == "an unknown container"


def test_an_empty_filter_is_not_sent() -> None:
    assert IncidentQuery(status=None, search="").params() == {"limit": "25", "offset": "0"}
    assert IncidentQuery(open=False, target="app").params() == {
        "target": "app", "open": "false", "limit": "25", "offset": "0",
    }  # fmt: skip
