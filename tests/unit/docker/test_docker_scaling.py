"""What the engine is told so that a container gets other limits."""

from typing import Any

import pytest

from aegis_core.adapters.docker.scaling import changes_to
from aegis_core.domain.target import Limits

MIB = 2**20


@pytest.mark.parametrize(
    ("swap", "then"),
    [(100 * MIB, 150 * MIB), (200 * MIB, 300 * MIB), (120 * MIB, 180 * MIB), (-1, -1), (0, 300 * MIB)],
    ids=["no swap", "as much swap as memory", "a little swap", "swap without limit", "the engine's default"],
)
def test_swap_keeps_its_relation_to_memory(swap: int, then: int) -> None:
    """It is always told: the engine holds a new limit against the swap that it knows."""
    settings = {"Memory": 100 * MIB, "MemorySwap": swap}
    assert changes_to(settings, Limits(memory_bytes=150 * MIB)) == {"Memory": 150 * MIB, "MemorySwap": then}


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"NanoCpus": 500_000_000}, {"NanoCpus": 750_000_000}),
        ({"CpuQuota": 25_000, "CpuPeriod": 50_000}, {"CpuQuota": 37_500}),
        ({"CpuQuota": 50_000, "CpuPeriod": 0}, {"CpuPeriod": 100_000, "CpuQuota": 75_000}),
        ({}, {}),
    ],
)
def test_a_cpu_limit_is_changed_in_the_words_that_it_was_set_in(
    settings: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert changes_to(settings, Limits(cpus=0.75)) == changes


def test_what_is_as_wanted_already_is_not_told_again() -> None:
    settings = {"Memory": 100 * MIB, "MemorySwap": 100 * MIB, "NanoCpus": 500_000_000}
    assert changes_to(settings, Limits(memory_bytes=100 * MIB, cpus=0.5)) == {}


def test_there_and_back_is_where_it_was() -> None:
    settings = {"Memory": 100 * MIB, "MemorySwap": 130 * MIB, "NanoCpus": 500_000_000}
    up = changes_to(settings, Limits(memory_bytes=150 * MIB, cpus=0.75))
    back = changes_to({**settings, **up}, Limits(memory_bytes=100 * MIB, cpus=0.5))
    assert {**settings, **up, **back} == settings
