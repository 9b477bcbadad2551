"""Grafana's groups, as version 1 of its webhook sends them."""

import pytest

from aegis_core.adapters.intake.grafana import parse
from aegis_core.domain.signal import Fault
from aegis_core.errors import PayloadInvalid
from tests.payloads import JSON, alert, encoded, grafana


def test_an_alert_becomes_a_report_with_the_values_that_raised_it() -> None:
    (report,) = parse(JSON, encoded(grafana()), {})
    assert (report.source, report.firing, report.fault) == ("grafana", True, Fault.MEMORY_PRESSURE)
    assert report.metrics == {"memory_percent": 93.4, "B": 93.4, "C": 1.0}


def test_values_that_are_not_there_are_left_out() -> None:
    group = grafana()
    group["alerts"][0]["values"] = {"B": None, "C": "n/a"}
    (report,) = parse(JSON, encoded(group), {})
    assert report.metrics == {"memory_percent": 93.4}


def test_the_end_of_an_alert_has_the_key_of_its_beginning() -> None:
    (begin,) = parse(JSON, encoded(grafana()), {})
    (end,) = parse(JSON, encoded(grafana(alert(status="resolved"))), {})
    assert (begin.firing, end.firing) == (True, False)
    assert begin.key == end.key


def test_the_test_button_of_a_contact_point_reports_nothing() -> None:
    test = {**alert("TestAlert"), "labels": {"alertname": "TestAlert", "instance": "Grafana"}}
    assert parse(JSON, encoded(grafana(test)), {}) == ()


def test_what_has_no_alerts_is_refused() -> None:
    with pytest.raises(PayloadInvalid, match="alerts"):
        parse(JSON, b'{"version": "1", "orgId": 1}', {})
