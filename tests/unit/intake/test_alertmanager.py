"""Alertmanager's groups, as version 4 of its webhook sends them."""

from datetime import UTC, datetime

import pytest

from aegis_core.adapters.intake.alertmanager import parse
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import PayloadInvalid
from tests.payloads import JSON, alert, alertmanager, encoded


def test_an_alert_becomes_a_report_with_its_labels_its_words_and_its_numbers() -> None:
    (report,) = parse(JSON, encoded(alertmanager()), {})
    assert report.source == "alertmanager"
    assert report.firing
    assert (report.fault, report.severity) == (Fault.MEMORY_PRESSURE, Severity.CRITICAL)
    assert report.title == "ContainerMemoryHigh"
    assert report.at == datetime(2026, 11, 20, 11, 58, 30, 123456, tzinfo=UTC)
    assert report.labels["name"] == "checkout"
    assert "summary: Memory of checkout is at 93 % of its limit" in report.logs
    assert report.metrics == {"memory_percent": 93.4}


def test_each_alert_of_a_group_fires_or_ends_by_itself() -> None:
    group = alertmanager(alert(), alert(status="resolved", name="CpuHigh"))
    assert [report.firing for report in parse(JSON, encoded(group), {})] == [True, False]


def test_the_end_of_an_alert_has_the_key_of_its_beginning() -> None:
    (begin,) = parse(JSON, encoded(alertmanager()), {})
    (end,) = parse(JSON, encoded(alertmanager(alert(status="resolved"))), {})
    assert begin.key == end.key


def test_the_same_alert_at_another_time_is_another_trouble() -> None:
    again = {**alert(), "startsAt": "2026-11-20T15:00:00Z"}
    first, second = parse(JSON, encoded(alertmanager(alert(), again)), {})
    assert first.key != second.key


def test_alerts_without_a_fingerprint_are_told_apart_by_their_labels() -> None:
    bare = [{name: value for name, value in one.items() if name != "fingerprint"} for one in (alert(), alert(pod="b"))]
    first, second = parse(JSON, encoded(alertmanager(*bare)), {})
    assert first.key != second.key


def test_alerts_that_were_left_out_of_the_group_are_mentioned() -> None:
    (report,) = parse(JSON, encoded(alertmanager(truncatedAlerts=41)), {})
    assert any("41 more alerts" in line for line in report.logs)


def test_labels_and_annotations_may_be_missing() -> None:
    (report,) = parse(JSON, b'{"version": "4", "alerts": [{"status": "firing", "labels": null}]}', {})
    assert (report.fault, report.severity, report.at) == (Fault.CUSTOM, Severity.WARNING, None)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"alerts": {}}', b'{"alerts": ["up"]}', b'{"alerts": [{}]}'])
def test_what_is_no_group_of_alerts_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadInvalid):
        parse(JSON, body, {})
