"""A real deadlock: the health check fails until the process is started anew."""

from .scene import Scene


def test_a_deadlock_that_fails_the_health_check_is_healed_by_one_restart(scene: Scene) -> None:
    scene.trigger("unhealthy")
    incident = scene.ended("unhealthy")
    assert incident["status"] == "RESOLVED", incident
    assert incident["action"] == "RESTART"
    assert scene.restarts() == 1
    assert scene.ask("/health", scene.app)["status"] == "healthy"
