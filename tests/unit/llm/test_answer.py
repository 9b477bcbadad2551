"""A model's answer is read tolerantly and checked strictly."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.llm.answer import answer_schema, check, parse_answer
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Answer, Category, Source
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.logs import Template
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import AnswerInvalid

GOOD: dict[str, Any] = {
    "evidence": ["E1"],
    "root_cause": "The cache grows without a bound.",
    "category": "oom",
    "justification": "A restart empties it.",
    "action": "RESTART",
    "confidence": 0.9,
}
TEXT = json.dumps(GOOD)
EVIDENCE = Evidence(
    fault=Fault.MEMORY_PRESSURE,
    severity=Severity.WARNING,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    templates=(Template(count=1, example="cache grew to 90 MiB", error=False),),
)


def but(**changed: object) -> str:
    return json.dumps({**GOOD, **changed})


def parsed(text: str) -> Answer | None:
    """Parse; only AnswerInvalid may come instead of an answer."""
    try:
        return parse_answer(text)
    except AnswerInvalid:
        return None


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Here is my answer:\n{TEXT}\nI hope that it helps {{you}}.",
        TEXT[:-1] + ",}",
        json.dumps([GOOD]),
        json.dumps({"diagnosis": GOOD}),
        json.dumps(answer_schema()) + TEXT,
        f"<think>maybe {but(action='NOOP')}</think>{TEXT}",
        TEXT + TEXT,
        but(action=" restart ", category="OOM"),
        but(confidence="0.9"),
        but(confidence="90%"),
        but(evidence="E1"),
        but(evidence=1),
        but(evidence=["1"]),
        but(container="another", target="another", command="rm -rf /"),
        json.dumps(dict(reversed(GOOD.items())))[:-2],
    ],
)
def test_what_is_meant_beyond_doubt_is_understood(text: str) -> None:
    assert parse_answer(text) == Answer(**GOOD)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("<think>still thinking", "empty"),
        ("I cannot help with that.", "no JSON object"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        (json.dumps(answer_schema()), "schema"),
        (TEXT[:60], "missing"),
        (but(action="DELETE"), "'action' cannot be \"DELETE\""),
        (but(action="docker rm -f web"), "'action'"),
        (but(action=["RESTART"]), "'action'"),
        (but(action=None), "'action'"),
        (but(category="memory_leak"), "'category'"),
        (but(confidence="high"), "'confidence'"),
        (but(confidence=7), "'confidence'"),
        (but(confidence="700%"), "'confidence'"),
        (but(confidence=-0.1), "'confidence'"),
        (but(confidence=True), "'confidence'"),
        (but(confidence=None), "'confidence'"),
        (but(confidence=float("nan")), "'confidence'"),
        (but(confidence=10**400), "'confidence'"),
        (but(evidence=[]), "'evidence'"),
        (but(evidence=[{"line": 1}]), "'evidence'"),
        (but(root_cause=""), "'root_cause'"),
        (but(root_cause={"text": "x"}), "'root_cause'"),
        (TEXT + but(action="NOOP"), "several different answers"),
        (TEXT[:-1] + ', "action": "NOOP"}', "twice"),
        ('{"a":' * 500, "nested"),
        ("[" * 30_000, "nested"),
        ("x" * 70_000, "64 KiB"),
        ('{"confidence": ' + "9" * 5_000 + "}", ""),
    ],
)
def test_what_is_not_acceptable_is_named_in_a_sentence(text: str, problem: str) -> None:
    with pytest.raises(AnswerInvalid, match=r".\.$") as caught:
        parse_answer(text)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_no_field_may_be_missing(missing: str) -> None:
    with pytest.raises(AnswerInvalid, match=f"'{missing}' is missing"):
        parse_answer(json.dumps({name: value for name, value in GOOD.items() if name != missing}))


def test_a_long_winded_answer_is_cut_and_taken() -> None:
    answer = parse_answer(but(root_cause="word " * 900, justification="word " * 900, evidence=["E1"] * 40))
    assert len(answer.root_cause) <= 600
    assert len(answer.justification) <= 1_200
    assert len(answer.evidence) == 12


@pytest.mark.parametrize("end", range(1, len(TEXT)))
def test_an_answer_cut_off_anywhere_never_turns_into_another_action(end: int) -> None:
    answer = parsed(TEXT[:end])
    assert answer is None or (answer.action is Action.RESTART and answer.confidence <= GOOD["confidence"])


@given(st.text(max_size=300) | st.text(alphabet='{}[]":,\\ aE1.', max_size=300))
def test_any_text_gives_an_answer_or_a_problem(text: str) -> None:
    answer = parsed(text)
    assert answer is None or answer.action in Action


@given(st.fixed_dictionaries({name: st.none() | st.text(max_size=9) | st.integers() | st.floats() for name in GOOD}))
def test_any_values_give_an_answer_or_a_problem(values: dict[str, Any]) -> None:
    answer = parsed(json.dumps(values))
    assert answer is None or 0 <= answer.confidence <= 1


@pytest.mark.parametrize(
    "unit", ["{", '{"a":', '"', '{"a": "x, "', "{,", '["a",', "\\", '{"a":"b" "c', "{/*", "```json", "{ word "]
)
def test_the_largest_hostile_answer_is_read_in_less_than_a_second(unit: str) -> None:
    begun = time.thread_time()
    with pytest.raises(AnswerInvalid):
        parse_answer(unit * (64_000 // len(unit)))
    assert time.thread_time() - begun < 1


def test_the_schema_takes_the_good_answer_and_knows_every_action_and_category() -> None:
    schema = answer_schema()
    jsonschema.validate(GOOD, schema)
    assert schema["properties"]["action"]["enum"] == list(Action)
    assert schema["properties"]["category"]["enum"] == list(Category)
    assert set(schema["required"]) == set(Answer.model_fields)


def test_a_checked_answer_carries_the_cited_lines_word_for_word() -> None:
    diagnosis = check(parse_answer(but(evidence=["E2", "E1"])), EVIDENCE, Source.CLOUD, "small", 1.23456)
    assert diagnosis.evidence == ("log: cache grew to 90 MiB", "signal: memory_pressure (warning)")
    assert (diagnosis.source, diagnosis.model, diagnosis.seconds) == (Source.CLOUD, "small", 1.235)


def test_a_citation_that_is_not_in_the_evidence_is_refused_by_name() -> None:
    answer = parse_answer(but(evidence=["E1", "E77", "the disk of the host is full"]))
    with pytest.raises(AnswerInvalid, match="'E77', 'the disk of the host is full'"):
        check(answer, EVIDENCE, Source.CLOUD, "", 0)


def test_what_a_model_wrote_is_cleaned_and_masked() -> None:
    answer = parse_answer(but(root_cause="password=hunter2 \x1b[31mis\n wrong", justification="Bearer abcdefgh1"))
    diagnosis = check(answer, EVIDENCE, Source.OLLAMA, "", 0)
    assert diagnosis.root_cause == "password=*** is wrong"
    assert diagnosis.justification == "Bearer ***"
