"""The HTTP interface: the shape of every answer, and that nothing which comes in can break it."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from aegis_core.adapters.store import database
from aegis_core.api import intake
from tests.contract.rigs import wait_until

from .api_house import SECRET, ApiHouse, answer_of, head_of_post, served

PROBLEM = {"type", "title", "status", "detail"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data")
    yield opened
    opened.close()


def problem(answer: Any, status: int) -> str:
    """Check that it is a problem+json of this status; returns its sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == PROBLEM
    assert answer.json()["status"] == status
    sentence: str = answer.json()["detail"]
    assert sentence
    return sentence


# ---- signals


def test_a_signal_is_answered_at_once_with_its_incident_and_stored_by_then(house: ApiHouse) -> None:
    answer = house.post(incident_id="alert-7")
    assert answer.status_code == 202
    assert answer.json() == {
        "incident_id": "alert-7",
        "container_name": "web",
        "status": "RECEIVED",
        "analysis": None,
        "error": None,
    }
    assert house.stored() == ["alert-7"]


@pytest.mark.parametrize(
    "again", [{"incident_id": "alert-7"}, {"incident_id": "alert-8"}, {}, {"alert_type": "memory_leak"}]
)
def test_a_repeated_id_and_the_same_trouble_join(house: ApiHouse, again: dict[str, str]) -> None:
    house.post(incident_id="alert-7")
    answer = house.post(**again)
    assert (answer.status_code, answer.json()["incident_id"]) == (200, "alert-7")
    assert house.shown("alert-7")["signals"] == 2
    assert house.stored() == ["alert-7"]


def test_another_target_or_trouble_is_another_incident(house: ApiHouse) -> None:
    ids = [house.post().json()["incident_id"] for _ in range(2)]
    ids += [house.post(container_name="db").json()["incident_id"], house.post(alert_type="cpu").json()["incident_id"]]
    assert len(set(ids)) == 3


def test_everything_that_a_sender_may_tell_is_kept(house: ApiHouse) -> None:
    house.post(
        incident_id="alert-7",
        severity="page",
        logs="one\ntwo",
        metrics={"memory_percent": 93, "text": "no number", "flag": True, "none": None},
        timestamp="2026-11-20T13:00:00+02:00",
        of_a_later_version={"more": []},
    )
    shown = house.shown("alert-7")
    assert (shown["severity"], shown["log_tail"], shown["metrics"]) == (
        "critical",
        ["one", "two"],
        {"memory_percent": 93},
    )
    (event,) = house.http.get("/incidents/alert-7/events").json()["items"]
    assert event["data"]["signal"]["at"] == "2026-11-20T11:00:00Z"


def test_lines_may_come_as_a_list_and_a_time_without_a_zone_is_utc(house: ApiHouse) -> None:
    house.post(incident_id="alert-7", logs=["one", "two"], timestamp="2026-11-20T11:00:00")
    assert house.shown("alert-7")["log_tail"] == ["one", "two"]
    (event,) = house.http.get("/incidents/alert-7/events").json()["items"]
    assert event["data"]["signal"]["at"] == "2026-11-20T11:00:00Z"


def test_a_signal_can_be_reported_by_hand(house: ApiHouse) -> None:
    answer = house.post(path="/incidents", alert_type="crashed")
    assert answer.status_code == 202
    assert house.shown(answer.json()["incident_id"])["fault"] == "crashed"


def test_a_closed_incident_is_answered_with_its_end(house: ApiHouse) -> None:
    incident_id = house.healed()
    answer = house.post(incident_id=incident_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "RESOLVED")
    assert answer.json()["analysis"]["root_cause"] == "A cache grows without bound."


# ---- what is shown


BRIEF = {
    "incident_id", "container_name", "fault", "alert_type", "severity", "status", "opened_at", "updated_at",
    "closed_at", "seconds", "signals", "attempts", "root_cause", "category", "action", "source", "confidence", "error",
    "cost_savings", "waits_until",
}  # fmt: skip
DETAIL = {
    "analysis", "evidence_lines", "missing", "log_tail", "metrics", "precedents", "decision", "intent", "verification",
    "lesson", "impact", "tried", "version",
}  # fmt: skip


