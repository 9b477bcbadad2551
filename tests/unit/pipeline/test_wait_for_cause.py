"""An incident about a consequence waits for its cause: for a while, and only where that can be healed."""

from datetime import timedelta

import pytest

from aegis_core.domain.change import Relation
from aegis_core.domain.events import Agent, Draft, EventType
from aegis_core.domain.evidence import Evidence, lines_of
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.signal import Fault
from aegis_core.domain.target import Health
from aegis_core.pipeline.investigate import MOST_WAITS, WAIT_FOR_CAUSE, investigate
from tests import examples as make

from .scene import NAME, Scene, kinds

DB = "db"


class House(Scene):
    """A target that is unhealthy, and a database that it needs and that has crashed."""

    def __init__(self, relation: Relation = Relation.DEPENDENCY, **known: object) -> None:
        super().__init__(health=Health.HEALTHY)
        self.runtime.add(DB, **{"labels": make.LABELS, **known})
        self.runtime.relate(NAME, relation, DB)
        self.runtime.end(DB, 1)
        self.runtime.turn(NAME, Health.UNHEALTHY)

    def looked_at(self, incident: Incident) -> Incident:
        """The incident after one look, with the time gone by that it waits for."""
        after = self.after(incident, investigate(incident, self.tools))
        if after.wake_at:
            self.clock.advance((after.wake_at - self.clock()).total_seconds())
        return after

    def waits(self, fault: Fault = Fault.UNHEALTHY, **signal: object) -> bool:
        drafts = investigate(self.incident(fault=fault, **signal), self.tools)
        assert kinds(drafts) in ([EventType.RESTED], [EventType.EVIDENCE_GATHERED])
        return kinds(drafts) == [EventType.RESTED]


def test_what_fails_because_of_another_waits_for_it_and_says_so() -> None:
    house = House()
    (draft,) = investigate(house.incident(fault=Fault.UNHEALTHY), house.tools)
    assert draft.type is EventType.RESTED
    assert draft.data["waits_for"] == DB
    assert draft.data["reason"] == (
        "It fails because of db (dependency), which is exited, exit code 1: that one comes first."
    )
    after = house.incident(draft, fault=Fault.UNHEALTHY)
    assert (after.status, after.waits, after.evidence) == (Status.ANALYZING, 1, None)
    assert after.wake_at
    assert timedelta(0) < after.wake_at - house.clock() <= WAIT_FOR_CAUSE


def test_when_its_cause_is_well_and_it_is_too_the_evidence_is_gathered() -> None:
    house = House()
    incident = house.looked_at(house.incident(fault=Fault.UNHEALTHY))
    house.runtime.start(DB)
    house.runtime.turn(NAME, Health.HEALTHY)
    incident = house.looked_at(incident)
    assert incident.evidence
    assert incident.evidence.neighbours == ()


@pytest.mark.parametrize("health", [Health.UNHEALTHY, Health.STARTING])
def test_when_its_cause_is_well_it_gets_time_to_follow_and_is_then_looked_at_as_it_is(health: Health) -> None:
    house = House()
    incident = house.looked_at(house.incident(fault=Fault.UNHEALTHY))
    house.runtime.start(DB)
    house.runtime.turn(NAME, health)
    begun, looks = house.clock(), 0
    while incident.evidence is None:
        incident = house.looked_at(incident)
        looks += 1
    assert looks == MOST_WAITS
    assert (house.clock() - begun).total_seconds() <= 60


def test_what_has_crashed_does_not_follow_by_itself_and_is_looked_at_as_soon_as_its_cause_is_well() -> None:
    house = House()
    house.runtime.end(NAME, 1)
    incident = house.looked_at(house.incident(fault=Fault.CRASHED))
    house.runtime.start(DB)
    assert house.looked_at(incident).evidence


def test_a_cause_that_does_not_get_well_is_waited_for_a_minute_and_then_told_in_the_evidence() -> None:
    house = House()
    begun, incident = house.clock(), house.incident(fault=Fault.UNHEALTHY)
    while incident.evidence is None:
        incident = house.looked_at(incident)
    assert incident.waits == MOST_WAITS
    assert 50 < (house.clock() - begun).total_seconds() <= 61
    assert incident.evidence.neighbours == ("db (dependency) is exited, exit code 1",)
    assert "neighbour: db (dependency) is exited, exit code 1" in [line.text for line in lines_of(incident.evidence)]


@pytest.mark.parametrize("fault", [Fault.MEMORY_PRESSURE, Fault.CPU_SATURATION, Fault.DISK_PRESSURE, Fault.OOM_KILLED])
def test_what_is_a_targets_own_trouble_waits_for_nobody(fault: Fault) -> None:
    assert not House().waits(fault)


@pytest.mark.parametrize("labels", [{}, {"aegis.enable": "false"}, {**make.LABELS, "aegis.self": "true"}])
def test_a_cause_that_aegis_must_not_heal_is_told_and_not_waited_for(labels: dict[str, str]) -> None:
    house = House(labels=labels)
    (draft,) = investigate(house.incident(fault=Fault.UNHEALTHY), house.tools)
    evidence = Evidence.model_validate(draft.data["evidence"])
    assert evidence.neighbours == ("db (dependency) is exited, exit code 1",)


def test_what_was_tried_already_waits_no_more() -> None:
    house = House()
    tried = (make.gathered(), make.intended(), make.executed(), make.verified(healthy=False), make.rested(make.NOON))
    drafts = investigate(house.incident(*tried, fault=Fault.UNHEALTHY), house.tools)
    assert kinds(drafts) == [EventType.EVIDENCE_GATHERED]


def test_what_its_sender_takes_back_while_it_waits_goes_on_at_once() -> None:
    house = House()
    waiting = house.looked_at(house.incident(fault=Fault.CUSTOM))
    assert waiting.waits == 1
    cleared = house.after(waiting, [Draft(type=EventType.SIGNAL_CLEARED, agent=Agent.DETECTION)])
    assert kinds(investigate(cleared, house.tools)) == [EventType.EVIDENCE_GATHERED]


@pytest.mark.parametrize(("line", "waits"), [("ERROR could not connect to db", True), ("ERROR out of cheese", False)])
def test_who_is_on_the_same_network_is_waited_for_when_the_error_lines_name_it(line: str, waits: bool) -> None:
    house = House(Relation.SAME_NETWORK)
    house.runtime.say(NAME, line)
    assert house.waits() is waits


def test_a_line_that_names_a_neighbour_and_speaks_of_no_error_accuses_nobody() -> None:
    house = House(Relation.SAME_NETWORK)
    house.runtime.say(NAME, "connected to db")
    assert not house.waits()


def test_without_a_target_there_is_nobody_to_wait_for() -> None:
    house = House()
    house.runtime.remove(NAME)
    assert not house.waits()
