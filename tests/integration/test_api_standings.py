"""Maintenance and quarantine over HTTP: people switch them on and off, and the agent obeys."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aegis_core.domain.incident import Status
from tests import examples as make
from tests.contract.rigs import wait_until

from .api_house import ApiHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data")
    yield opened
    opened.close()


def say(house: ApiHouse, path: str, **body: Any) -> Any:
    return house.http.post(f"/targets/{path}", json={"by": "ann", **body})


def shown(house: ApiHouse) -> dict[str, Any]:
    return {one["target"]: one for one in house.http.get("/standings").json()["items"]}


def status(house: ApiHouse, incident_id: str) -> str:
    return str(house.http.get(f"/incidents/{incident_id}").json()["status"])


def kinds(house: ApiHouse, incident_id: str) -> list[str]:
    return [one["type"] for one in house.http.get(f"/incidents/{incident_id}/events").json()["items"]]


def begun(house: ApiHouse) -> str:
    """Start the agent with an incident of `web`; returns its id."""
    incident_id: str = house.post().json()["incident_id"]
    house.start()
    return incident_id


@pytest.mark.parametrize("name", ["web", "*"])
def test_during_maintenance_nothing_is_done_and_afterwards_it_is(house: ApiHouse, name: str) -> None:
    said = say(house, f"{name}/maintenance", minutes=30, reason="a new disk")
    assert said.status_code == 200
    assert said.json()["target"] == name
    incident_id = begun(house)
    wait_until(lambda: "Rested" in kinds(house, incident_id), "the incident to rest")
    assert house.runtime.starts("web") == 1
    assert shown(house)[name]["by"] == "ann"

    assert say(house, f"{name}/maintenance/end").status_code == 200
    assert shown(house) == {}
    house.clock.advance(301)
    house.post(container_name="elsewhere")  # what the clock of a test does nobody notices by itself
    wait_until(lambda: "ActionIntended" in kinds(house, incident_id), "it to be looked at again, and acted on")


def test_what_is_in_quarantine_by_hand_is_left_to_people_until_it_is_released(house: ApiHouse) -> None:
    say(house, "web/quarantine", minutes=30, reason="it flaps")
    incident_id = begun(house)
    wait_until(lambda: status(house, incident_id) == Status.FAILED, "it to be left to people")
    assert house.runtime.starts("web") == 1
    assert "In quarantine (ann, it flaps)" in house.http.get(f"/incidents/{incident_id}").json()["error"]
    assert shown(house)["web"]["quarantined_until"]

    assert say(house, "web/release").status_code == 200
    assert shown(house) == {}


def test_a_quarantine_that_policy_has_put_is_shown_and_can_be_released(house: ApiHouse) -> None:
    incident_id: str = house.post().json()["incident_id"]
    tried = [make.decided(), make.intended(), make.executed(), make.verified(False)]
    house.happens(incident_id, make.gathered(), make.diagnosed())
    for _ in range(3):
        house.happens(incident_id, *tried)
        house.clock.advance(60)
    house.happens(incident_id, make.failed())
    assert shown(house)["web"]["quarantined_until"]
    assert shown(house)["web"]["by"] == ""

    say(house, "web/release", reason="the disk is new")
    assert shown(house) == {}


def test_what_is_over_is_shown_no_more(house: ApiHouse) -> None:
    say(house, "*/maintenance", minutes=5)
    say(house, "web/quarantine", minutes=5)
    assert set(shown(house)) == {"*", "web"}
    house.clock.advance(timedelta(minutes=5).total_seconds())
    assert shown(house) == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("web/maintenance", {"minutes": 0}),
        ("web/maintenance", {"minutes": "soon"}),
        ("web/maintenance", {}),
        ("web/quarantine", {"minutes": 10_000_000}),
        ("web/release", {"by": ""}),
        ("a b/release", {}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(house: ApiHouse, path: str, body: dict[str, Any]) -> None:
    answer = say(house, path, **body)
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]
    assert shown(house) == {}


def test_with_a_token_set_only_who_knows_it_may_switch(tmp_path: Path) -> None:
    house = ApiHouse(tmp_path / "data", token="of-the-test")
    try:
        assert say(house, "web/maintenance", minutes=5).status_code == 401
        house.http.headers["Authorization"] = "Bearer of-the-test"
        assert say(house, "web/maintenance", minutes=5).status_code == 200
    finally:
        house.close()
