"""When a release has proven itself, and which one is gone back to."""

from typing import Any

import pytest

from aegis_core.domain.release import Release, former, verified
from aegis_core.domain.target import Health, RunState
from tests import examples as make


def running(seconds: float, **known: Any) -> Any:
    fields = {"started_at": make.later(-seconds), "image": "shop:1", "image_id": "sha256:one", "health": Health.HEALTHY}
    return make.state(**{**fields, **known})


def release(image_id: str, seconds: float) -> Release:
    return Release(target="web", image_id=image_id, image=image_id, verified_at=make.later(seconds))


@pytest.mark.parametrize("health", [Health.HEALTHY, Health.NONE])
def test_what_was_up_and_well_for_the_whole_window_is_a_release(health: Health) -> None:
    proven = verified(running(10, health=health), stability_seconds=10)
    assert proven == Release(target="web", image_id="sha256:one", image="shop:1", verified_at=make.NOON)


@pytest.mark.parametrize(
    "known",
    [
        {"started_at": make.later(-9.9)},
        {"started_at": None},
        {"health": Health.STARTING},
        {"health": Health.UNHEALTHY},
        {"run": RunState.EXITED},
        {"run": RunState.PAUSED},
        {"stopped_by_person": True},
        {"image_id": ""},
    ],
)
def test_everything_else_is_no_proof(known: dict[str, Any]) -> None:
    assert verified(running(10, **known), stability_seconds=10) is None


def test_a_run_that_began_after_a_crash_has_to_last_ten_times_as_long() -> None:
    assert verified(running(99, restart_count=1), stability_seconds=10) is None
    assert verified(running(100, restart_count=1), stability_seconds=10)


def test_what_was_well_last_is_gone_back_to_and_never_what_runs_now() -> None:
    known = [release("one", 1), release("three", 3), release("two", 2)]
    assert [one.image_id for one in former(known, "three")] == ["two", "one"]
    assert [one.image_id for one in former(known, "unknown")] == ["three", "two", "one"]
    assert former(known[:1], "one") == []