def test_the_whole_way_of_an_incident_is_shown(house: ApiHouse) -> None:
    shown = house.shown(house.healed())
    assert set(shown) >= BRIEF | DETAIL
    assert (shown["status"], shown["action"], shown["attempts"], shown["source"]) == ("RESOLVED", "RESTART", 1, "rules")
    assert shown["analysis"]["category"] == "oom"
    assert {"number": "E1", "text": "signal: memory_pressure (critical)"} in shown["evidence_lines"]
    assert shown["decision"]["verdict"] == "ACT"
    assert shown["verification"]["healthy"]
    assert {"name", "holds", "seen", "pending"} == set(shown["verification"]["conditions"][0])
    assert shown["lesson"]["verified_healthy"]
    assert shown["impact"]["formula"]
    assert shown["seconds"] > 0


def test_an_incident_that_nobody_has_looked_at_can_be_shown(house: ApiHouse) -> None:
    house.post(incident_id="alert-7", logs="what was reported")
    shown = house.shown("alert-7")
    assert set(shown) >= BRIEF | DETAIL
    assert (shown["analysis"], shown["verification"], shown["log_tail"]) == (None, None, ["what was reported"])


def test_the_timeline_is_shown_in_order_with_its_chain(house: ApiHouse) -> None:
    events = house.http.get(f"/incidents/{house.healed()}/events").json()["items"]
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("SignalReceived", "LessonLearned")
    assert all({"version", "type", "at", "agent", "data", "hash"} <= set(event) for event in events)
    assert {event["agent"] for event in events} == {"detection", "diagnosis", "resolution", "communication"}


def test_no_secret_of_a_target_is_shown_anywhere(house: ApiHouse) -> None:
    house.runtime.say("web", f"cannot log in with {SECRET}")
    house.start()
    incident_id = house.post(logs=f"login with {SECRET} failed").json()["incident_id"]
    wait_until(lambda: house.shown(incident_id)["status"] == "RESOLVED", "it to be healed")
    paths = [f"/incidents/{incident_id}", f"/incidents/{incident_id}/events", "/incidents", "/targets", "/runbook"]
    for path in [*paths, "/impact", "/metrics", "/ready"]:
        assert SECRET not in house.http.get(path).text, path
    assert all(SECRET.encode() not in file.read_bytes() for file in house.folder.iterdir() if file.is_file())


def test_incidents_are_listed_newest_first_in_pages(house: ApiHouse) -> None:
    for number in range(5):
        house.post(container_name=f"web-{number}", incident_id=f"alert-{number}")
    page = house.http.get("/incidents", params={"limit": 2, "offset": 1}).json()
    assert {key: page[key] for key in ("total", "limit", "offset")} == {"total": 5, "limit": 2, "offset": 1}
    assert [one["incident_id"] for one in page["items"]] == ["alert-3", "alert-2"]
    assert set(page["items"][0]) >= BRIEF


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"status": "RECEIVED"}, {"a", "b", "c"}),
        ({"status": "RESOLVED"}, set()),
        ({"target": "web"}, {"a", "b"}),
        ({"fault": "crashed"}, {"b"}),
        ({"open": "true"}, {"a", "b", "c"}),
        ({"open": "false"}, set()),
        ({"search": "DB"}, {"c"}),
        ({"search": "%"}, set()),
        ({"target": "web", "fault": "crashed", "search": "b"}, {"b"}),
    ],
)
def test_every_filter_narrows_the_list(house: ApiHouse, wanted: dict[str, str], found: set[str]) -> None:
    house.post(incident_id="a")
    house.post(incident_id="b", alert_type="crashed")
    house.post(incident_id="c", container_name="db")
    page = house.http.get("/incidents", params=wanted).json()
    assert {one["incident_id"] for one in page["items"]} == found
    assert page["total"] == len(found)


