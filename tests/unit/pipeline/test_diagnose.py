"""Asking the brain: once for each evidence, and nothing but the evidence."""

from aegis_core.domain.events import EventType
from aegis_core.pipeline.diagnose import diagnose
from tests import examples as make

from .scene import Scene, kinds


def test_the_brain_is_given_the_evidence_and_its_answer_is_written_down() -> None:
    scene = Scene()
    incident = scene.incident(make.gathered())
    drafts = diagnose(incident, scene.tools)
    assert kinds(drafts) == [EventType.DIAGNOSED]
    assert scene.brain.asked == [incident.evidence]
    assert scene.after(incident, drafts).diagnosis == scene.brain.answer


def test_the_brain_is_not_asked_without_evidence_nor_twice() -> None:
    scene = Scene()
    assert diagnose(scene.incident(), scene.tools) == ()
    assert diagnose(scene.incident(make.gathered(), make.diagnosed()), scene.tools) == ()
    assert scene.brain.asked == []
