"""The samples: what the file promises, and the feed over it."""

import json
from pathlib import Path

import pytest

from aegis_core.domain import events as core_events
from aegis_core.domain.incident import fold
from aegis_dashboard.core_client import IncidentQuery, UnknownIncident
from aegis_dashboard.samples import SampleFeed
from aegis_dashboard.settings import Settings

FILE = Settings().samples_file
FEED = SampleFeed(FILE)


def test_every_sample_says_by_its_id_that_it_is_one() -> None:
    found = FEED.incidents(IncidentQuery(limit=100))
    assert found.total >= 6
    assert all(one.incident_id.startswith("sample-") for one in found.items)


@pytest.mark.parametrize("incident", json.loads(FILE.read_text())["incidents"], ids=lambda one: one["incident_id"])
def test_the_events_of_a_sample_are_a_whole_chain_and_fold_to_its_status(incident: dict) -> None:  # type: ignore[type-arg]
    """The core's own fold reads them, so that the samples keep the shape that the core writes."""
    previous, events = core_events.GENESIS, []
    for event in incident["events"]:
        place = {"incident_id": incident["incident_id"], "prev_hash": previous}
        events.append(core_events.Event.model_validate({**event, **place}))
        previous = event["hash"]
    assert core_events.first_broken(events) is None
    assert fold(events).status == incident["status"]


def test_the_filters_are_those_of_the_core() -> None:
    assert FEED.incidents(IncidentQuery(open=True)).total == 0
    assert {one.status for one in FEED.incidents(IncidentQuery(status="FAILED")).items} == {"FAILED"}
    assert [one.fault for one in FEED.incidents(IncidentQuery(search="CONVERGE")).items] == ["cpu_saturation"]
    first, second = (FEED.incidents(IncidentQuery(limit=1, offset=offset)) for offset in (0, 1))
    assert first.items[0].opened_at > second.items[0].opened_at
    assert first.total == second.total > 2


def test_a_sample_that_does_not_exist_is_unknown() -> None:
    with pytest.raises(UnknownIncident):
        FEED.incident("inc-1")


def test_the_sums_are_those_of_the_incidents() -> None:
    report = FEED.impact()
    assert report.incidents_resolved + report.incidents_failed == len(report.incidents)
    assert report.total_cost_savings == pytest.approx(sum(row.saved_dollars or 0 for row in report.incidents))


def test_the_download_of_sample_lessons_says_that_they_are_samples() -> None:
    assert FEED.runbook("").raw["sample"] is True


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"incidents": 3}', '{"incidents": [{"incident_id": 1}]}'])
def test_an_unreadable_file_gives_no_samples_and_no_error(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "samples.json"
    if content is not None:
        file.write_text(content)
    assert SampleFeed(file).incidents(IncidentQuery()).total == 0
