"""Phrases say in plain text what a log line has to hold, and no line can make them slow."""

import time

import pytest

from aegis_core.adapters.llm.phrase import phrase, plain, words_of


def stands(text: str, line: str) -> bool:
    comparable = plain(line)
    return phrase(text).end_in(comparable, words_of(comparable)) > 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("connection refused", "dial tcp: connect: Connection refused"),
        ("relation ... does not exist", 'ERROR: relation \\"users\\" does not exist'),
        ("can't connect", "ERROR: Can't connect to MySQL"),
        ("can't connect", "ERROR: cant connect"),
        ("could not ... connect", "could not connect"),
        ("(cannot|unable to) open", "unable to open it"),
        ("port (is |)taken", "the port taken by another"),
        ("exit code #", "it ended with exit code 137."),
        ("*timeoutexception", "org.apache.kafka.common.errors.TimeoutException: 60000 ms"),
        ("throttl*", "the CPU is throttled"),
        ("config* error", "configuration error in line 3"),
        ("[emerg] unknown", "nginx: [emerg] unknown directive"),
        ("not found$", "sh: 1: curl: not found"),
        ("no space left", "a write failed:\\nno space   left"),
    ],
)
def test_a_phrase_stands_where_its_words_do(text: str, line: str) -> None:
    assert stands(text, line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("oom", "the room is full"),
        ("refused", "connection refuseds"),
        ("could not ... connect", "could not " + "x" * 70 + " connect"),
        ("exit code #", "exit code none"),
        ("not found$", "not found in the cache, made anew"),
        ("(a|b) thing", "c thing"),
    ],
)
def test_a_phrase_does_not_stand_inside_other_words_or_too_far_apart(text: str, line: str) -> None:
    assert not stands(text, line)


def test_a_phrase_tells_where_it_ends() -> None:
    line = plain("bind failed: permission denied")
    assert phrase("permission denied").end_in(line, words_of(line)) == len(line)
    assert phrase("bind failed").end_in(line, words_of(line)) == len("bind failed")


@pytest.mark.parametrize("text", ["Connection refused", "open() failed", "((a))", "...", "("])
def test_what_is_no_phrase_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="a phrase is"):
        phrase(text)


@pytest.mark.parametrize("unit", ["could not ", "a ", "x", "(((", "could not could not connec "])
def test_no_line_makes_a_phrase_slow(unit: str) -> None:
    line = unit * 2_000
    begun = time.thread_time()
    phrase("could not ... not ... connect* (to|with|)").pattern.search(line)
    assert time.thread_time() - begun < 0.05
