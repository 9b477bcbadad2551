"""A question waits for hours, also while there is no agent; whatever happens meanwhile, it is answered at most once."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import examples as make
from tests.contract.rigs import wait_until

from .api_house import ApiHouse

HOURS = 3_600.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    """An agent that asks before everything, and waits three hours for an answer."""
    opened = ApiHouse(tmp_path / "data", autonomy="suggest", approval_seconds=3 * HOURS, sense_seconds=3_600)
    opened.start()
    yield opened
    opened.close()


def asked(house: ApiHouse) -> str:
    """Report trouble, and let the agents ask people for a restart; returns the incident's id."""
    incident_id: str = house.post().json()["incident_id"]
    stands(house, incident_id, "AWAITING_APPROVAL")
    assert house.shown(incident_id)["approval"]["action"] == "RESTART"
    return incident_id


def stands(house: ApiHouse, incident_id: str, status: str) -> None:
    wait_until(lambda: house.shown(incident_id)["status"] == status, f"{status}, and not {house.shown(incident_id)}")


def say(house: ApiHouse, incident_id: str, word: str = "approve", **body: Any) -> Any:
    return house.http.post(f"/incidents/{incident_id}/{word}", json={"by": "ann", **body})


def restarts(house: ApiHouse) -> int:
    return house.runtime.starts("web") - 1


def tampered(house: ApiHouse, incident_id: str) -> None:
    """What an older version has written lacks what is new, and what a newer one has written holds what is not known."""
    with closing(sqlite3.connect(house.folder / "aegis.db")) as store, store:
        [state] = store.execute("SELECT state FROM incidents WHERE id = ?", [incident_id]).fetchone()
        known = json.loads(state)
        del known["approval"]["version"], known["comments"]
        known["approval"]["of_a_later_version"] = known["of_a_later_version"] = {"more": [1]}
        store.execute("UPDATE incidents SET state = ? WHERE id = ?", [json.dumps(known), incident_id])


def test_two_hours_a_restart_and_an_upgrade_later_it_still_waits_and_a_yes_acts_once(house: ApiHouse) -> None:
    incident_id = asked(house)
    house.close()
    tampered(house, incident_id)
    house.clock.advance(2 * HOURS)
    house.build()
    house.start()
    assert house.shown(incident_id)["status"] == "AWAITING_APPROVAL"
    assert restarts(house) == 0
    assert say(house, incident_id, version=house.shown(incident_id)["version"]).status_code == 200
    stands(house, incident_id, "RESOLVED")
    assert restarts(house) == 1
    assert house.shown(incident_id)["approval"]["by"] == "ann"


def test_a_yes_just_before_the_agent_ends_is_carried_out_by_the_next_one_once(house: ApiHouse) -> None:
    incident_id = asked(house)
    house.close()
    house.build()  # it serves, and does nothing by itself yet
    assert say(house, incident_id).status_code == 200
    house.close()
    house.build()
    house.start()
    stands(house, incident_id, "RESOLVED")
    assert restarts(house) == 1


@pytest.mark.parametrize("away", [False, True], ids=["the agent runs", "the agent was away"])
def test_without_an_answer_nothing_is_done_and_people_are_told(house: ApiHouse, away: bool) -> None:
    incident_id = asked(house)
    if away:
        house.close()
    house.clock.advance(3 * HOURS)
    if away:
        house.build()
        house.start()
    house.post(container_name="wake-up")
    stands(house, incident_id, "FAILED")
    assert "Nobody answered in time" in house.shown(incident_id)["error"]
    assert restarts(house) == 0
    late = say(house, incident_id)
    assert late.status_code == 409
    assert "expired" in late.json()["detail"]
    assert restarts(house) == 0


def test_double_clicks_and_many_people_at_once_are_one_action(house: ApiHouse) -> None:
    incident_id = asked(house)
    with ThreadPoolExecutor(8) as people:
        said = list(people.map(lambda number: say(house, incident_id, by=f"p{number}"), range(16)))
    assert sorted(answer.status_code for answer in said) == [200] + [409] * 15
    stands(house, incident_id, "RESOLVED")
    assert restarts(house) == 1
    assert say(house, incident_id).status_code == 409


def test_a_yes_and_a_no_at_once_are_one_of_the_two_and_never_both(house: ApiHouse) -> None:
    incident_id = asked(house)
    with ThreadPoolExecutor(2) as people:
        yes, no = people.map(lambda word: say(house, incident_id, word).status_code, ("approve", "reject"))
    assert {yes, no} == {200, 409}
    stands(house, incident_id, "RESOLVED" if yes == 200 else "FAILED")
    assert restarts(house) == (1 if yes == 200 else 0)


def test_what_was_approved_of_the_old_container_is_not_done_to_the_new_one_and_is_asked_anew(house: ApiHouse) -> None:
    incident_id = asked(house)
    seen = house.shown(incident_id)
    house.runtime.add("web", labels=make.LABELS, limits=make.state().limits)
    answer = say(house, incident_id, version=seen["version"])
    assert answer.status_code == 409
    assert "recreated" in answer.json()["detail"]
    stands(house, incident_id, "AWAITING_APPROVAL")
    assert restarts(house) == 0
    again = house.shown(incident_id)
    assert again["approval"]["shown"]["ref"]["id"] != seen["approval"]["shown"]["ref"]["id"]
    assert "newer question" in say(house, incident_id, version=seen["version"]).json()["detail"]
    assert say(house, incident_id, version=again["version"]).status_code == 200
    stands(house, incident_id, "RESOLVED")
    assert restarts(house) == 1


def test_a_container_that_was_recreated_after_the_yes_is_left_alone_and_asked_about(house: ApiHouse) -> None:
    incident_id = asked(house)
    house.close()
    house.build()
    assert say(house, incident_id).status_code == 200
    house.close()
    house.runtime.add("web", labels=make.LABELS)
    house.build()
    house.start()
    stands(house, incident_id, "AWAITING_APPROVAL")
    assert restarts(house) == 0
    assert house.runtime.applied == []


def test_a_no_ends_it_with_the_reason_of_who_said_so(house: ApiHouse) -> None:
    incident_id = asked(house)
    say(house, incident_id, "reject", comment="not on a Friday")
    stands(house, incident_id, "FAILED")
    error = house.shown(incident_id)["error"]
    assert "ann has declined RESTART" in error
    assert "not on a Friday" in error
    assert restarts(house) == 0
