"""A disk that is really full: a restart frees nothing, and Aegis says so."""

from .scene import Scene


def test_a_full_disk_is_named_and_left_to_a_person(scene: Scene) -> None:
    scene.trigger("disk", "?rate=40")
    incident = scene.ended("disk_pressure")
    assert incident["status"] == "FAILED", incident
    assert incident["category"] == "disk_full"
    assert incident["action"] == "NOOP"
    assert scene.restarts() == 0
