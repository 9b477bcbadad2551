"""Storms of alerts: counted and not copied, one thought for each trouble, the urgent first, and nobody left out."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from aegis_core.bootstrap import Parts, build
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Diagnosis
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident, Status
from aegis_core.domain.intent import Goal
from aegis_core.domain.signal import Fault, Severity
from aegis_core.domain.target import Limits, TargetState
from aegis_core.ports import Filter
from aegis_core.settings import load
from aegis_core.testing import FakeRuntime
from tests import examples as make
from tests.integration.llm_servers import Exchange, Server, answer, openai_server, says
from tests.payloads import alert, alertmanager, encoded

from .moments import diagnosis
from .scene import Scene
from .served_agent import until

ALERTS, REPLAYS, CLIENTS = 1_000, 50, 8
ODD = "psycopg2.InterfaceError: connection already closed"  # what the rules would mend by a restart as well


# ---- one trouble, told a thousand times


class Model:
    """A model that wants a restart, and says so only when it may. Counts what it is asked."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.server: Server

    def reply(self, exchange: Exchange) -> None:
        self.may_answer.wait(60)
        says(answer(action="RESTART", category="stale_connection", confidence=0.99))(exchange)

    @property
    def asked(self) -> int:
        return len(self.server.requests)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    model = Model()
    with openai_server(model.reply) as model.server:
        yield model
        model.may_answer.set()


