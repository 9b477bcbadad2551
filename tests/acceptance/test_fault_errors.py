"""A dependency that refuses connections: orders fail, and no restart of the one that calls it would help."""

from .scene import Scene


def test_a_refusing_dependency_is_named_and_left_to_a_person(scene: Scene) -> None:
    scene.trigger("errors")
    incident = scene.ended("error_logs")
    assert incident["status"] == "FAILED", incident
    assert incident["category"] == "dependency_unreachable"
    assert incident["action"] == "NOOP"
    assert any("refused" in line.lower() for line in incident["analysis"]["evidence"])
    assert scene.restarts() == 0
