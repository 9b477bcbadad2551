"""Every family of webhooks over HTTP, into a real store: what fires opens or joins, what is over is noted."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aegis_core.domain.target import Limits
from tests import examples as make
from tests import payloads
from tests.contract.rigs import wait_until
from tests.payloads import FIRING, TOPIC, encoded

from .api_house import MIB, ApiHouse

TOKEN = "correct horse"
BEARER = {"authorization": f"Bearer {TOKEN}"}

OVER: dict[str, Any] = {
    "alertmanager": payloads.alertmanager(payloads.alert(status="resolved")),
    "grafana": payloads.grafana(payloads.alert(status="resolved")),
    "uptime_kuma": payloads.uptime_kuma(status=1),
    "datadog": payloads.datadog("Recovered"),
    "pagerduty_v3": {
        "event": {**payloads.pagerduty_v3("incident.resolved")["event"], "id": "01DHCQ7ZV2N0PXE4K1A8SB3M6A"}
    },
    "cloudwatch_sns": payloads.sns(payloads.alarm("OK"), MessageId="33c91ca3-0000-4c2c-8f9d-bdfb0c7bf324"),
    "pagerduty_events_v2": payloads.pagerduty_event("resolve"),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    opened = ApiHouse(tmp_path / "data", token=TOKEN, sns_topics=TOPIC, debounce_seconds=0.0)
    opened.runtime.add("checkout", labels=make.LABELS, limits=Limits(memory_bytes=128 * MIB))
    opened.runtime.use("checkout", memory_bytes=12 * MIB)
    yield opened
    opened.close()


def _post(house: ApiHouse, document: Any, path: str = "/webhook", **headers: str) -> Any:
    return house.http.post(path, content=encoded(document), headers={**BEARER, **headers})


def _taken(answer: Any) -> Mapping[str, Any]:
    """The one incident in an answer."""
    assert answer.status_code == 202, answer.text
    (incident,) = answer.json()["incidents"]
    return dict(incident)


def _types(house: ApiHouse, incident_id: str) -> list[str]:
    return [event["type"] for event in house.http.get(f"/incidents/{incident_id}/events").json()["items"]]


@pytest.mark.parametrize("family", FIRING)
@pytest.mark.parametrize("path", ["/webhook", "/webhook/{family}"])
def test_what_fires_opens_an_incident_of_the_target_that_its_labels_name(
    house: ApiHouse, family: str, path: str
) -> None:
    answer = _post(house, FIRING[family], path.format(family=family))
    incident = _taken(answer)
    assert answer.json() == {"accepted": 1, "incidents": [incident]}
    assert set(incident) == {"incident_id", "container_name", "status"}
    assert (incident["container_name"], incident["status"]) == ("checkout", "RECEIVED")
    assert house.stored() == [incident["incident_id"]]
    (event,) = house.http.get(f"/incidents/{incident['incident_id']}/events").json()["items"]
    assert event["data"]["signal"]["source"] == family


@pytest.mark.parametrize("family", [name for name in FIRING if name not in {"pagerduty_v3", "cloudwatch_sns"}])
def test_the_same_alert_again_joins(house: ApiHouse, family: str) -> None:
    first, again = (_taken(_post(house, FIRING[family]))["incident_id"] for _ in range(2))
    assert first == again
    assert house.shown(first)["signals"] == 2


@pytest.mark.parametrize("family", ["pagerduty_v3", "cloudwatch_sns"])
def test_a_delivery_that_its_sender_repeats_counts_once(house: ApiHouse, family: str) -> None:
    first = _taken(_post(house, FIRING[family]))["incident_id"]
    answer = _post(house, FIRING[family])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "incidents": []})
    assert house.shown(first)["signals"] == 1


@pytest.mark.parametrize("family", OVER)
def test_what_is_over_is_noted_on_the_incident_that_it_began(house: ApiHouse, family: str) -> None:
    opened = _taken(_post(house, FIRING[family]))["incident_id"]
    closed = _taken(_post(house, OVER[family]))["incident_id"]
    assert opened == closed
    assert _types(house, opened) == ["SignalReceived", "SignalCleared"]


@pytest.mark.parametrize("family", OVER)
def test_the_end_of_something_unknown_opens_nothing(house: ApiHouse, family: str) -> None:
    answer = _post(house, OVER[family])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "incidents": []})
    assert house.stored() == []


def test_what_is_over_before_anybody_looked_ends_without_an_action(house: ApiHouse) -> None:
    opened = _taken(_post(house, FIRING["alertmanager"]))["incident_id"]
    _post(house, OVER["alertmanager"])
    house.start()
    wait_until(lambda: house.shown(opened)["closed_at"], "the incident to end")
    shown = house.shown(opened)
    assert (shown["status"], shown["action"], shown["attempts"]) == ("RESOLVED", "NOOP", 0)
    assert house.runtime.starts("checkout") == 1


def test_an_alert_of_memory_is_healed_like_one_of_our_own(house: ApiHouse) -> None:
    house.start()
    group = payloads.alertmanager(payloads.alert(name="web"))
    group["alerts"][0]["labels"] |= {"alertname": "ContainerMemoryHigh", "name": "web"}
    opened = _taken(_post(house, group))["incident_id"]
    wait_until(lambda: house.shown(opened)["closed_at"], "the incident to end")
    assert (house.shown(opened)["status"], house.runtime.starts("web")) == ("RESOLVED", 2)


def test_an_alert_about_nobody_is_diagnosed_and_escalated_and_nothing_is_touched(house: ApiHouse) -> None:
    house.start()
    alert = payloads.alert("ApiErrorRateHigh")
    alert["labels"] = {"alertname": "ApiErrorRateHigh", "severity": "critical", "instance": "10.0.0.5:443"}
    incident = _taken(_post(house, payloads.alertmanager(alert)))
    assert incident["container_name"].startswith("unmapped:alertmanager:ApiErrorRateHigh-")
    wait_until(lambda: house.shown(incident["incident_id"])["closed_at"], "the incident to end")
    shown = house.shown(incident["incident_id"])
    assert (shown["status"], shown["attempts"]) == ("FAILED", 0)
    assert shown["analysis"]
    assert [house.runtime.starts(name) for name in ("web", "checkout")] == [1, 1]


def test_a_group_of_many_alerts_opens_an_incident_for_each_target(house: ApiHouse) -> None:
    alerts = [{**payloads.alert(), "fingerprint": f"{number:016x}"} for number in range(40)]
    for number, alert in enumerate(alerts):
        alert["labels"] = {**alert["labels"], "name": f"shop-{number // 2}"}
    answer = _post(house, payloads.alertmanager(*alerts)).json()
    assert answer["accepted"] == 40
    assert sorted(one["container_name"] for one in answer["incidents"]) == sorted(f"shop-{n}" for n in range(20))
    assert len(house.stored()) == 20


def test_which_labels_name_the_target_is_a_setting(tmp_path: Path) -> None:
    house = ApiHouse(tmp_path / "data", target_labels="job, name")
    try:
        assert _taken(_post(house, FIRING["alertmanager"]))["container_name"] == "cadvisor"
    finally:
        house.close()


def test_uptime_kuma_may_send_a_form_or_a_query(house: ApiHouse) -> None:
    headers, form = payloads.form(payloads.uptime_kuma())
    by_form = _taken(house.http.post("/webhook", content=form, headers={**BEARER, **headers}))
    query = {
        name: value if name == "msg" else json.dumps(value) for name, value in payloads.uptime_kuma().items() if value
    }
    by_query = _taken(house.http.get("/webhook/uptime_kuma", params=query, headers=BEARER))
    assert by_form == by_query
    assert house.shown(by_form["incident_id"])["signals"] == 2


def test_grafana_may_put_and_a_name_may_have_dashes(house: ApiHouse) -> None:
    answer = house.http.put("/webhook/grafana", content=encoded(FIRING["grafana"]), headers=BEARER)
    assert _taken(answer)["container_name"] == "checkout"
    assert _taken(_post(house, FIRING["uptime_kuma"], "/webhook/uptime-kuma"))


def test_a_subscription_opens_nothing_and_is_told_with_its_address(house: ApiHouse) -> None:
    answer = _post(house, payloads.subscription(), **{"x-amz-sns-message-type": "SubscriptionConfirmation"})
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["incidents"]) == (202, 0, [])
    assert payloads.subscription()["SubscribeURL"] in body["notice"]


def test_the_native_webhook_is_answered_as_ever_also_by_its_name(house: ApiHouse) -> None:
    body = {"container_name": "web", "alert_type": "memory"}
    first, again = (_post(house, body, path) for path in ("/webhook", "/webhook/native"))
    assert (first.status_code, again.status_code) == (202, 200)
    assert set(first.json()) == {"incident_id", "container_name", "status", "analysis", "error"}
    assert first.json() == again.json()


def test_no_secret_of_the_target_in_an_alert_is_stored(house: ApiHouse) -> None:
    house.runtime.add("checkout", env={"DB_PASSWORD": "s3cr3t-of-the-shop"}, labels=make.LABELS)
    house.runtime.use("checkout", memory_bytes=MIB)
    house.start()
    alert = payloads.alert()
    alert["annotations"]["description"] = "cannot log in with s3cr3t-of-the-shop"
    _post(house, payloads.alertmanager({**alert, "fingerprint": "s3cr3t-of-the-shop"}))
    files = [path.read_bytes() for path in house.folder.iterdir() if path.is_file()]
    assert files
    assert all(b"s3cr3t-of-the-shop" not in content for content in files)
