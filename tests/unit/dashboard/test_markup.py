"""Markup that cannot be broken into."""

import pytest

from aegis_dashboard.components.markup import Html, div, escape, join, span, tag

HOSTILE = "</div><script>alert('x')</script>\n\n# heading\r\n\u2028**bold** \"quoted\" 'single'"


def test_text_from_outside_is_text_wherever_it_stands() -> None:
    markup = div(HOSTILE, span(HOSTILE, title=HOSTILE), cls=HOSTILE)
    assert markup.count("<") == 4
    assert markup.count('"') == 4
    assert "'" not in markup


def test_no_line_break_is_left_that_would_end_the_block() -> None:
    assert not set("\n\r\v\f\u2028\u2029\x85") & set(div(HOSTILE, title=HOSTILE))
    assert escape("a\r\nb\nc") == "a&#10;b&#10;c"


def test_markup_that_was_built_here_is_not_escaped_twice() -> None:
    assert div(span("a & b")) == "<div><span>a &amp; b</span></div>"
    assert isinstance(join(span("x"), " & "), Html)


def test_what_is_none_or_false_is_left_out() -> None:
    assert tag("p", None, "x", title=None, hidden=False, aria_label="y") == '<p aria-label="y">x</p>'


def test_joining_strings_loses_the_promise_and_they_are_escaped_again() -> None:
    assert div(span("a") + "<b>") == "<div>&lt;span&gt;a&lt;/span&gt;&lt;b&gt;</div>"


@pytest.mark.parametrize("name", ["", "p onclick", "1", "p>"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        tag(name)


def test_an_attribute_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not the name"):
        tag("p", **{"x y": "z"})
