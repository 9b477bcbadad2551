"""A real crash: the process ends with a traceback; nobody reports it, Aegis sees it."""

from .scene import Scene


def test_a_crash_is_seen_and_healed_by_one_start(scene: Scene) -> None:
    scene.trigger("crash")
    incident = scene.ended("crashed")
    assert incident["status"] == "RESOLVED", incident
    assert incident["action"] == "RESTART"
    assert incident["category"] == "app_crash_bug"
    assert any("exit code 1" in line["text"] for line in incident["evidence_lines"])
    assert scene.restarts() == 1
