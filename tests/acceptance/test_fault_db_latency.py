"""A real lock on the database: restarting the one that waits does not help, and Aegis says so."""

from .scene import Scene


def test_a_slow_database_is_named_and_left_to_a_person(scene: Scene) -> None:
    scene.trigger("db_latency")
    incident = scene.ended("latency")
    assert incident["status"] == "FAILED", incident
    assert incident["category"] == "slow_dependency"
    assert incident["action"] == "NOOP"
    assert incident["error"]
    assert scene.restarts() == 0