def test_targets_are_shown_with_their_samples_and_their_open_incident(tmp_path: Path) -> None:
    house = ApiHouse(tmp_path / "data", debounce_seconds=60.0)
    try:
        house.runtime.add("stranger", labels={})
        incident_id = house.post().json()["incident_id"]
        house.start()
        wait_until(lambda: house.http.get("/targets").json()["items"][0]["series"], "a sample")
        web, stranger = house.http.get("/targets").json()["items"]
    finally:
        house.close()
    assert (web["name"], web["run"], web["opted_in"], web["own"]) == ("web", "running", True, False)
    assert web["limits"]["memory_bytes"] == 128 * 2**20
    assert web["usage"]["memory_percent"] == pytest.approx(93.75)
    assert {"at", "memory_bytes", "memory_percent", "cpu_percent"} <= set(web["series"][0])
    assert web["open_incident_id"] == incident_id
    assert (stranger["name"], stranger["opted_in"], stranger["series"]) == ("stranger", False, [])
    assert stranger["open_incident_id"] is None


def test_the_runbook_is_shown_newest_first_and_can_be_searched(house: ApiHouse) -> None:
    incident_id = house.healed()
    wait_until(lambda: house.http.get("/runbook").json()["entries"][0]["incident_id"] == incident_id, "the lesson")
    whole = house.http.get("/runbook").json()
    assert whole["total"] == len(whole["entries"]) > 1
    found = house.http.get("/runbook", params={"search": f"web {incident_id.upper()}"}).json()
    assert [one["incident_id"] for one in found["entries"]] == [incident_id]
    assert found["total"] == whole["total"]
    assert house.http.get("/runbook", params={"search": "nothing like it"}).json()["entries"] == []


def test_the_impact_is_the_sum_of_the_incidents_that_are_listed_with_it(house: ApiHouse) -> None:
    empty = house.http.get("/impact").json()
    assert (empty["incidents_resolved"], empty["success_rate"], empty["avg_mttr_seconds"]) == (0, None, None)
    house.healed()
    house.post(container_name="nobody", incident_id="alert-7")
    wait_until(lambda: house.shown("alert-7")["status"] == "FAILED", "the other one to fail")
    impact = house.http.get("/impact").json()
    assert (impact["incidents_resolved"], impact["incidents_healed"], impact["incidents_failed"]) == (1, 1, 1)
    assert impact["success_rate"] == 1.0
    assert impact["total_cost_savings"] == sum(one["saved_dollars"] for one in impact["incidents"]) > 0
    healed = [one for one in impact["incidents"] if one["attempts"]]
    assert impact["avg_mttr_seconds"] == healed[0]["seconds"]


def test_health_says_that_the_process_lives(house: ApiHouse) -> None:
    assert house.http.get("/health").json()["status"] == "ok"


def test_ready_says_what_everything_depends_on(house: ApiHouse) -> None:
    house.start()
    answer = house.http.get("/ready")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "ready")
    assert {"store", "runtime", "brain"} <= set(body["checks"])
    assert all(set(check) == {"ok", "detail"} for check in body["checks"].values())


def test_metrics_count_what_came_and_what_was_healed(house: ApiHouse) -> None:
    house.healed()
    families = {family.name: family for family in text_string_to_metric_families(house.http.get("/metrics").text)}
    (created,) = [one for one in families["incidents_created"].samples if one.name.endswith("_total")]
    assert (created.labels, created.value) == ({"fault": "memory_pressure", "severity": "critical"}, 1)
    (resolved,) = [one for one in families["incidents_resolved"].samples if one.name.endswith("_total")]
    assert (resolved.labels["action"], resolved.labels["source"], resolved.value) == ("RESTART", "rules", 1)
    (count,) = [one for one in families["incident_duration_seconds"].samples if one.name.endswith("_count")]
    assert count.value == 1
    assert families["active_incidents"].samples[0].value == 0
    assert "ai_analysis_duration_seconds" in families


# ---- what is refused


@pytest.mark.parametrize("path", ["/incidents/nobody", "/incidents/nobody/events", "/incidents/%00", "/incidents/%ff"])
def test_an_unknown_incident_is_404(house: ApiHouse, path: str) -> None:
    assert "no incident" in problem(house.http.get(path), 404)


