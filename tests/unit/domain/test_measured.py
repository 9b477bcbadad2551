"""Recorded figures of any shape: their newest values and how they went."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.measured import MOST_SERIES, measured, metric_name

NEVER_MEASURED = {"PodSuccessRate(%)": 0.0}
ROWS = {
    "pod": "shop-7f9",
    "rows": [
        {"time": "2026-01-05 12:00:00", "CpuUsageRate(%)": 3.0, "PodServerLatencyP90(s)": 0.02, **NEVER_MEASURED},
        {"time": "2026-01-05 12:01:00", "CpuUsageRate(%)": 97.5, "PodServerLatencyP90(s)": 1.4, **NEVER_MEASURED},
        {"time": "2026-01-05 12:02:00", "CpuUsageRate(%)": 99.0, **NEVER_MEASURED},
    ],
}


def test_rows_become_their_newest_values_and_their_course() -> None:
    assert measured(ROWS).values == {"cpu_percent": 99.0, "server_latency_seconds": 1.4}
    assert measured(ROWS).course == ("CPU went from 3 % to 99 % within 120 s (lowest 3, highest 99 %)",)


def test_a_share_that_is_nothing_but_zero_was_not_measured_and_one_that_moves_was() -> None:
    rows = [{"success_percent": 0.0, "up": 0}, {"success_percent": 0.0, "up": 0}, {"success_percent": 0.0, "up": 0}]
    assert measured(rows).values == {"up": 0.0}
    assert measured([*rows, {"success_percent": 40.0}]).values["success_percent"] == 40.0
    assert measured({"success_percent": 0.0}).values == {"success_percent": 0.0}


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ({"memory_percent": 93, "restarts": 4}, {"memory_percent": 93.0, "restarts": 4.0}),
        ({"cpu": {"percent": "97.5%"}}, {"cpu_percent": 97.5}),
        ({"memory": "93 %"}, {"memory_percent": 93.0}),
        ({"cpu_percent": [10, 20.5]}, {"cpu_percent": 20.5}),
        ("Memory usage: 93 %\nopen connections = 512", {"memory_percent": 93.0, "open_connections": 512.0}),
        (["latency 1.5 s"], {"latency_seconds": 1.5}),
        (None, {}),
        ([], {}),
        (True, {}),
        ({"name": "web", "ready": False, "load": math.inf, "lost": math.nan, "huge": 10**400}, {}),
        (7, {}),
    ],
)
def test_other_shapes_are_read_as_far_as_they_hold_figures(raw: Any, values: dict[str, float]) -> None:
    assert measured(raw).values == values


def test_lines_without_a_figure_of_their_own_are_kept_as_they_are() -> None:
    assert measured("CPU was throttled for most of the hour").course == ("CPU was throttled for most of the hour",)


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("CpuUsageRate(%)", "cpu_percent"),
        ("NodeCpuUsageRate(%)", "node_cpu_percent"),
        ("PodServerLatencyP90(s)", "server_latency_seconds"),
        ("PodSuccessRate(%)", "success_percent"),
        ("HTTPErrors", "http_errors"),
        ("error rate", "error_rate"),
        ("container_memory_usage_bytes", "container_memory_usage_bytes"),
        ("memory [MB]", "memory_mb"),
        ("Usage", "usage"),
        ("温度", ""),
    ],
)
def test_names_come_into_snake_case_with_their_unit_at_the_end(name: str, known_as: str) -> None:
    assert metric_name(name) == known_as


def test_without_times_a_course_counts_its_samples() -> None:
    (course,) = measured({"queue_length": [10, 200, 4000]}).course
    assert course == "queue length went from 10 to 4e+03 over 3 samples (lowest 10, highest 4e+03)"


def test_a_time_that_cannot_be_read_costs_the_span_and_not_the_course() -> None:
    rows = [{"time": "yesterday", "cpu_percent": value} for value in (1, 2, 3)]
    assert measured(rows).course == ("CPU was steady at about 2 % over 3 samples",)


def test_a_dump_of_everything_fills_no_more_than_its_share() -> None:
    found = measured({f"metric_{number}": [number, 9 * number, 1] for number in range(500)})
    assert len(found.values) == MOST_SERIES
    assert len(found.course) <= MOST_SERIES


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=30,
)


@given(JSON)
def test_whatever_was_recorded_is_read_without_a_complaint(raw: Any) -> None:
    found = measured(raw)
    assert all(math.isfinite(value) for value in found.values.values())
