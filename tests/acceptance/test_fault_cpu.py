"""A real busy loop: the CPU allowance is used up, and is free again after one restart."""

import pytest

from .scene import Scene

pytestmark = pytest.mark.alone  # what else runs takes the CPU away that the loop would burn


def test_a_busy_loop_is_healed_by_one_restart(scene: Scene) -> None:
    scene.trigger("cpu")
    incident = scene.ended("cpu_saturation")
    assert incident["status"] == "RESOLVED", incident
    assert incident["action"] == "RESTART"
    assert incident["category"] == "cpu_saturation"
    assert scene.restarts() == 1
