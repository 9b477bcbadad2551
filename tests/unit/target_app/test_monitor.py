"""When the monitor tells the agent what it sees: sustained symptoms, cool-down, and symptoms that go away."""

from collections.abc import Mapping
from typing import Any

import pytest

from aegis_infra.target_app.alerts import Verdict, Watch, rules
from aegis_infra.target_app.meter import Measurement, Memory
from aegis_infra.target_app.monitor import Monitor
from aegis_infra.target_app.settings import settings_from
from aegis_infra.target_app.webhook import Answer, Outbox

MIB = 1024 * 1024
RULES = {rule.alert_type: rule for rule in rules(settings_from({"SUSTAINED_SECONDS": "5"}))}


def seen(memory_mib: int = 20, cpu: float | None = 1.0, **more: float) -> Measurement:
    values: dict[str, Any] = {"latency_p95_ms": None, "error_rate_percent": None, "disk_bytes": 0, **more}
    return Measurement(
        memory=Memory(memory_mib * MIB, 100 * MIB, "configured", enforced=False),
        cpu_percent=cpu,
        cpu_cores=1.0,
        disk_limit_bytes=100,
        **values,
    )


class World:
    """A monitor with a clock, a measurement and an agent that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.measurement = seen()
        self.agent_answers = Answer(202, "HTTP 202")
        self.received: list[Mapping[str, Any]] = []
        self.outbox = Outbox(self._post, lambda: self.now)
        self.monitor = Monitor(
            measure=lambda: self.measurement,
            watches=[Watch(rule, cooldown_seconds=60) for rule in RULES.values()],
            outbox=self.outbox,
            container_name="shop-1",
            last_lines=lambda: f"line at {self.now:g}",
            interval_seconds=1.0,
        )

    def _post(self, payload: Mapping[str, Any]) -> Answer:
        if self.agent_answers.accepted:
            self.received.append(payload)
        return self.agent_answers

    def let_pass(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.monitor.tick(self.now)
            while self.outbox.send_next() == 0:
                pass

    def told(self) -> list[str]:
        return [message["alert_type"] for message in self.received]


@pytest.fixture
def world() -> World:
    return World()


def test_a_healthy_app_tells_nothing(world: World) -> None:
    world.let_pass(600)

    assert world.told() == []


def test_a_burst_shorter_than_the_sustained_time_is_not_told(world: World) -> None:
    world.measurement = seen(cpu=99)
    world.let_pass(5)
    world.measurement = seen(cpu=85)  # exactly the threshold is not above it
    world.let_pass(1)
    world.measurement = seen(cpu=99)
    world.let_pass(5)

    assert world.told() == []


def test_a_sustained_symptom_is_told_once_and_again_after_the_cooldown(world: World) -> None:
    world.measurement = seen(cpu=99)
    world.let_pass(6)
    assert world.told() == ["cpu_saturation"]
    world.let_pass(59)
    assert world.told() == ["cpu_saturation"]
    world.let_pass(2)
    assert world.told() == ["cpu_saturation"] * 2


def test_a_symptom_that_comes_and_goes_is_not_told_within_its_cooldown(world: World) -> None:
    for _ in range(5):
        world.measurement = seen(cpu=99)
        world.let_pass(7)
        world.measurement = seen(cpu=1)
        world.let_pass(3)

    assert world.told() == ["cpu_saturation"]


@pytest.mark.parametrize(
    ("measurement", "alert_type"),
    [
        (seen(memory_mib=86), "memory_pressure"),
        (seen(cpu=86), "cpu_saturation"),
        (seen(latency_p95_ms=1001), "latency"),
        (seen(error_rate_percent=21), "error_logs"),
        (seen(disk_bytes=91), "disk_pressure"),
    ],
)
def test_each_symptom_is_told_by_its_own_name(world: World, measurement: Measurement, alert_type: str) -> None:
    world.measurement = measurement
    world.let_pass(6)

    assert world.told() == [alert_type]


def test_two_symptoms_at_once_are_both_told(world: World) -> None:
    world.measurement = seen(memory_mib=90, cpu=99)
    world.let_pass(6)

    assert sorted(world.told()) == ["cpu_saturation", "memory_pressure"]


def test_a_message_carries_the_log_and_only_the_metrics_that_are_known(world: World) -> None:
    world.measurement = seen(memory_mib=90, cpu=None)
    world.let_pass(6)

    message = world.received[0]
    assert message["container_name"] == "shop-1"
    assert message["severity"] == "critical"
    assert message["logs"].startswith("line at ")
    assert message["timestamp"].endswith("+00:00")
    assert message["metrics"] == {
        "memory_percent": 90.0,
        "memory_bytes": 90 * MIB,
        "memory_limit_bytes": 100 * MIB,
        "disk_percent": 0.0,
    }


def test_while_the_agent_is_away_one_message_waits_and_it_is_the_newest(world: World) -> None:
    world.agent_answers = Answer(None, "refused")
    world.measurement = seen(memory_mib=87)
    world.let_pass(100)
    assert world.outbox.pending() == ["memory_pressure"]

    world.measurement = seen(memory_mib=95)
    world.agent_answers = Answer(202, "HTTP 202")
    world.let_pass(31)

    assert [message["metrics"]["memory_percent"] for message in world.received] == [95.0]


def test_a_symptom_that_ended_while_the_agent_was_away_is_not_told(world: World) -> None:
    world.agent_answers = Answer(None, "refused")
    world.measurement = seen(memory_mib=90)
    world.let_pass(10)
    world.measurement = seen()
    world.let_pass(1)
    world.agent_answers = Answer(202, "HTTP 202")
    world.let_pass(60)

    assert world.told() == []


def test_an_unknown_value_is_no_symptom() -> None:
    watch = Watch(RULES["latency"], cooldown_seconds=60)

    assert watch.judge(5000, 0, None) is Verdict.RISING
    assert watch.judge(None, 10, None) is Verdict.QUIET
    assert watch.judge(5000, 20, None) is Verdict.RISING
    assert watch.judge(5000, 25, None) is Verdict.DUE
    assert watch.judge(5000, 26, 25) is Verdict.COOLING
