"""Text from outside stays text in Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain import markdown as md


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("memory_pressure on web", "memory_pressure on web"),
        ("_em_ and *strong*", r"\_em\_ and \*strong\*"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("![x](http://evil/x.png)", "!\\[x\\](http:\u2060//evil/x.png)"),
        ("a | b", r"a \| b"),
        ("# heading", r"\# heading"),
        ("1. item", r"1\. item"),
        ("- item", r"\- item"),
        ("two\n\nparagraphs", "two paragraphs"),
        ("`code` $x$", r"\`code\` \$x\$"),
    ],
)
def test_what_would_be_markup_is_shown_as_it_is(given_text: str, shown: str) -> None:
    assert md.text(given_text) == shown


@given(st.text(max_size=200))
def test_no_text_opens_a_line_a_cell_or_a_tag(value: str) -> None:
    shown = md.text(value)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[|<>`\[\]*]", shown)


@given(st.text(max_size=80))
def test_a_name_as_code_is_one_span_in_one_cell(value: str) -> None:
    shown = md.code(value)
    fence = re.match(r"`+", shown)
    assert fence
    inner = shown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall(r"`+", inner)
    assert "|" not in shown
    assert len(shown.splitlines()) == 1


@given(st.lists(st.text(max_size=60), max_size=5))
def test_no_line_of_a_block_ends_it(lines: list[str]) -> None:
    first, *inner, last = md.block(lines).split("\n")
    assert first == f"{last}text"
    assert len(inner) == len(lines)
    assert not [line for line in inner if last in line]
