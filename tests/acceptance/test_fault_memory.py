"""A real leak: memory grows towards the limit, and is back after one restart."""

from .scene import MEMORY_MB, Scene, until


def test_a_memory_leak_is_healed_by_one_restart_and_becomes_a_lesson(scene: Scene) -> None:
    scene.trigger("memory", "?rate=40")
    incident = scene.ended("memory_pressure")
    assert incident["status"] == "RESOLVED", incident
    assert incident["action"] == "RESTART"
    assert incident["category"] == "oom"
    assert incident["analysis"]["source"] == "rules"
    assert scene.restarts() == 1
    back = until(lambda: (scene.target() or {}).get("usage"), "a sample of the memory")
    assert back["memory_bytes"] < 0.85 * MEMORY_MB * 2**20
    lesson = until(scene.lessons, "the lesson")
    assert [(one["incident_id"], one["verified_healthy"]) for one in lesson] == [(incident["incident_id"], True)]
