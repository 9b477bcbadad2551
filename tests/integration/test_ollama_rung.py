"""The Ollama rung over real HTTP: what it sends, and what it makes of each failure."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from aegis_core.adapters.llm.answer import answer_schema
from aegis_core.adapters.llm.ollama import OllamaRung
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Source, Tokens
from aegis_core.domain.evidence import Evidence
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
    ollama_server,
    says,
    sends,
)

EVIDENCE = Evidence(
    fault=Fault.MEMORY_PRESSURE,
    severity=Severity.WARNING,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    templates=(Template(count=3, example="password=hunter2Secret", error=False),),
)


def rung(url: str, **options: Any) -> OllamaRung:
    return OllamaRung(base_url=url, model="small:1b", **{"timeout": 1.0, "budget": 3.0, **options})


def test_a_good_answer_becomes_a_diagnosis() -> None:
    with ollama_server() as server:
        diagnosis = rung(server.url).diagnose(EVIDENCE)
    assert (diagnosis.action, diagnosis.source, diagnosis.model) == (Action.RESTART, Source.OLLAMA, "small:1b")


def test_the_tokens_of_all_rounds_are_counted_where_the_server_counts() -> None:
    with ollama_server(says("no JSON"), says(answer())) as server:
        diagnosis = rung(server.url).diagnose(EVIDENCE)
    assert diagnosis.tokens == Tokens(prompt=2 * PROMPT_TOKENS, completion=2 * ANSWER_TOKENS)
    uncounted = json.dumps({"model": "m", "message": {"role": "assistant", "content": answer()}, "done": True})
    with ollama_server(sends(uncounted.encode())) as server:
        assert rung(server.url).diagnose(EVIDENCE).tokens is None


def test_the_request_sets_the_schema_and_a_context_that_holds_the_prompt() -> None:
    with ollama_server() as server:
        rung(server.url).diagnose(EVIDENCE)
    (request,) = server.requests
    assert request.path == "/api/chat"
    assert request.json["format"] == answer_schema()
    assert request.json["options"]["num_ctx"] == 8_192
    assert request.json["options"]["temperature"] == 0
    assert request.json["stream"] is False
    assert "hunter2Secret" not in request.body.decode()


def test_nothing_of_the_environment_leaves_with_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "leak-of-the-environment")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ollama_server() as server:
        rung(server.url).diagnose(EVIDENCE)
    assert "leak" not in str(dict(server.requests[0].headers))


def test_an_answer_that_ignores_the_schema_is_repaired_once() -> None:
    with ollama_server(says("It is the memory!"), says(answer())) as server:
        assert rung(server.url).diagnose(EVIDENCE).action is Action.RESTART
        assert len(server.requests) == 2


def test_a_model_that_is_not_there_is_told_with_how_to_fetch_it() -> None:
    with ollama_server(fails(404, "model 'small:1b' not found")) as server, pytest.raises(BrainRefused) as caught:
        rung(server.url).diagnose(EVIDENCE)
    assert "ollama pull small:1b" in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (fails(500), BrainUnavailable),
        (fails(503), BrainUnavailable),
        (fails(400), BrainRefused),
        (fails(302, location="http://127.0.0.1:9/"), BrainRefused),
        (hangs_up, BrainUnavailable),
        (says(""), AnswerInvalid),
        (says(answer(confidence="high")), AnswerInvalid),
        (floods, AnswerInvalid),
        (sends(b"<html>", "text/html"), AnswerInvalid),
        (sends(b"[]"), AnswerInvalid),
        (sends(b'{"message": 1}'), AnswerInvalid),
        (sends(b'"bad gateway"', status=502), BrainError),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(reply: Reply, error: type[BrainError]) -> None:
    with ollama_server(reply) as server, pytest.raises(error) as caught:
        rung(server.url).diagnose(EVIDENCE)
    assert 5 < len(str(caught.value)) < 300


@pytest.mark.parametrize("reply", [hangs, drips, drips_headers])
def test_a_server_that_never_ends_its_answer_is_left_within_the_budget(reply: Reply) -> None:
    with ollama_server(reply) as server:
        begun = time.monotonic()
        with pytest.raises(BrainUnavailable):
            rung(server.url, timeout=0.6, budget=1.5).diagnose(EVIDENCE)
        assert time.monotonic() - begun < 3.5


def test_where_nobody_listens_it_is_noticed_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(BrainUnavailable, match="not reachable"):
        rung("http://127.0.0.1:9", timeout=60, budget=90).diagnose(EVIDENCE)
    assert time.monotonic() - begun < 2


def test_another_server_at_the_address_is_told_apart_from_a_missing_model() -> None:
    with ollama_server(tags=b"not JSON at all") as server, pytest.raises(AnswerInvalid, match="not Ollama"):
        rung(server.url).diagnose(EVIDENCE)
