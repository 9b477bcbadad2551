"""Whom an alert means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.mapping import TARGET_LABELS, key_of, service_in, signal_of, target_in
from aegis_core.domain.signal import Fault, Report, Severity
from tests.examples import NOON, later


def _report(**known: object) -> Report:
    fields: dict[str, object] = {
        "source": "alertmanager",
        "key": "5c9b@2026-11-20 11:58:30+00:00",
        "firing": True,
        "fault": Fault.LATENCY,
        "severity": Severity.WARNING,
        "title": "HighLatency",
    }
    return Report.model_validate({**fields, **known})


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        ({"container": "web"}, "web"),
        ({"name": "/web-1"}, "web-1"),
        ({"name": "web", "container": "shop-web-1"}, "shop-web-1"),
        ({"com.docker.compose.service": "web"}, "web"),
        ({"com_docker_compose_service": "web"}, "web"),
        ({"container_label_com_docker_compose_service": "web"}, "web"),
        ({"container_label_com_docker_swarm_service_name": "web"}, "web"),
        ({"name": "Web shop (Vienna)", "instance": "checkout:8080"}, "checkout"),
        ({"instance": "Checkout:8080"}, "Checkout"),
        ({"instance": "http://checkout:8080/health"}, "checkout"),
        ({"instance": "checkout"}, "checkout"),
    ],
)
def test_the_most_telling_label_names_the_target(labels: dict[str, str], target: str) -> None:
    assert target_in(labels) == target


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"pod": "web"},
        {"name": ""},
        {"name": "a b"},
        {"name": "we\nb"},
        {"name": "../web"},
        {"name": "unmapped:web"},
        {"name": "-web"},
        {"name": "w" * 300},
        {"instance": "10.0.0.5:9100"},
        {"instance": "[::1]:9100"},
        {"instance": "localhost:9100"},
        {"instance": "http://[oops"},
        {"instance": ":9100"},
    ],
)
def test_what_can_be_no_name_of_a_container_names_nothing(labels: dict[str, str]) -> None:
    target = target_in(labels)
    assert target is None


def test_the_order_of_the_labels_is_a_setting() -> None:
    labels = {"container": "sidecar", "service": "web"}
    assert target_in(labels, ("service", "container")) == "web"


@given(st.dictionaries(st.sampled_from(TARGET_LABELS), st.text(max_size=40)))
def test_no_label_can_name_what_stands_for_nobody(labels: dict[str, str]) -> None:
    assert ":" not in (target_in(labels) or "")


def test_a_report_becomes_a_signal_about_its_target() -> None:
    signal = signal_of(_report(labels={"name": "web"}, at=later(-60), logs=("a",), metrics={"b": 1}), ("name",), NOON)
    assert (signal.target, signal.fault, signal.severity, signal.at) == (
        "web",
        Fault.LATENCY,
        Severity.WARNING,
        later(-60),
    )
    assert (signal.source, signal.alert_type, signal.logs) == ("alertmanager", "HighLatency", ("a",))
    assert signal.key == key_of(_report())


def test_what_happened_when_nobody_says_happened_now() -> None:
    assert signal_of(_report(), ("name",), NOON).at == NOON


def test_a_report_about_nobody_gets_a_name_that_nothing_can_have() -> None:
    name = signal_of(_report(title="High latency: checkout!"), ("name",), NOON).target
    assert name.startswith("unmapped:alertmanager:High-latency-checkout-")
    assert target_in({"name": name}) is None


def test_two_troubles_about_nobody_are_two_and_the_same_one_is_one() -> None:
    first, again, other = (signal_of(_report(key=key), (), NOON).target for key in ("a", "a", "b"))
    assert first == again != other


def test_no_secret_of_a_title_becomes_a_name() -> None:
    assert "hunter2" not in signal_of(_report(title="login password=hunter2 failed"), (), NOON).target


@pytest.mark.parametrize("key", ["k" * 5000, "https://user:hunter2@host/a", "a\nb", "", "\ud800"])
def test_keys_are_told_apart_by_their_digests_and_by_their_families(key: str) -> None:
    told = key_of(_report(key=key))
    assert len(told) < 64
    assert "hunter2" not in told
    assert told == key_of(_report(key=key))
    assert len({told, key_of(_report(key=key + "x")), key_of(_report(key=key, source="grafana"))}) == 3


@pytest.mark.parametrize(
    ("container", "service"),
    [
        ("shop.1.v8z0p3m4q5r6s7t8u9w0x1y2z", "shop"),
        ("stack_shop.v2.12.v8z0p3m4q5r6s7t8u9w0x1y2z", "stack_shop.v2"),
        ("agent.u5fjtsvj7sde7iy24s9c9elo5.v8z0p3m4q5r6s7t8u9w0x1y2z", "agent"),
        ("shop", None),
        ("shop.1", None),
        ("shop.1.v8z0", None),
        (".1.v8z0p3m4q5r6s7t8u9w0x1y2z", None),
        ("shop.one.v8z0p3m4q5r6s7t8u9w0x1y2z", None),
    ],
)
def test_the_name_of_a_task_tells_its_service(container: str, service: str | None) -> None:
    assert service_in(container) == service
