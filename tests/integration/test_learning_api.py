"""What the API and the metrics tell of what was learned: trust by action, and how sure each source was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_core.domain.diagnosis import Source
from aegis_core.domain.events import Draft
from aegis_core.domain.signal import Fault
from tests import examples as make

from .api_house import ApiHouse

HEALED = (make.verified(healthy=True), make.resolved())
IN_VAIN = (make.verified(healthy=False), make.failed())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    house = ApiHouse(tmp_path)
    try:
        yield house
    finally:
        house.close()


def happened(house: ApiHouse, name: str, source: Source, confidence: float, *end: Draft) -> None:
    """An incident that was acted on, and ended so."""
    known = {"incident_id": name, "key": name, "fault": Fault.CRASHED}
    incident, _ = make.opened(house.log, make.signal(name, **known), house.clock())
    said = make.diagnosis(confidence=confidence, source=source)
    acted = (make.gathered(), make.diagnosed(said), make.decided(), make.intended(), make.executed())
    house.happens(incident.id, *acted, *end)


def test_the_trust_in_each_action_is_shown_with_the_rule(house: ApiHouse) -> None:
    for number in range(3):
        lesson = make.lesson(f"inc-{number}", image="shop/web:1", timestamp=make.later(-number))
        house.agent.services.runbook.add(lesson)
    house.agent.services.runbook.add(make.lesson("inc-9", image="shop/web:1", fault=Fault.CRASHED))
    body = house.http.get("/trust").json()
    assert "3 verified successes" in body["rule"]
    [crashed, memory] = sorted(body["items"], key=lambda row: str(row["fault"]))
    assert (memory["image"], memory["action"], memory["successes"], memory["failures"]) == (
        "shop/web:1",
        "RESTART",
        3,
        0,
    )
    assert memory["mean"] == pytest.approx(0.8, abs=1e-3)
    assert memory["lower"] == pytest.approx(0.707, abs=1e-3)
    assert (memory["reflexes"], crashed["reflexes"]) == (1, 0)


def test_the_reliability_of_each_source_is_worked_out_of_the_event_log(house: ApiHouse) -> None:
    assert house.http.get("/reliability").json() == {"sources": []}
    happened(house, "a", Source.CLOUD, 0.9, *HEALED)
    happened(house, "b", Source.CLOUD, 0.9, *IN_VAIN)
    happened(house, "c", Source.RULES, 0.75, *HEALED)
    [cloud, rules] = house.http.get("/reliability").json()["sources"]
    assert (cloud["source"], cloud["verified"]["share"], cloud["brier"]) == ("cloud", 0.5, pytest.approx(0.41))
    assert cloud["calibration"]["ece"] == pytest.approx(0.4)
    assert (rules["source"], rules["verified"]["of"]) == ("rules", 1)
    happened(house, "d", Source.RULES, 0.75, *HEALED)
    assert house.http.get("/reliability").json()["sources"][1]["verified"]["of"] == 2


def test_an_incident_that_is_open_or_was_left_alone_tells_nothing(house: ApiHouse) -> None:
    happened(house, "a", Source.CLOUD, 0.9, make.verified(healthy=False))
    incident, _ = make.opened(house.log, make.signal("b", incident_id="b", key="b"), house.clock())
    house.happens(incident.id, make.gathered(), make.failed())
    assert house.http.get("/reliability").json() == {"sources": []}


def test_the_metrics_tell_it_too(house: ApiHouse) -> None:
    happened(house, "a", Source.CLOUD, 0.9, *HEALED)
    happened(house, "b", Source.CLOUD, 0.9, *IN_VAIN)
    told = house.http.get("/metrics").text
    for line in (
        'diagnosis_outcomes{confidence_le="1",healthy="true",source="cloud"} 1.0',
        'diagnosis_outcomes{confidence_le="1",healthy="false",source="cloud"} 1.0',
        'diagnosis_verified_share{source="cloud"} 0.5',
        'diagnosis_confidence{source="cloud"} 0.9',
        'diagnosis_brier_score{source="cloud"} 0.41',
        'diagnosis_calibration_error{source="cloud"} 0.4',
    ):
        assert line in told
