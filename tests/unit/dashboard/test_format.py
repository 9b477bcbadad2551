"""Figures and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from aegis_dashboard import format as fmt

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BERLIN = fmt.zone_of("Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (-3, "0.0 s"), (0, "0.0 s"), (0.02, "<0.1 s"), (0.84, "0.8 s"), (9.94, "9.9 s"), (9.96, "10 s"),
        (59.4, "59 s"), (59.6, "1 min 00 s"), (65, "1 min 05 s"), (3_599.6, "1 h 00 min"), (7_380, "2 h 03 min"),
        (86_400 * 3 + 3_600 * 4, "3 d 4 h"),
    ],
)  # fmt: skip
def test_a_duration_is_told_in_the_two_units_that_matter(seconds: float | None, text: str) -> None:
    assert fmt.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (247_463_936, "236 MiB"), (3 * 2**40, "3.0 TiB")],
)
def test_a_size_has_a_binary_unit_and_a_decimal_only_where_it_is_small(count: int | None, text: str) -> None:
    assert fmt.size(count) == text


@pytest.mark.parametrize(
    ("dollars", "text"), [(None, "–"), (0, "$0"), (12.5, "$12.50"), (29_840.2, "$29,840"), (5e6, "$5,000,000")]
)
def test_money_shows_cents_only_below_a_hundred_dollars(dollars: float | None, text: str) -> None:
    assert fmt.money(dollars) == text


def test_a_time_of_today_is_shown_in_the_zone_of_the_viewer() -> None:
    clock = fmt.Clock(NOON, BERLIN)
    assert clock.day(NOON - timedelta(hours=1)) == "12:00:00"
    assert clock.offset == "UTC+1"


def test_today_ends_at_the_viewers_midnight_and_not_at_that_of_utc() -> None:
    clock = fmt.Clock(NOON, BERLIN)
    assert clock.day(datetime(2026, 11, 19, 23, 30, tzinfo=UTC)) == "00:30:00"
    assert clock.day(datetime(2026, 11, 19, 22, 30, tzinfo=UTC)) == "19 Nov, 23:30"


def test_a_time_of_another_year_says_so() -> None:
    assert fmt.Clock(NOON).day(datetime(2025, 3, 1, 8, 5, tzinfo=UTC)) == "1 Mar 2025, 08:05"


def test_a_moment_ahead_of_the_clock_is_no_negative_time() -> None:
    assert fmt.Clock(NOON).since(NOON + timedelta(seconds=5)) == 0.0


def test_a_moment_within_a_text_is_told_in_the_zone_of_the_viewer() -> None:
    text = "running, started at 2026-11-20 05:19:08.745966+00:00, or 2026-11-20T23:00:00Z"
    assert fmt.Clock(NOON, BERLIN).localized(text) == "running, started at 06:19:08, or 00:00:00"


def test_the_utc_hint_names_the_moment_in_full() -> None:
    assert fmt.utc(datetime(2026, 11, 20, 13, 32, 5, tzinfo=BERLIN)) == "2026-11-20 12:32:05 UTC"


def test_a_zone_that_is_not_known_falls_back_to_the_offset_of_the_browser() -> None:
    zone = fmt.zone_of("Atlantis/Capital", minutes_behind=210)
    assert fmt.Clock(NOON, zone).offset == "UTC−3:30"
    assert fmt.zone_of("../../etc/passwd") is UTC
    assert fmt.zone_of(None) is UTC


@pytest.mark.parametrize(
    ("name", "title", "phrase"),
    [
        ("memory_pressure", "Memory pressure", "memory pressure"),
        ("cpu_saturation", "CPU saturation", "CPU saturation"),
        ("oom_killed", "OOM killed", "OOM killed"),
        ("db_latency", "DB latency", "DB latency"),
        ("", "", ""),
    ],
)
def test_a_name_is_told_in_words(name: str, title: str, phrase: str) -> None:
    assert fmt.title(name) == title
    assert fmt.phrase(name) == phrase


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("memory_percent", 88.4, "memory 88 %"),
        ("memory_bytes", 237_306_347, "memory 226 MiB"),
        ("latency_p95_ms", 3_012, "latency p95 3,012 ms"),
        ("queue_depth", 12.0, "queue depth 12"),
    ],
)
def test_a_metric_is_told_with_the_unit_in_its_name(name: str, value: float, text: str) -> None:
    assert fmt.metric(name, value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"), (37.4, "37 s"), (101, "1 min 40 s"), (118, "2 min"), (598, "10 min"), (1_500, "25 min"),
        (18_700, "5 h 10 min"), (86_300, "1 d"), (273_600, "3 d 4 h"),
    ],
)  # fmt: skip
def test_a_time_ahead_is_told_no_more_exactly_than_it_is_known(seconds: float, text: str) -> None:
    assert fmt.about(seconds) == text


@pytest.mark.parametrize(
    ("earliest", "latest", "text"),
    [
        (27, 36, "27–36 s"), (82, 131, "82–131 s"), (250, 420, "4–7 min"), (15_400, 24_500, "4.3–6.8 h"),
        (300_000, 500_000, "3.5–5.8 d"), (31, 31.2, "31 s"), (-1, 2, "0–2 s"),
    ],
)  # fmt: skip
def test_an_interval_is_told_in_one_unit(earliest: float, latest: float, text: str) -> None:
    assert fmt.between(earliest, latest) == text
