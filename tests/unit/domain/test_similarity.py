"""What makes two troubles alike, and how several rankings become one."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.evidence import Evidence
from aegis_core.domain.logs import fold
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.similarity import (
    LEAST_SHARED,
    MOST_CHARACTERS,
    MOST_WORDS,
    cosine,
    fused,
    question_of,
    shared,
    text_of,
    words_of,
)
from aegis_core.domain.target import Health
from tests import examples as make


def test_rankings_are_merged_by_reciprocal_ranks() -> None:
    """The example by hand: 1/61 + 1/62 for a, 1/62 + 1/61 for b, 1/63 + 1/63 for c, 1/61 for d."""
    assert fused([["a", "b", "c"], ["b", "a", "c"]]) == ["a", "b", "c"]
    assert fused([["a", "b"], ["d"], ["b", "c"]]) == ["b", "a", "d", "c"]
    assert fused([]) == []


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=4))
def test_nothing_is_lost_or_told_twice_and_what_all_rank_first_is_first(rankings: list[list[str]]) -> None:
    merged = fused(rankings)
    assert sorted(merged) == sorted({key for ranking in rankings for key in ranking})
    firsts = {ranking[0] for ranking in rankings if ranking}
    if len(firsts) == 1 and all(rankings) and rankings:
        assert merged[0] in firsts


def test_lessons_that_say_the_same_have_the_same_text_whenever_they_were_learned() -> None:
    first, again = make.lesson("inc-1"), make.lesson("inc-2", timestamp=make.later(60), seconds=3.0)
    assert text_of(first) == text_of(again)
    assert text_of(first) != text_of(make.lesson("inc-3", verified_healthy=False))


def test_a_trouble_and_its_lesson_share_their_words() -> None:
    lines = ("ERROR connection refused by payments-db:5432", "INFO serving")
    evidence = Evidence(
        fault=Fault.UNHEALTHY,
        severity=Severity.CRITICAL,
        at=make.NOON,
        target=make.state(health=Health.UNHEALTHY, health_log=("503 from /health",)),
        templates=fold(lines),
    )
    question = question_of(evidence)
    assert "503 from /health" in question
    assert "serving" not in question
    taught = make.lesson(fault=Fault.CRASHED, errors=("ERROR connection refused by payments-db:<n>",))
    other = make.lesson(fault=Fault.CRASHED, issue="crashed on web", root_cause="No space left on device.")
    assert shared(question, text_of(taught)) >= LEAST_SHARED > shared(question, text_of(other))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ERROR <time> out of <n> workers, ERROR", ("error", "out", "workers")),
        ('"; DROP TABLE lesson_texts --', ("drop", "table", "lesson_texts")),
        ("Größe überschritten", ("größe", "überschritten")),
        ("12 345", ()),
    ],
)
def test_words_are_what_a_text_can_be_found_by(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_sizes_are_bounded() -> None:
    long = " ".join(f"word{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(500))
    assert len(words_of(long)) == MOST_WORDS
    assert len(text_of(make.lesson(root_cause=long, errors=(long,) * 50))) <= MOST_CHARACTERS


def test_the_cosine_is_that_of_the_angle() -> None:
    assert isclose(cosine([1, 0], [1, 1]), 0.5**0.5)
    assert cosine([1, 0], [0, 1]) == cosine([0, 0], [1, 1]) == cosine([1], [1, 1]) == 0