@pytest.mark.parametrize("path", ["/nowhere", "/incidents/a/b/c"])
def test_an_unknown_path_is_404(house: ApiHouse, path: str) -> None:
    problem(house.http.get(path), 404)


def test_a_wrong_method_is_405_and_says_which_are_right(house: ApiHouse) -> None:
    answer = house.http.delete("/incidents")
    problem(answer, 405)
    assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"status": "OPEN"}, "status"),
        ({"fault": "tired"}, "fault"),
        ({"open": "maybe"}, "open"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "9" * 30}, "offset"),
        ({"search": "x" * 201}, "search"),
        ({"target": "x" * 257}, "target"),
    ],
)
def test_a_query_that_means_nothing_is_422_and_named(house: ApiHouse, query: dict[str, str], named: str) -> None:
    assert named in problem(house.http.get("/incidents", params=query), 422)


@pytest.mark.parametrize("query", [{"target": "\0"}, {"target": "'; DROP TABLE events --"}, {"offset": "2000000000"}])
def test_a_strange_query_finds_nothing(house: ApiHouse, query: dict[str, str]) -> None:
    house.post()
    assert house.http.get("/incidents", params=query).json()["items"] == []


BAD_VALUES = [
    ({"container_name": "../etc/passwd"}, "container_name"),
    ({"container_name": ""}, "container_name"),
    ({"container_name": "x" * 256}, "container_name"),
    ({"container_name": "web\n"}, "container_name"),
    ({"container_name": None}, "container_name"),
    ({"container_name": ["web"]}, "container_name"),
    ({"alert_type": ""}, "alert_type"),
    ({"alert_type": "x" * 129}, "alert_type"),
    ({"alert_type": 7}, "alert_type"),
    ({"incident_id": "a/b"}, "incident_id"),
    ({"incident_id": "x" * 121}, "incident_id"),
    ({"incident_id": ""}, "incident_id"),
    ({"severity": 3}, "severity"),
    ({"logs": {"line": 1}}, "logs"),
    ({"logs": [1, 2]}, "logs"),
    ({"timestamp": "yesterday"}, "timestamp"),
    ({"timestamp": 1e300}, "timestamp"),
    ({"metrics": [1]}, "metrics"),
]


@pytest.mark.parametrize(("bad", "named"), BAD_VALUES)
def test_a_value_that_cannot_be_is_422_and_named(house: ApiHouse, bad: dict[str, Any], named: str) -> None:
    assert named in problem(house.post(**bad), 422)
    assert house.stored() == []


def native(**fields: str) -> bytes:
    """A native body; the fields are JSON as it stands."""
    known = {"container_name": '"web"', "alert_type": '"memory"', **fields}
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in known.items()) + "}").encode()


BAD_BODIES = {
    "empty": b"",
    "white space": b" \n ",
    "text": b"memory is high",
    "array": b"[" + native() + b"]",
    "number": b"7",
    "null": b"null",
    "NaN": native(metrics='{"a": NaN}'),
    "Infinity": native(metrics='{"a": -Infinity}'),
    "duplicate key": native()[:-1] + b', "container_name": "db"}',
    "duplicate key inside": native(metrics='{"a": 1, "a": 2}'),
    "cut": native()[:-1],
    "two documents": native() + native(),
    "deep array": b"[" * 200_000 + b"]" * 200_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "integer of a million digits": native(metrics='{"a": ' + "9" * 900_000 + "}"),
    "not UTF-8": native()[:-2] + b'\xff\xfe"}',
    "UTF-16": native().decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + native(),
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_no_json_object_is_400(house: ApiHouse, body: bytes) -> None:
    sentence = problem(house.http.post("/webhook", content=body), 400)
    assert len(sentence) < 400
    assert house.stored() == []


STRANGE_BODIES = {
    "1e400": native(metrics='{"a": 1e400, "b": 2}'),
    "integer of 400 digits": native(metrics='{"b": 2, "a": ' + "9" * 400 + "}"),
    "NUL": native(alert_type=r'"me\u0000mory"', logs=r'"a\u0000b"'),
    "deep inside": native(more="[" * 200 + "]" * 200),
    "no metrics": native(metrics="null"),
    "many metrics": native(metrics=json.dumps({f"m{number}": number for number in range(5000)})),
    "long metric names": native(metrics=json.dumps({"x" * 5000: 1})),
}


@pytest.mark.parametrize("body", STRANGE_BODIES.values(), ids=STRANGE_BODIES.keys())
def test_a_strange_body_is_taken_in_cleaned_or_refused_and_never_breaks_anything(house: ApiHouse, body: bytes) -> None:
    answer = house.http.post("/webhook", content=body)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)
        assert answer.status_code in {400, 422}
        return
    shown = house.shown(answer.json()["incident_id"])
    assert len(shown["metrics"]) <= 64
    assert all(abs(value) < 1e18 for value in shown["metrics"].values())
    assert "\0" not in json.dumps(shown)


