"""The postmortem over HTTP: the facts at once, and a model's words where there is a model that gives usable ones."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aegis_core.domain.postmortem import Words
from aegis_core.pipeline import retell
from aegis_core.pipeline.retell import Postmortems
from tests import examples as make
from tests.contract.rigs import wait_until

from .api_house import ApiHouse
from .llm_servers import fails, hangs, ollama_server, openai_server, says

WORDS = "The memory of web was nearly used up, so it was restarted, and after that it was verified to be healthy again."


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., ApiHouse]]:
    """Opens one house, with these settings."""
    houses: list[ApiHouse] = []

    def opened(**settings: Any) -> ApiHouse:
        houses.append(ApiHouse(tmp_path / "data", **settings))
        return houses[-1]

    yield opened
    for house in houses:
        house.close()


def told(house: ApiHouse, incident_id: str) -> dict[str, Any]:
    answer = house.http.get(f"/incidents/{incident_id}/postmortem?format=json")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_healed_incident_is_told_in_markdown_without_any_model(open_house: Callable[..., ApiHouse]) -> None:
    house = open_house()
    healed = house.healed()
    answer = house.http.get(f"/incidents/{healed}/postmortem")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.startswith("# Postmortem: memory pressure on web\n")
    for said in ("RESTART was carried out (1 attempt)", "## Verification", "| ✔ | running |", "saved**"):
        assert said in answer.text
    assert told(house, healed)["written_by"] == ""


def test_an_incident_that_is_not_there_has_none(open_house: Callable[..., ApiHouse]) -> None:
    answer = open_house().http.get("/incidents/inc-9/postmortem")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_an_unknown_form_is_refused(open_house: Callable[..., ApiHouse]) -> None:
    assert open_house().http.get("/incidents/inc-9/postmortem?format=pdf").status_code == 422


def test_the_words_are_the_models_where_there_is_one_and_it_is_asked_once(open_house: Callable[..., ApiHouse]) -> None:
    with openai_server(says(WORDS)) as server:
        house = open_house(llm_base_url=f"{server.url}/v1", llm_api_key="of-the-test", llm_model="small")
        healed = house.healed()
        answers = [told(house, healed) for _ in range(3)]
    assert {(one["summary"], one["written_by"]) for one in answers} == {(WORDS, "cloud (small)")}
    assert f"## Summary\n\n{WORDS}\n\n_The words above are by cloud (small)" in answers[0]["markdown"]
    (request,) = server.requests
    assert "response_format" not in request.json
    assert "<<<FACTS" in request.json["messages"][1]["content"]


def test_the_model_may_be_a_local_one(open_house: Callable[..., ApiHouse]) -> None:
    with ollama_server(says(WORDS)) as server:
        house = open_house(ollama_url=server.url, ollama_model="tiny")
        assert told(house, house.healed())["written_by"] == "ollama (tiny)"
    assert server.requests[-1].json.get("format") in (None, "")


@pytest.mark.parametrize("reply", [fails(500), fails(401), says("All 4711 hosts are fine."), says("")])
def test_a_model_that_fails_or_makes_things_up_leaves_the_plain_words(
    open_house: Callable[..., ApiHouse], reply: Any
) -> None:
    with openai_server(reply) as server:
        house = open_house(llm_base_url=f"{server.url}/v1", llm_api_key="of-the-test", llm_timeout_seconds=1.0)
        answer = told(house, house.healed())
    assert answer["written_by"] == ""
    assert "RESTART was carried out" in answer["summary"]


def test_nobody_waits_for_a_late_model_and_its_words_are_there_the_next_time(
    open_house: Callable[..., ApiHouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retell.Postmortems.__init__, "__defaults__", (0.05,))
    free = threading.Event()

    def late(exchange: Any) -> None:
        free.wait(20)
        says(WORDS)(exchange)

    with openai_server(late) as server:
        house = open_house(llm_base_url=f"{server.url}/v1", llm_api_key="of-the-test", llm_timeout_seconds=20.0)
        healed = house.healed()
        assert told(house, healed)["written_by"] == ""
        free.set()
        wait_until(lambda: told(house, healed)["written_by"], "the words")
    assert len(server.requests) == 1


def test_an_incident_that_is_under_way_is_told_without_asking_a_model(open_house: Callable[..., ApiHouse]) -> None:
    with openai_server(says(WORDS)) as server:
        house = open_house(llm_base_url=f"{server.url}/v1", llm_api_key="of-the-test")
        waiting = house.waits()
        answer = told(house, waiting)
    assert "It has not ended yet: it is AWAITING_APPROVAL." in answer["summary"]
    assert server.requests == []


def test_the_end_of_the_agent_does_not_wait_for_a_model(open_house: Callable[..., ApiHouse]) -> None:
    with openai_server(hangs) as server:
        house = open_house(llm_base_url=f"{server.url}/v1", llm_api_key="of-the-test", llm_timeout_seconds=60.0)
        healed = house.healed()
        asking = threading.Thread(target=told, args=(house, healed))
        asking.start()
        wait_until(lambda: server.requests, "the model to be asked")
        asking.join(10)
        assert not asking.is_alive()


class Slow:
    """A writer that waits to be let go. `most` is how many it had in hand at once."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.asked = 0

    def write(self, facts: str) -> Words:
        self.asked += 1
        self.free.wait(20)
        return Words(text=WORDS, by="slow")


def test_many_who_ask_at_once_do_not_keep_many_models_busy(open_house: Callable[..., ApiHouse]) -> None:
    house, writer = open_house(), Slow()
    ids = [house.post(container_name=f"web-{number}").json()["incident_id"] for number in range(5)]
    for one in ids:
        house.log.answer(one, lambda _: [make.failed()], house.clock())
    postmortems = Postmortems(house.agent.services.incidents, writer, patience=0.01)
    assert [postmortems.of(one).summary.by for one in ids * 2] == [""] * 10
    assert writer.asked == retell.MOST_AT_WORK
    writer.free.set()
    wait_until(lambda: all(postmortems.of(one).summary.by for one in ids), "all words")
    assert writer.asked == len(ids)
