"""Yes, no, and comments over HTTP: the first answer to what was shown counts, and every other is told why not."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from aegis_core.domain.events import EventType
from aegis_core.errors import RuntimeUnavailable
from tests import examples as make

from .api_house import SECRET, ApiHouse

TOKEN = "of-the-test"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data")
    yield opened
    opened.close()


def say(house: ApiHouse, path: str, **body: Any) -> Any:
    return house.http.post(f"/incidents/{path}", json={"by": "ann", **body})


def kinds(house: ApiHouse, incident_id: str) -> list[str]:
    return [one["type"] for one in house.http.get(f"/incidents/{incident_id}/events").json()["items"]]


def refused(answer: Any, status: int = 409) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    sentence: str = answer.json()["detail"]
    return sentence


def test_a_yes_is_answered_with_the_incident_as_it_stands_then(house: ApiHouse) -> None:
    waiting = house.waits()
    shown = house.shown(waiting)
    assert (shown["status"], shown["approval"]["action"], shown["approval"]["approved"]) == (
        "AWAITING_APPROVAL",
        "ROLLBACK",
        None,
    )
    answer = say(house, f"{waiting}/approve", comment="go on", version=shown["version"], via="dashboard")
    assert answer.status_code == 200
    assert answer.json()["status"] == "DECIDED"
    said = answer.json()["approval"]
    assert (said["by"], said["via"], said["comment"], said["approved"]) == ("ann", "dashboard", "go on", True)
    assert house.shown(waiting)["approval"] == said


def test_a_no_is_on_record_and_who_gives_no_way_came_by_the_api(house: ApiHouse) -> None:
    waiting = house.waits()
    said = say(house, f"{waiting}/reject", comment="not on a Friday").json()["approval"]
    assert (said["approved"], said["via"], said["comment"]) == (False, "api", "not on a Friday")
    assert kinds(house, waiting)[-1] == "Declined"


def test_the_second_answer_is_told_whose_the_first_was(house: ApiHouse) -> None:
    waiting = house.waits()
    say(house, f"{waiting}/approve")
    assert "ann has approved it already" in refused(say(house, f"{waiting}/reject", by="bob"))
    assert "ann has approved it already" in refused(say(house, f"{waiting}/approve"))


def test_of_many_answers_at_once_one_counts(house: ApiHouse) -> None:
    waiting = house.waits()
    paths = [f"{waiting}/{word}" for word in ("approve", "reject")] * 8
    with ThreadPoolExecutor(8) as people:
        codes = sorted(answer.status_code for answer in people.map(lambda path: say(house, path), paths))
    assert codes == [200] + [409] * 15
    said = [kind for kind in kinds(house, waiting) if kind in ("Approved", "Declined")]
    assert len(said) == 1


def test_an_answer_after_the_expiry_is_refused(house: ApiHouse) -> None:
    waiting = house.waits()
    house.clock.advance(1801)
    assert "expired" in refused(say(house, f"{waiting}/approve"))
    assert kinds(house, waiting)[-1] == "ApprovalRequested"


def test_an_answer_to_a_question_that_was_replaced_is_refused(house: ApiHouse) -> None:
    waiting = house.waits()
    seen = house.shown(waiting)["version"]
    house.happens(waiting, make.rested(make.later(1)), make.gathered(), make.asked(make.approval(shown=None)))
    assert "newer question" in refused(say(house, f"{waiting}/approve", version=seen))
    assert say(house, f"{waiting}/approve", version=seen + 3).status_code == 200


def test_a_comment_in_between_makes_no_other_question_of_it(house: ApiHouse) -> None:
    waiting = house.waits()
    seen = house.shown(waiting)["version"]
    say(house, f"{waiting}/comments", by="bob", comment="I would")
    assert say(house, f"{waiting}/approve", version=seen).status_code == 200


def test_what_was_approved_of_a_container_that_was_recreated_is_looked_at_anew(house: ApiHouse) -> None:
    waiting = house.waits()
    house.runtime.add("web", labels=make.LABELS)
    sentence = refused(say(house, f"{waiting}/approve"))
    assert "web was recreated since the question was asked. Nothing was done" in sentence
    shown = house.shown(waiting)
    assert (shown["status"], shown["approval"]) == ("ANALYZING", None)
    assert EventType.APPROVED not in kinds(house, waiting)
    assert "Nobody is asked" in refused(say(house, f"{waiting}/approve"))


def test_what_is_gone_can_still_be_refused(house: ApiHouse) -> None:
    waiting = house.waits()
    house.runtime.remove("web")
    assert say(house, f"{waiting}/reject").status_code == 200
    other = house.waits(shown=make.state())
    assert "no longer exists" in refused(say(house, f"{other}/approve"))


def test_while_the_runtime_is_away_an_answer_is_taken_for_it_is_asked_again_before_acting(house: ApiHouse) -> None:
    waiting = house.waits()
    house.runtime.failures.append(RuntimeUnavailable())
    assert say(house, f"{waiting}/approve").status_code == 200


def test_a_comment_stands_in_the_incident_with_its_author(house: ApiHouse) -> None:
    reported = house.post().json()["incident_id"]
    answer = say(house, f"{reported}/comments", comment="I am on it.\nGive me five minutes.")
    assert answer.status_code == 201
    (comment,) = house.shown(reported)["comments"]
    assert (comment["by"], comment["text"]) == ("ann", "I am on it.\nGive me five minutes.")


def test_secrets_in_what_people_say_are_not_stored(house: ApiHouse) -> None:
    waiting = house.waits()
    house.start()
    say(house, f"{waiting}/comments", by=f"ann {SECRET}", comment=f"I tried {SECRET} and password=hunter2-hunter2")
    say(house, f"{waiting}/approve", comment=f"log in with {SECRET}")
    told = house.http.get(f"/incidents/{waiting}/events").text
    assert SECRET not in told
    assert "hunter2" not in told
    assert "***" in told


def test_who_says_something_has_to_know_the_token(tmp_path: Path) -> None:
    house = ApiHouse(tmp_path / "data", token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    reported = house.http.post("/webhook", json={"container_name": "web", "alert_type": "memory"}, headers=bearer)
    path = f"/incidents/{reported.json()['incident_id']}/comments"
    body = {"by": "ann", "comment": "hello"}
    assert "bearer token is required" in refused(house.http.post(path, json=body), 401)
    assert "bearer token is required" in refused(
        house.http.post(path, json=body, headers={"Authorization": "Bearer no"}), 401
    )
    assert house.http.post(path, json=body, headers=bearer).status_code == 201
    house.close()


def test_where_only_senders_have_secrets_nobody_can_approve(tmp_path: Path) -> None:
    house = ApiHouse(tmp_path / "data", grafana_secret="of-grafana")
    assert "AEGIS_TOKEN has to be set" in refused(say(house, "inc-1/approve"), 401)
    house.close()


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_any_web_site_can_make_a_browser_post_is_not_taken(house: ApiHouse, media: str) -> None:
    waiting = house.waits()
    body = json.dumps({"by": "ann"}).encode()
    answer = house.http.post(f"/incidents/{waiting}/approve", content=body, headers={"Content-Type": media})
    assert "application/json" in refused(answer, 415)
    assert house.shown(waiting)["status"] == "AWAITING_APPROVAL"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("", 400, "empty"),
        ("[]", 400, "JSON object"),
        ("{", 400, "not valid JSON"),
        ("{}", 422, "by"),
        ('{"by": " "}', 422, "by"),
        ('{"by": "%s"}' % ("a" * 129), 422, "by"),
        ('{"by": "ann", "comment": "%s"}' % ("a" * 2001), 422, "comment"),
        ('{"by": "ann", "version": -1}', 422, "version"),
        ('{"by": "ann", "via": "slack"}', 422, "via"),
    ],
)
def test_a_body_that_says_nothing_usable_is_refused_with_what_is_wrong(
    house: ApiHouse, body: str, status: int, said: str
) -> None:
    waiting = house.waits()
    json_headers = {"Content-Type": "application/json"}
    answer = house.http.post(f"/incidents/{waiting}/approve", content=body, headers=json_headers)
    assert said in refused(answer, status)


def test_an_incident_that_is_not_there_can_neither_be_answered_nor_commented(house: ApiHouse) -> None:
    for path, body in (("approve", {}), ("reject", {}), ("comments", {"comment": "x"})):
        assert "no incident" in refused(say(house, f"inc-9/{path}", **body), 404)


def test_no_more_comments_are_kept_than_an_incident_can_carry(house: ApiHouse) -> None:
    reported = house.post().json()["incident_id"]
    for _ in range(200):
        house.happens(reported, make.commented())
    assert "no more are kept" in refused(say(house, f"{reported}/comments", comment="one more"))