SURROGATE = "\ud800"


@pytest.mark.parametrize(
    "fields",
    [
        {"container_name": SURROGATE},
        {"alert_type": SURROGATE},
        {"incident_id": SURROGATE},
        {"severity": SURROGATE},
        {"logs": SURROGATE},
        {"timestamp": SURROGATE},
        {"metrics": {SURROGATE: 1}},
        {"metrics": {SURROGATE: "x"}},
        {"metrics": {"a": SURROGATE}},
        {SURROGATE: SURROGATE},
    ],
)
def test_lone_surrogates_anywhere_are_refused_or_cleaned(house: ApiHouse, fields: dict[str, Any]) -> None:
    """They are in no character set: neither an answer nor a store can hold them."""
    answer = house.post(**fields)
    if answer.status_code >= 400:
        problem(answer, 422)
    else:
        assert house.stored() == [answer.json()["incident_id"]]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["web", "memory"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["container_name", "alert_type", "fault", "severity", "logs", "timestamp", "metrics"])
DOCUMENTS = st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=6)
LIKELY = DOCUMENTS.map(lambda more: {**more, "container_name": "web", "alert_type": "memory"})
TEXTS = st.one_of(DOCUMENTS, LIKELY, VALUES).map(lambda value: json.dumps(value).encode())
BODIES = st.one_of(TEXTS, TEXTS.map(lambda body: body[:-1]), st.binary(max_size=60))


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=BODIES)
@example(body=b'{"container_name": "web", "alert_type": "memory", "timestamp": "0001-01-01T00:00:00+14:00"}')
@example(body=b'{"container_name": "web", "alert_type": "memory", "timestamp": 253402300799.999999}')
@example(body=b'{"container_name": "web", "alert_type": "memory", "timestamp": -1e15}')
def test_no_body_at_all_breaks_the_interface_and_a_2xx_means_stored(house: ApiHouse, body: bytes) -> None:
    answer = house.http.post("/webhook", content=body)
    if answer.status_code in {200, 202}:
        assert answer.json()["incident_id"] in house.stored()
        return
    assert answer.status_code in {400, 422}, (answer.status_code, body)
    problem(answer, answer.status_code)


# ---- who may post


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data", token="correct horse")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer corr\xe9ct".encode()},
    ],
)
def test_who_does_not_know_the_token_is_401(locked: ApiHouse, headers: dict[str, Any]) -> None:
    body = {"container_name": "web", "alert_type": "memory"}
    for path in ("/webhook", "/incidents"):
        assert "correct horse" not in problem(locked.http.post(path, json=body, headers=headers), 401)
    assert locked.stored() == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_who_knows_the_token_may_post_and_everybody_may_look(locked: ApiHouse, scheme: str) -> None:
    body = {"container_name": "web", "alert_type": "memory"}
    answer = locked.http.post("/webhook", json=body, headers={"Authorization": f"{scheme} correct horse"})
    assert answer.status_code == 202
    assert locked.http.get("/incidents").json()["total"] == 1


# ---- when something is away


