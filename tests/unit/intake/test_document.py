"""The one way in which bodies are read."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.intake import document
from aegis_core.errors import MediaUnsupported, PayloadUnreadable


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "not a JSON number"),
        (b'{"a": 1e400}', "out of range"),
        (b'{"a": ' + b"9" * 400 + b"}", "out of range"),
        (b'{"a": ' + b"9" * 9000 + b"}", "not valid JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[" * 65 + b"]" * 65, "nested too deeply"),
        (b"[" * 500_000 + b"]" * 500_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)
def test_what_is_no_sound_document_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(PayloadUnreadable, match=reason):
        document.read(body)


def test_nul_and_lone_surrogates_are_replaced_in_values_and_in_names() -> None:
    assert document.read(b'{"a\\u0000b": ["c\\u0000d", "e\\ud800f", "\\ud83d\\ude00"]}') == {
        "a b": ["c d", "e?f", "😀"]
    }


def test_64_levels_are_read() -> None:
    assert document.read(b"[" * 64 + b"]" * 64)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_reading_raises_nothing_else_whatever_comes_in(body: bytes) -> None:
    with suppress(PayloadUnreadable):
        document.read(body)


@pytest.mark.parametrize("kind", ["", "application/json; charset=utf-8", "text/plain", "application/vnd.x+json"])
def test_json_under_its_usual_names_is_read(kind: str) -> None:
    assert document.of({"content-type": kind}, b"{}") == {}


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "application/xml"}, {"content-type": "image/png"}, {"content-encoding": "gzip"}],
)
def test_other_formats_are_not_read(headers: dict[str, str]) -> None:
    with pytest.raises(MediaUnsupported):
        document.of(headers, b"{}")


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-20T12:00:00Z", NOON),
        ("2026-11-20T13:00:00+01:00", NOON),
        ("2026-11-20T12:00:00.000000000Z", NOON),
        ("2026-11-20 12:00:00", NOON),
        ("2026-11-20T12:00:00.000+0000", NOON),
        (1795176000, NOON),
        ("1795176000", NOON),
        (1795176000000, NOON),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ({}, None),
        (1e300, None),
        (-1e300, None),
    ],
)
def test_moments_are_read_leniently_and_end_up_in_utc(value: object, moment: datetime | None) -> None:
    assert document.moment_of(value) == moment


def test_labels_are_short_clean_lines_and_not_too_many() -> None:
    labels = document.labels_of({"a": "x\ny\x1b[31m", "b": 7, "c": None, "d": {}, "": "e", "f": "g" * 5000})
    assert labels == {"a": "x y", "b": "7", "f": "g" * document.TEXT_LIMIT}
    assert len(document.labels_of({str(number): "x" for number in range(1000)})) == document.MOST_ENTRIES
    assert document.labels_of(["a"]) == {}


def test_numbers_are_finite_and_no_truths() -> None:
    assert document.numbers_of({"a": 1, "b": 2.5, "c": True, "d": "3", "e": 1e300, "f": None}) == {"a": 1.0, "b": 2.5}
    assert document.numbers_in({"a": "93.4", "b": "high", "c": "nan", "d": "inf", "e": "1e300"}) == {"a": 93.4}
