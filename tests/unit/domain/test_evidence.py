"""Evidence is numbered, and what a brain cites is looked up in it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.evidence import MOST_TEMPLATES, Evidence, cited, lines_of
from aegis_core.domain.logs import Template
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.target import Health, Limits, RunState, TargetRef, TargetState, Usage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATE = TargetState(
    ref=TargetRef(name="web", id="1"),
    at=NOW,
    run=RunState.RUNNING,
    health=Health.UNHEALTHY,
    started_at=NOW - timedelta(seconds=90),
    exit_code=0,
    image="web:1",
    limits=Limits(memory_bytes=128 * 2**20, cpus=0.5),
    usage=Usage(at=NOW, memory_bytes=120 * 2**20, memory_percent=93.7, cpu_percent=12.2),
    health_log=("first", "second", "third"),
)
EVIDENCE = Evidence(
    fault=Fault.MEMORY_PRESSURE,
    severity=Severity.CRITICAL,
    at=NOW,
    target=STATE,
    metrics={"memory_percent": 93.7, "cpu_percent": 12.0},
    templates=(Template(count=7, example="cache grew to 90 MiB", error=False),),
    tail=("cache grew to 80 MiB", "cache grew to 90 MiB"),
    happenings=("health_status: unhealthy",),
    tried=("RESTART: not healthy afterwards",),
)


def test_the_lines_tell_all_that_was_seen_in_a_stable_order() -> None:
    assert [f"{line.number} {line.text}" for line in lines_of(EVIDENCE)] == [
        "E1 signal: memory_pressure (critical)",
        "E2 state: running, health unhealthy, exit code 0, OOM-killed no, restarts 0",
        "E3 image: web:1",
        "E4 running for 90 s",
        "E5 limits: memory 128 MiB, CPUs 0.5",
        "E6 measured: memory at 94 % of its limit",
        "E7 measured: CPU at 12 % of its allowance",
        "E8 health check: second",
        "E9 health check: third",
        "E10 reported metric: cpu_percent = 12",
        "E11 reported metric: memory_percent = 93.7",
        "E12 happened: health_status: unhealthy",
        "E13 already tried: RESTART: not healthy afterwards",
        "E14 log: 7× cache grew to 90 MiB",
    ]


@pytest.mark.parametrize(
    "citation",
    [
        "E6",
        "e6",
        "[E6]",
        "(E6)",
        "E6: memory is high",
        '"E6"',
        "`E6`",
        "measured: memory at 94 %",
        "'memory at  94 % OF its'",
    ],
)
def test_a_line_is_found_by_its_number_or_by_its_words(citation: str) -> None:
    assert cited(EVIDENCE, [citation]) == (("measured: memory at 94 % of its limit",), ())


def test_a_line_of_the_raw_tail_can_be_cited_by_its_words() -> None:
    assert cited(EVIDENCE, ["cache grew to 80"]) == (("cache grew to 80 MiB",), ())


@pytest.mark.parametrize("citation", ["E99", "E0", "", "   ", "memory", "the disk is full and nothing works", "[", "E"])
def test_what_is_not_there_is_named(citation: str) -> None:
    assert cited(EVIDENCE, [citation]) == ((), (citation,))


def test_the_same_line_counts_once() -> None:
    assert cited(EVIDENCE, ["E6", "[E6]"])[0] == ("measured: memory at 94 % of its limit",)


def test_no_more_templates_are_numbered_than_a_prompt_takes() -> None:
    many = tuple(
        Template(count=1, example=f"line {letter * 9}", error=False) for letter in "abcdefghijklmnopqrstuvwxyz"
    )
    assert (
        len(lines_of(Evidence(fault=Fault.CUSTOM, severity=Severity.INFO, at=NOW, templates=many)))
        == MOST_TEMPLATES + 1
    )


@given(st.lists(st.text(max_size=80), max_size=6))
def test_looking_up_takes_any_text_and_loses_none(citations: list[str]) -> None:
    found, unknown = cited(EVIDENCE, citations)
    known = {line.text for line in lines_of(EVIDENCE)} | set(EVIDENCE.tail)
    assert set(found) <= known
    assert set(unknown) <= set(citations)
    assert bool(found or unknown) == bool(citations)
