"""The card of a target: what it says of the time until its memory is full."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis_dashboard.components.target_card import card, cards
from aegis_dashboard.format import Clock
from aegis_dashboard.wire import Target

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FORECAST = {"seconds_to_limit": 100.0, "earliest": 82.0, "latest": 131.0, "words": "a leak of 1.5 MiB/s"}


def target(name: str = "shop", percent: float = 71.0, **fields: Any) -> Target:
    series = [
        {"at": NOW - timedelta(seconds=10 * before), "memory_bytes": 1, "memory_percent": percent - before}
        for before in range(9, -1, -1)
    ]
    known = {"run": "running", "opted_in": True, "limits": {"memory_bytes": 2**29}, "usage": series[-1]}
    return Target.model_validate({"name": name, "series": series, "forecast": FORECAST, **known, **fields})


def drawn(one: Target) -> str:
    return card(one, Clock(NOW))


def test_a_leak_says_when_it_reaches_the_limit_and_how_sure_that_is() -> None:
    shown = drawn(target())
    assert "reaches the limit in about 1 min 40 s" in shown
    assert "82–131 s" in shown
    assert "a leak of 1.5 MiB/s" in shown
    assert "ag-ahead" in shown


def test_without_a_forecast_nothing_is_said_of_the_future() -> None:
    shown = drawn(target(forecast=None))
    assert "limit in about" not in shown
    assert "ag-ahead" not in shown


@pytest.mark.parametrize("known", [{"run": "exited"}, {"run": "restarting"}, {"percent": 100.0}])
def test_what_has_ended_or_is_full_already_has_no_forecast(known: dict[str, Any]) -> None:
    assert "limit in about" not in drawn(target(**known))


def test_a_limit_that_is_hours_away_is_no_warning() -> None:
    far = {"seconds_to_limit": 19_000, "earliest": 15_400, "latest": 24_500}
    assert "ag-warn" in drawn(target())
    assert "ag-warn" not in drawn(target(forecast=far))


def test_with_a_single_sample_the_time_is_told_and_no_line_is_drawn() -> None:
    shown = drawn(target(series=target().series[-1:]))
    assert "reaches the limit" in shown
    assert "ag-ahead" not in shown


def test_who_runs_full_first_stands_first() -> None:
    later = target("later", forecast={**FORECAST, "seconds_to_limit": 500})
    shown = cards([target("calm", forecast=None), later, target("soon")], Clock(NOW))
    assert shown.index("soon") < shown.index("later") < shown.index("calm")


def test_of_what_is_not_watched_the_forecast_is_told_too() -> None:
    assert "memory full in about 1 min 40 s" in cards([target(opted_in=False)], Clock(NOW))
