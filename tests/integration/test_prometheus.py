"""Prometheus and Alertmanager for real: a rule of ours fires on a real leak, Aegis hears of it and heals."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.scene import Scene
from tests.acceptance.served_agent import until

from .monitoring import INFRA, Monitoring, exporting, programs

TOKEN = "tok-of-the-monitoring"
MEMORY = "container_memory_working_set_bytes"
LIMIT = "container_spec_memory_limit_bytes"


class WatchedScene(Scene):
    """A patient that tells nobody, and an agent that would look for ten minutes before it says something by itself."""

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "AEGIS_URL": "http://127.0.0.1:9"}

    def _targets_file(self) -> Path:
        path = super()._targets_file()
        mine = '"aegis.enable" = "true"'
        path.write_text(path.read_text().replace(mine, f'{mine}, "aegis.for" = "10m"'))
        return path

    def metrics(self) -> str:
        """The memory of the patient as cAdvisor would show it, from what the agent measures."""
        target = self.target() or {}
        labels = f'{{name="{self.name}",image="shop",id="/docker/0a1b",container_label_aegis_enable="true"}}'
        used, limit = (target.get("usage") or {}).get("memory_bytes"), (target.get("limits") or {}).get("memory_bytes")
        return f"{MEMORY}{labels} {used}\n{LIMIT}{labels} {limit}\n" if used and limit else ""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[WatchedScene]:
    one = WatchedScene("process", tmp_path, {"AEGIS_TOKEN": TOKEN, "AEGIS_FORECAST_LEAD_SECONDS": "0"})
    try:
        one.open()
        yield one
    finally:
        one.close()


@pytest.fixture
def monitoring(scene: WatchedScene) -> Iterator[Monitoring]:
    with exporting(scene.metrics) as exporter:
        addresses = {
            "cadvisor:8080": f"127.0.0.1:{exporter}",
            "buggy-app-v2:8000": f"127.0.0.1:{scene.app}",
            "aegis-core:8001": f"127.0.0.1:{scene.core}",
        }
        one = Monitoring(scene.folder, addresses, TOKEN)
        try:
            one.start()
            yield one
        finally:
            one.stop()


def _signals(scene: Scene, incident: dict[str, Any]) -> list[dict[str, Any]]:
    events = scene.events(incident["incident_id"])
    return [event["data"]["signal"] for event in events if "signal" in event["data"]]


def test_a_rule_fires_aegis_heals_and_the_end_of_the_alert_does_no_harm(
    scene: WatchedScene, monitoring: Monitoring
) -> None:
    up = until(lambda: len(found := monitoring.query("up")) == 3 and found, "all three to be scraped")
    assert all(value == 1 for _, value in up), up
    assert until(lambda: monitoring.query("shop_memory_percent"), "the app's own metrics")

    scene.trigger("memory", "?rate=40")
    incident = scene.ended("memory_pressure")

    assert (incident["status"], incident["action"]) == ("RESOLVED", "RESTART"), incident
    assert incident["alert_type"] == "ContainerMemoryHigh"
    assert incident["metrics"]["memory_percent"] > 85
    assert {signal["source"] for signal in _signals(scene, incident)} == {"alertmanager"}
    assert scene.restarts() == 1

    until(lambda: not monitoring.alerts(), "Alertmanager to hold it for over")
    until(lambda: monitoring.delivered()[0] >= 2, "the end of the alert to be told")
    assert monitoring.delivered()[1] == 0, "every delivery was taken in"
    later = scene.incidents(container_name=scene.name)
    assert [one["incident_id"] for one in later if one["attempts"]] == [incident["incident_id"]]
    assert not [one for one in later if not one["closed_at"]]
    assert scene.restarts() == 1


def test_the_files_that_we_ship_are_valid() -> None:
    _, promtool, _, amtool = programs()
    for command in (
        [promtool, "check", "config", INFRA / "prometheus/prometheus.yml"],
        [promtool, "check", "rules", "--lint-fatal", INFRA / "prometheus/rules.yml"],
        [amtool, "check-config", INFRA / "alertmanager/alertmanager.yml"],
    ):
        checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert checked.returncode == 0, checked.stdout + checked.stderr
