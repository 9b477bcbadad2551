"""The cloud rung over real HTTP: what it sends, what it makes of each failure, and how long it takes."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from aegis_core.adapters.llm.answer import answer_schema
from aegis_core.adapters.llm.cloud import CloudRung
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Source, Tokens
from aegis_core.domain.evidence import Evidence, Precedent
from aegis_core.domain.logs import Template
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import AnswerInvalid, BrainError, BrainRefused, BrainUnavailable

from .llm_servers import (
    ANSWER_TOKENS,
    PROMPT_TOKENS,
    Reply,
    answer,
    drips,
    drips_headers,
    fails,
    floods,
    hangs,
    hangs_up,
    openai_server,
    says,
    sends,
)

EVIDENCE = Evidence(
    fault=Fault.MEMORY_PRESSURE,
    severity=Severity.WARNING,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    templates=(Template(count=3, example="cache grew to 90 MiB", error=False),),
)
KEY = "the-key-of-this-endpoint"


def rung(url: str, **options: Any) -> CloudRung:
    settings = {"timeout": 1.0, "budget": 3.0, **options}
    return CloudRung(base_url=f"{url}/v1", api_key=KEY, model="small", **settings)


def test_a_good_answer_becomes_a_diagnosis() -> None:
    with openai_server() as server:
        diagnosis = rung(server.url).diagnose(EVIDENCE)
    assert (diagnosis.action, diagnosis.source, diagnosis.model) == (Action.RESTART, Source.CLOUD, "small")
    assert diagnosis.evidence == ("signal: memory_pressure (warning)",)
    assert diagnosis.seconds > 0


def test_the_tokens_of_all_rounds_are_counted() -> None:
    with openai_server(says("no JSON"), says(answer())) as server:
        diagnosis = rung(server.url).diagnose(EVIDENCE)
    assert diagnosis.tokens == Tokens(prompt=2 * PROMPT_TOKENS, completion=2 * ANSWER_TOKENS)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}, [3], "none"])
def test_a_server_that_does_not_count_is_no_worse_for_it(usage: object) -> None:
    reply = {"choices": [{"message": {"content": answer()}}], "usage": usage}
    with openai_server(sends(json.dumps(reply).encode())) as server:
        diagnosis = rung(server.url).diagnose(EVIDENCE)
    assert (diagnosis.action, diagnosis.tokens) == (Action.RESTART, None)


def test_the_request_asks_for_the_schema_and_names_the_model() -> None:
    with openai_server() as server:
        rung(server.url).diagnose(EVIDENCE)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json["model"] == "small"
    assert request.json["response_format"]["json_schema"]["schema"] == answer_schema()
    roles = [message["role"] for message in request.json["messages"]]
    assert (roles[0], roles[-1]) == ("system", "user")
    assert set(roles[1:-1:2]) == {"user"}
    assert set(roles[2:-1:2]) == {"assistant"}


def test_nothing_of_the_environment_leaves_with_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "leak-of-the-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-custom: leak-of-the-environment\nAuthorization: Bearer leak")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with openai_server() as server:
        rung(server.url).diagnose(EVIDENCE)
    (request,) = server.requests
    assert "leak" not in json.dumps(dict(request.headers))
    assert request.headers["authorization"] == f"Bearer {KEY}"
    ours = "host accept accept-encoding connection user-agent content-length content-type authorization"
    assert {name.lower() for name in request.headers} == set(ours.split())


def test_no_secret_of_the_evidence_is_in_the_recorded_requests() -> None:
    secret = "hunter2Secret"
    pem = (
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC",
        "-----END PRIVATE KEY-----",
    )
    evidence = EVIDENCE.model_copy(
        update={
            "templates": (
                Template(count=1, example=f"password={secret}", error=True),
                Template(count=1, example=f'{{"api_key": "{secret}"}}', error=True),
                Template(count=1, example=f"connect postgres://app:{secret}@db/app", error=True),
                Template(count=1, example=f"key of the endpoint: {KEY}", error=True),
            ),
            "tail": (f"Authorization: Bearer {secret}", *pem, "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
            "happenings": (f"exec --token {secret}",),
            "tried": (f"RESTART: https://bob:{secret}@host/ not healthy",),
            "precedents": (
                Precedent(
                    fault=Fault.CRASHED, root_cause=f"secret: {secret}", fix="x", verified_healthy=True, container="c"
                ),
            ),
        }
    )
    with openai_server(says(f"password={secret} is the cause"), says(answer())) as server:
        rung(server.url).diagnose(evidence)
    assert len(server.requests) == 2
    for request in server.requests:
        text = request.body.decode()
        assert "password=***" in text
        for piece in (secret, KEY, pem[1], "ghp_16C7"):
            assert piece not in text


def test_an_answer_that_cannot_be_used_is_repaired_once_with_the_problem_told() -> None:
    with openai_server(says(answer(action="DELETE")), says(answer())) as server:
        assert rung(server.url).diagnose(EVIDENCE).action is Action.RESTART
    asked_again = server.requests[1].json["messages"]
    first = server.requests[0].json["messages"]
    assert asked_again[: len(first)] == first
    said, problem = asked_again[len(first) :]
    assert (said["role"], problem["role"]) == ("assistant", "user")
    assert "DELETE" in said["content"]
    assert "'action' cannot be" in problem["content"]


def test_there_is_no_second_repair() -> None:
    with openai_server(says("no"), says("no"), says(answer())) as server:
        with pytest.raises(AnswerInvalid):
            rung(server.url).diagnose(EVIDENCE)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("complaint", "left_out"),
    [
        ("Unknown parameter: response_format json_schema is not supported", "response_format"),
        ("Unsupported value: temperature does not support 0 with this model", "temperature"),
        ("Use max_completion_tokens instead", "max_tokens"),
    ],
)
def test_an_option_that_the_endpoint_does_not_take_is_left_out_from_then_on(complaint: str, left_out: str) -> None:
    with openai_server(fails(400, complaint), says(answer())) as server:
        one = rung(server.url)
        one.diagnose(EVIDENCE)
        one.diagnose(EVIDENCE)
    assert [left_out in request.json for request in server.requests] == [True, False, False]


def test_an_endpoint_that_takes_nothing_is_refused_after_a_bounded_number_of_calls() -> None:
    with openai_server(fails(400, "response_format temperature max_tokens are all wrong")) as server:
        with pytest.raises(BrainRefused):
            rung(server.url).diagnose(EVIDENCE)
        assert len(server.requests) == 4


@pytest.mark.parametrize("reply", [fails(500), fails(503), fails(429), fails(408), hangs_up])
def test_what_passes_by_itself_is_tried_again(reply: Reply) -> None:
    with openai_server(reply, says(answer())) as server:
        assert rung(server.url).diagnose(EVIDENCE).action is Action.RESTART
        assert len(server.requests) == 2


def test_retry_after_is_kept_where_the_budget_allows_it() -> None:
    with openai_server(fails(429, retry_after="1.5"), says(answer())) as server:
        begun = time.monotonic()
        rung(server.url).diagnose(EVIDENCE)
        assert time.monotonic() - begun >= 1.5


def test_a_retry_after_beyond_the_budget_is_not_waited_for() -> None:
    with openai_server(fails(429, retry_after="120")) as server:
        begun = time.monotonic()
        with pytest.raises(BrainUnavailable, match="429"):
            rung(server.url).diagnose(EVIDENCE)
        assert time.monotonic() - begun < 1.5
        assert len(server.requests) == 1


@pytest.mark.parametrize("header", ["soon", "-5", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_senseless_retry_after_counts_as_none(header: str) -> None:
    with openai_server(fails(503, retry_after=header), says(answer())) as server:
        assert rung(server.url).diagnose(EVIDENCE).action is Action.RESTART


@pytest.mark.parametrize(
    ("replies", "error", "calls"),
    [
        ([fails(401, f"Incorrect API key provided: {KEY}")], BrainRefused, 1),
        ([fails(403)], BrainRefused, 1),
        ([fails(404, "The model does not exist")], BrainRefused, 1),
        ([fails(400, "context too long")], BrainRefused, 1),
        ([fails(302, location="http://127.0.0.1:9/")], BrainRefused, 1),
        ([sends(b"<html>not JSON</html>", "text/html")], AnswerInvalid, 2),
        ([sends(b"{ broken", "application/json")], AnswerInvalid, 2),
        ([sends(b"[" * 100_000)], AnswerInvalid, 2),
        ([sends(b"")], AnswerInvalid, 2),
        ([sends(b'{"choices": []}')], AnswerInvalid, 2),
        ([sends(b'{"choices": null}')], AnswerInvalid, 2),
        ([sends(b'{"choices": [{"message": {"content": null, "refusal": "no"}}]}')], AnswerInvalid, 2),
        ([says(None)], AnswerInvalid, 2),
        ([says([{"type": "text", "text": "x"}])], AnswerInvalid, 2),
        ([floods], AnswerInvalid, 2),
        ([sends(b"\x1f\x8b" + b"0" * 100, content_encoding="gzip")], BrainRefused, 1),
    ],
)  # fmt: skip
def test_what_does_not_pass_by_itself_is_told_in_a_sentence(
    replies: Sequence[Reply], error: type[BrainError], calls: int
) -> None:
    with openai_server(*replies) as server:
        with pytest.raises(error) as caught:
            rung(server.url).diagnose(EVIDENCE)
        assert len(server.requests) == calls
    assert KEY not in str(caught.value)
    assert 5 < len(str(caught.value)) < 300


@pytest.mark.parametrize("reply", [hangs, drips, drips_headers])
def test_a_server_that_never_ends_its_answer_is_left_within_the_budget(reply: Reply) -> None:
    with openai_server(reply) as server:
        begun = time.monotonic()
        with pytest.raises(BrainUnavailable):
            rung(server.url, timeout=0.6, budget=1.5).diagnose(EVIDENCE)
        assert time.monotonic() - begun < 3.5


def test_where_nobody_listens_it_is_noticed_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(BrainUnavailable, match="not reachable"):
        rung("http://127.0.0.1:9", budget=30).diagnose(EVIDENCE)
    assert time.monotonic() - begun < 2.5


def test_an_endpoint_without_a_key_gets_none() -> None:
    with openai_server() as server:
        CloudRung(base_url=f"{server.url}/v1", api_key="", model="small").diagnose(EVIDENCE)
    assert "authorization" not in {name.lower() for name in server.requests[0].headers}
