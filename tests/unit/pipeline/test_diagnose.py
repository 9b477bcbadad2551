"""Asking the brain: once for each evidence, nothing but the evidence, and not at all about what is over."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import lines_of
from aegis_core.domain.forecast import Forecast
from aegis_core.domain.incident import Incident
from aegis_core.domain.signal import FORESEEN, Fault
from aegis_core.domain.target import Health, Usage
from aegis_core.pipeline.diagnose import diagnose
from tests import examples as make

from .scene import Scene, kinds

CLEARED = Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)


def diagnosed(scene: Scene, incident: Incident) -> Incident:
    drafts = diagnose(incident, scene.tools)
    assert kinds(drafts) == [EventType.DIAGNOSED]
    return scene.after(incident, drafts)


def asked(scene: Scene, incident: Incident) -> bool:
    """Diagnose; tells whether the brain was asked. If not, nothing is to be done."""
    after = diagnosed(scene, incident).diagnosis
    assert after
    if not scene.brain.asked:
        assert (after.category, after.action) == (Category.HEALTHY, Action.NOOP)
        assert incident.evidence
        assert after.evidence[0] in [line.text for line in lines_of(incident.evidence)]
    return bool(scene.brain.asked)


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


# ---- over by itself


def used(memory: float | None = None, cpu: float | None = None) -> Usage:
    return Usage(at=make.NOON, memory_bytes=1, memory_percent=memory, cpu_percent=cpu)


@pytest.mark.parametrize(
    ("fault", "usage", "over"),
    [
        (Fault.MEMORY_PRESSURE, used(memory=84.9), True),
        (Fault.MEMORY_PRESSURE, used(memory=85.0), False),
        (Fault.MEMORY_PRESSURE, used(cpu=1.0), False),
        (Fault.MEMORY_PRESSURE, None, False),
        (Fault.CPU_SATURATION, used(cpu=84.9), True),
        (Fault.CPU_SATURATION, used(cpu=85.0), False),
    ],
)
def test_nobody_is_asked_about_a_measure_that_is_below_its_threshold_again(
    fault: Fault, usage: Usage | None, over: bool
) -> None:
    scene = Scene()
    assert asked(scene, scene.incident(make.gathered(make.state(usage=usage), fault=fault), fault=fault)) is not over


def test_nobody_is_asked_about_what_is_healthy_or_runs_again() -> None:
    for fault, known in ((Fault.UNHEALTHY, {"health": Health.HEALTHY}), (Fault.CRASHED, {}), (Fault.OOM_KILLED, {})):
        scene = Scene()
        assert not asked(scene, scene.incident(make.gathered(make.state(**known), fault=fault), fault=fault))


@pytest.mark.parametrize("fault", [Fault.CRASH_LOOP, Fault.ERROR_LOGS, Fault.LATENCY, Fault.CUSTOM])
def test_what_cannot_be_seen_to_be_over_is_asked_about(fault: Fault) -> None:
    scene = Scene()
    seen = make.state(health=Health.HEALTHY, usage=used(memory=1.0, cpu=1.0))
    assert asked(scene, scene.incident(make.gathered(seen, fault=fault), fault=fault))


def test_the_owners_own_threshold_says_what_is_over() -> None:
    scene = Scene()
    seen = make.state(usage=used(memory=60.0), labels={**make.LABELS, "aegis.memory_percent": "50"})
    assert asked(scene, scene.incident(make.gathered(seen)))


def test_nobody_is_asked_about_what_its_sender_has_taken_back() -> None:
    scene = Scene()
    assert not asked(scene, scene.incident(make.gathered(fault=Fault.CUSTOM), CLEARED, fault=Fault.CUSTOM))


def test_what_is_taken_back_about_a_target_that_nobody_knows_is_over_too() -> None:
    scene = Scene()
    incident = scene.incident(make.gathered(), CLEARED)
    assert incident.evidence
    unknown = incident.model_copy(update={"evidence": incident.evidence.model_copy(update={"target": None})})
    assert not asked(scene, unknown)


def test_what_is_reported_again_after_it_was_taken_back_is_asked_about() -> None:
    scene = Scene()
    again = make.joined(fault=Fault.CUSTOM)
    assert asked(scene, scene.incident(make.gathered(fault=Fault.CUSTOM), CLEARED, again, fault=Fault.CUSTOM))


@pytest.mark.parametrize("sign", [(), (CLEARED,)])
def test_that_it_is_over_is_believed_once(sign: tuple[Draft, ...]) -> None:
    scene = Scene()
    well = make.gathered(make.state(usage=used(memory=10.0)))
    noop = make.decided(make.decision(action=Action.NOOP))
    first = (well, make.diagnosed(make.diagnosis(Action.NOOP, category=Category.HEALTHY)), noop)
    ended = (make.executed(Action.NOOP), make.verified(healthy=False), make.rested(make.NOON))
    assert asked(scene, scene.incident(*sign, *first, *ended, well))


# ---- foreseen


def test_a_leak_that_was_foreseen_is_over_when_it_no_longer_leads_into_the_limit() -> None:
    scene = Scene()
    low = make.gathered(make.state(usage=used(memory=70.0)))
    assert not asked(scene, scene.incident(low, metrics={FORESEEN: 60.0}))


def test_a_leak_that_was_foreseen_is_not_over_because_memory_is_still_below_its_threshold() -> None:
    scene = Scene()
    scene.tools.sightings.saw([scene.state()], {})
    leak = Forecast(
        seconds_to_limit=50,
        earliest=40,
        latest=60,
        bytes_per_second=1e6,
        samples=30,
        span_seconds=60,
        limit_bytes=10**8,
    )
    scene.tools.sightings.foresaw(scene.ref.name, leak)
    low = make.gathered(make.state(usage=used(memory=70.0)))
    assert asked(scene, scene.incident(low, metrics={FORESEEN: 60.0}))