@pytest.fixture(scope="module")
def scene(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    settings = {
        "AEGIS_LLM_BASE_URL": f"{model.server.url}/v1",
        "AEGIS_LLM_API_KEY": "of-the-test",
        "AEGIS_LLM_TIMEOUT_SECONDS": "100",
        "AEGIS_COOLDOWN_SECONDS": "0",
        "AEGIS_DEBOUNCE_SECONDS": "3",
    }
    one = Scene("process", tmp_path_factory.mktemp("storm"), settings)
    try:
        yield one.open()
    finally:
        model.may_answer.set()
        one.close()


@pytest.fixture(autouse=True)
def silent(model: Model) -> None:
    model.may_answer.clear()
    model.server.requests.clear()


def posted(scene: Scene, times: int, body: bytes, path: str = "/webhook") -> int:
    """Post this so often, by eight senders at once; returns how many were accepted."""

    def send(mine: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", scene.core, timeout=30)
        accepted = 0
        for _ in range(mine):
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            reply.read()
            accepted += 200 <= reply.status < 300
        connection.close()
        return accepted

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(send, [len(range(number, times, CLIENTS)) for number in range(CLIENTS)]))


def native(scene: Scene, **known: str) -> bytes:
    told = {"container_name": scene.name, "alert_type": "odd", "severity": "critical", "logs": ODD}
    return json.dumps({**told, **known}).encode()


def test_a_thousand_identical_alerts_and_their_replays_are_one_incident_and_one_thought(
    scene: Scene, model: Model
) -> None:
    body = native(scene, incident_id="storm-1")
    accepted = posted(scene, ALERTS, body)
    until(lambda: model.asked, "the model to be asked")
    accepted += posted(scene, REPLAYS, body)
    counted = scene.ask("/incidents/storm-1")["signals"]
    model.may_answer.set()

    incident = scene.closed(incident_id="storm-1")
    late = posted(scene, REPLAYS, body)

    assert accepted == counted == ALERTS + REPLAYS, "every 2xx is stored"
    assert (incident["status"], incident["attempts"]) == ("RESOLVED", 1), incident
    assert late == REPLAYS
    assert scene.ask("/incidents/storm-1") == incident, "a replay of what is over changes nothing"
    assert [one["incident_id"] for one in scene.incidents()] == ["storm-1"]
    assert model.asked == 1
    assert scene.restarts() == 1


def fires(scene: Scene, status: str = "firing", word: str = "SomethingOdd") -> bytes:
    one = alert(word, status)
    told = {"labels": {**one["labels"], "name": scene.name}, "annotations": {"summary": "It is odd", "log": ODD}}
    return encoded(alertmanager({**one, **told, "fingerprint": word}))


def test_a_storm_that_its_sender_takes_back_while_it_is_waited_for_costs_no_thought(scene: Scene, model: Model) -> None:
    restarts = scene.restarts()
    accepted = posted(scene, ALERTS // 5, fires(scene))
    assert posted(scene, 1, fires(scene, "resolved")) == 1

    incident = scene.closed(container_name=scene.name, alert_type="SomethingOdd")

    assert accepted == incident["signals"] == ALERTS // 5
    assert incident["fault"] == "custom", "nothing that could be measured"
    assert (incident["status"], incident["action"], incident["attempts"]) == ("RESOLVED", "NOOP", 0), incident
    assert model.asked == 0
    assert scene.restarts() == restarts


def test_what_has_gone_away_when_it_is_looked_at_costs_no_thought(scene: Scene, model: Model) -> None:
    restarts = scene.restarts()
    posted(scene, 1, native(scene, alert_type="high_memory", incident_id="passing"))

    incident = scene.closed(incident_id="passing")

    assert (incident["status"], incident["action"]) == ("RESOLVED", "NOOP"), incident
    assert "went away without Aegis: memory is at" in incident["root_cause"]
    assert (model.asked, scene.restarts()) == (0, restarts)


def test_what_fires_again_after_it_was_taken_back_is_thought_about(scene: Scene, model: Model) -> None:
    model.may_answer.set()
    for status in ("firing", "resolved", "firing"):
        assert posted(scene, 1, fires(scene, status, "OddAgain")) == 1

    incident = scene.closed(container_name=scene.name, alert_type="OddAgain")

    assert (incident["signals"], incident["attempts"]) == (2, 1), incident
    assert model.asked == 1


# ---- five hundred alerts for fifty targets, and four workers


TARGETS, WORKERS = [f"web-{number:02}" for number in range(50)], 4
SEVERE = {Fault.CUSTOM: Severity.CRITICAL, Fault.LATENCY: Severity.INFO}


class Hospital(FakeRuntime):
    """Takes a while over a restart; counts how many of its targets are treated at once, and each by how many."""

    def __init__(self) -> None:
        super().__init__(lambda: datetime.now(UTC))
        self.order: list[tuple[str, Severity]] = []
        self.most_at_once: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """Think for a moment (port `Brain`)."""
        assert evidence.target
        with self._lock:
            self.order.append((evidence.target.ref.name, evidence.severity))
        self._treat(evidence.target.ref.name)
        return diagnosis(evidence, Action.RESTART)

    def apply(self, action: Action, before: TargetState, goal: Goal = Goal()) -> None:
        self._treat(before.ref.name)
        super().apply(action, before, goal)

    def _treat(self, name: str) -> None:
        places = (name, "all")
        with self._lock:
            self._now.update(places)
            self.most_at_once = self.most_at_once | self._now
        sleep(0.002)
        with self._lock:
            self._now.subtract(places)


class Ward:
    """An agent in this process with four workers. What is submitted before it starts waits for it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.hospital = Hospital()
        chosen = load(
            data_dir=folder, workers=WORKERS, debounce_seconds=0, sense_seconds=3600, stability_seconds=0,
            verify_wait_seconds=0.0, verify_attempts=1, **settings,
        )  # fmt: skip
        self.agent = build(chosen, Parts(runtime=self.hospital, brain=self.hospital))

    def admit(self, *names: str, **known: Any) -> None:
        for name in names:
            self.hospital.add(name, **{"labels": make.LABELS, "stop_timeout": 0.0, **known})

    def report(self, target: str, fault: Fault, severity: Severity = Severity.WARNING) -> None:
        signal = make.signal(target, fault=fault, severity=severity, at=datetime.now(UTC))
        self.agent.services.submit(signal)

    def incidents(self, **wanted: Any) -> list[Incident]:
        return list(self.agent.services.incidents.list(Filter(**wanted), 1_000, 0)[0])

    def is_done(self) -> bool:
        return self.agent.services.incidents.list(Filter(open=True), 1, 0)[1] == 0


def test_of_five_hundred_alerts_none_is_lost_the_critical_come_first_and_no_target_has_two_hands_on_it(
    tmp_path: Path,
) -> None:
    ward = Ward(tmp_path, cooldown_seconds=0)
    ward.admit(*TARGETS, limits=Limits(memory_bytes=2**27))
    for name in TARGETS:  # all of one target in a row
        for fault in Fault:
            ward.report(name, fault, SEVERE.get(fault, Severity.WARNING))
    assert len(ward.incidents()) == len(TARGETS) * len(Fault) == 500
    with ward.agent:
        until(ward.is_done, "all to end")

    hospital, ended = ward.hospital, ward.incidents()
    assert Counter(one.target for one in ended) == dict.fromkeys(TARGETS, len(Fault)), "nobody starves"
    assert {one.status for one in ended if one.fault is Fault.CUSTOM} == {Status.RESOLVED}
    assert 1 < hospital.most_at_once["all"] <= WORKERS
    assert {hospital.most_at_once[name] for name in TARGETS} == {1}, "never two at a time for one target"
    critical = [severity for _, severity in hospital.order[: len(TARGETS) + WORKERS]].count(Severity.CRITICAL)
    assert critical == len(TARGETS), "the critical first"
    last = [severity for _, severity in hospital.order[-len(TARGETS) :]]
    assert Severity.INFO in last
    assert ward.hospital.starts(TARGETS[0]) - 1 == sum(one.attempts for one in ended if one.target == TARGETS[0])


class Flapping(Hospital):
    """Some of its targets fall ill again as soon as they have been restarted."""

    def start(self, name: str) -> None:
        super().start(name)
        if name.startswith("flapping"):
            self._targets[name].memory_bytes = 99


def test_flapping_targets_delay_no_other_even_where_there_are_more_of_them_than_workers(tmp_path: Path) -> None:
    ward = Ward(tmp_path, cooldown_seconds=3600, attempt_window_seconds=7200)
    ward.hospital.__class__ = Flapping
    flapping = [f"flapping-{number}" for number in range(2 * WORKERS)]
    ward.admit(*flapping, limits=Limits(memory_bytes=100))
    ward.admit(*TARGETS)
    for name in flapping:
        ward.report(name, Fault.MEMORY_PRESSURE, Severity.CRITICAL)
    with ward.agent:
        until(lambda: all(ward.hospital.starts(name) == 2 for name in flapping), "the first treatment of all that flap")
        for name in flapping:
            for fault in (Fault.CUSTOM, Fault.LATENCY, Fault.ERROR_LOGS):
                ward.report(name, fault, Severity.CRITICAL)
        for name in TARGETS:
            ward.report(name, Fault.CUSTOM, Severity.INFO)
        others = lambda: [one for one in ward.incidents(open=False) if one.target in TARGETS]  # noqa: E731
        until(lambda: len(others()) == len(TARGETS), "all the others to be healed", 30)
        resting = ward.incidents(open=True)

    assert {one.status for one in others()} == {Status.RESOLVED}
    assert {one.target for one in resting} == set(flapping)
    assert {ward.hospital.starts(name) for name in flapping} == {2}, "each waits for its own pause"
