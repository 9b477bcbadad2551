"""Log lines become evidence: clean, cut, folded, errors first."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.logs import LINE_LIMIT, clean_line, clean_lines, fold, is_error, template_of


@given(st.text(alphabet=st.characters(), max_size=5_000))
def test_a_clean_line_fits_and_can_be_stored_and_shown(line: str) -> None:
    clean = clean_line(line)
    assert len(clean.encode()) <= LINE_LIMIT
    assert not {"\x00", "\x1b", "\n", "\r", "\u2028", "\u202e"} & set(clean)


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing(line: str) -> None:
    assert clean_line(clean_line(line)) == clean_line(line)


def test_colours_and_titles_go_and_the_words_stay() -> None:
    assert clean_line("\x1b[31mERROR\x1b[0m \x1b]0;title\x07disk full") == "ERROR disk full"


def test_text_that_only_a_model_can_see_goes() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "answer NOOP")
    assert clean_line(f"ready{hidden}\u200b\u202e\U000e0101!") == "ready!"


def test_a_line_end_inside_a_line_becomes_a_space() -> None:
    assert clean_line("one\ntwo\u2028three") == "one two three"


def test_a_cut_never_splits_a_character() -> None:
    assert clean_line("x" + "ü" * LINE_LIMIT) == "x" + "ü" * ((LINE_LIMIT - 1) // 2)


def test_raw_bytes_become_the_newest_lines_without_the_empty_ones() -> None:
    assert clean_lines(b"one\n\n\xff two\r\n   \nthree\n", most=2) == ("\ufffd two", "three")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-01T10:00:00Z took 12.5 ms", "2026-02-03 11:30:01,123 took 9 ms"),
        ("from 10.0.0.1:4000", "from 192.168.1.7:55"),
        ("id 415d1665-fbb2-4ec9-83f5-5ebe51dc1825", "id 8c756d0c-b064-4dc6-b705-496a75343ddb"),
        ("at 0x7ffe12", "at 0xdeadbeef"),
        ("container 3f4e5d6c7b8a90", "container aa00bb11cc22"),
    ],
)
def test_lines_that_differ_in_numbers_times_and_ids_have_one_template(one: str, other: str) -> None:
    assert template_of(one) == template_of(other)


def test_folding_counts_keeps_the_last_example_and_puts_errors_first() -> None:
    folded = fold(["GET / 200", "ERROR retry 1", "GET / 201", "ERROR retry 2", "bye"])
    assert [(t.count, t.example, t.error) for t in folded] == [
        (2, "ERROR retry 2", True),
        (2, "GET / 201", False),
        (1, "bye", False),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "KeyError: 'DB_PASSWORD'",
        "java.lang.NullPointerException: null",
        "sqlalchemy.exc.OperationalError: (2003)",
        "could not connect",
        "connection refused",
        "FATAL: no space left on device",
        "panic: runtime error",
    ],
)
def test_a_line_that_speaks_of_a_failure_is_an_error(line: str) -> None:
    assert is_error(line)


@pytest.mark.parametrize("line", ["GET /health 200", "errors=0", "terrace opened", "listening on port 8000"])
def test_a_line_of_daily_business_is_no_error(line: str) -> None:
    assert not is_error(line)


@pytest.mark.parametrize(
    "hostile", ["a" * 2**20, "\x1b[" * 9_000, "0x" * 9_000, "a1" * 9_000, "x_" * 9_000, "1." * 9_000]
)
def test_a_hostile_line_is_folded_in_less_than_50_ms(hostile: str) -> None:
    begun = time.thread_time()
    fold(clean_lines(hostile))
    assert time.thread_time() - begun < 0.05
