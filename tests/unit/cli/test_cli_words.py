"""Figures and times as text."""

from datetime import UTC, datetime, timedelta

import pytest

from aegis_core.cli.words import duration, local, money, short, spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-1, "0.0 s"),
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.7, "1 min 00 s"),
        (65, "1 min 05 s"),
        (7380, "2 h 03 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_are_told_in_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_cents_are_told_below_a_hundred_dollars_only() -> None:
    assert [money(value) for value in (None, 0, 12.5, 29_778.4)] == ["–", "$0", "$12.50", "$29,778"]


def test_another_day_is_told_with_its_date() -> None:
    now = datetime.now(UTC).astimezone().replace(hour=12)
    assert local(now, now) == f"{now:%H:%M:%S}"
    assert f"{now - timedelta(days=3):%b}" in local(now - timedelta(days=3), now)
    assert str(now.year - 1) in local(now.replace(year=now.year - 1, day=1), now)


def test_faults_are_spoken() -> None:
    assert [spoken(name) for name in ("cpu_saturation", "oom_killed", "db_latency")] == [
        "CPU saturation",
        "OOM killed",
        "DB latency",
    ]


def test_a_long_text_becomes_one_line_of_bounded_length() -> None:
    assert short("a\n b\t c") == "a b c"
    assert len(short("x" * 1000, 40)) == 40