def test_while_the_store_is_held_by_another_it_is_503_with_a_time_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    house = ApiHouse(tmp_path / "data")
    try:
        with closing(sqlite3.connect(house.folder / "aegis.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = house.post(incident_id="alert-7")
            assert "send it again" in problem(answer, 503)
            assert int(answer.headers["retry-after"]) > 0
            assert house.http.get("/incidents").json()["total"] == 0
            other.execute("ROLLBACK")
        assert house.stored() == []
        assert house.post(incident_id="alert-7").status_code == 202, "what is sent again is taken in once"
        assert house.stored() == ["alert-7"]
    finally:
        house.close()


def test_a_runbook_that_cannot_be_read_is_503_and_nothing_else_suffers(house: ApiHouse) -> None:
    path = house.folder / "runbook.json"
    path.unlink(missing_ok=True)
    path.mkdir()
    problem(house.http.get("/runbook"), 503)
    assert house.post().status_code == 202
    path.rmdir()
    assert house.http.get("/runbook").status_code == 200


def test_while_the_runtime_has_not_been_looked_at_it_is_not_ready(house: ApiHouse) -> None:
    answer = house.http.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert not answer.json()["checks"]["runtime"]["ok"]


# ---- bodies that are too large or too slow, on a real socket


def test_a_body_over_the_limit_is_413_and_one_of_just_the_limit_is_read(house: ApiHouse) -> None:
    known = b'{"container_name": "web", "alert_type": "memory", "logs": "'
    full = known + b"x" * (intake.BODY_LIMIT - len(known) - 2) + b'"}'
    assert len(full) == intake.BODY_LIMIT
    assert house.http.post("/webhook", content=full).status_code == 202
    problem(house.http.post("/webhook", content=full + b" "), 413)


def test_a_length_that_is_announced_is_not_trusted(house: ApiHouse) -> None:
    with served(house.agent) as port, socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(head_of_post(Content_Length=str(300 * 2**20)) + b"x" * (2 * 2**20))
        assert answer_of(connection)[0] == 413


def test_a_slow_body_is_408(house: ApiHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte after the other: each in time, the whole never."""
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.3)
    with served(house.agent) as port, socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(head_of_post(Content_Length="100000"))
        done = threading.Event()

        def drip() -> None:
            while not done.wait(0.02):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            status, body = answer_of(connection)
        finally:
            done.set()
            dripping.join()
    assert status == 408
    assert set(body) == PROBLEM
    assert house.stored() == []


def test_who_hangs_up_in_the_middle_of_a_body_breaks_nothing(house: ApiHouse, caplog: pytest.LogCaptureFixture) -> None:
    with served(house.agent) as port:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), 30) as connection:
                connection.sendall(head_of_post(Content_Length="1000") + b'{"container_name"')
        assert house.post().status_code == 202
    assert len(house.stored()) == 1
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []


SERVER = """
import sys
from pathlib import Path
from tests.integration.api_house import ApiHouse, served
house = ApiHouse(Path(sys.argv[1]))
house.post()
with served(house.agent) as port:
    print(port, flush=True)
    sys.stdin.read()
house.close()
"""


def peak_rss(pid: int) -> int:
    """The most memory that the process ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(peak) * 1024


def test_300_mib_in_chunks_are_413_and_cost_no_more_than_20_mib(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", SERVER, str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            port = int(server.stdout.readline())
            before = peak_rss(server.pid)
            chunk = b"%x\r\n%b\r\n" % (2**20, b"x" * 2**20)
            sent = 0
            with socket.create_connection(("127.0.0.1", port), 30) as connection:
                connection.sendall(head_of_post(Transfer_Encoding="chunked"))
                try:
                    for _ in range(300):
                        connection.sendall(chunk)
                        sent += 1
                    connection.sendall(b"0\r\n\r\n")
                except OSError:  # it has hung up on us, which is its right
                    pass
                grown = peak_rss(server.pid) - before
                status = answer_of(connection)[0] if sent else 413
            assert (status, sent > 0) == (413, True)
            assert grown <= 20 * 2**20
            with socket.create_connection(("127.0.0.1", port), 30) as another:
                another.sendall(head_of_post(Content_Length="0"))
                assert answer_of(another)[0] == 400, "it is well"
        finally:
            server.stdin.close()
            server.wait(30)
