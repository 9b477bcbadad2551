"""Datadog's events by the template that we publish."""

import json
import re

import pytest

from aegis_core.adapters.intake import datadog
from aegis_core.domain.mapping import target_in
from aegis_core.domain.signal import Fault, Report, Severity
from aegis_core.errors import PayloadInvalid
from tests.payloads import JSON, encoded
from tests.payloads import datadog as event


def _report(**known: object) -> Report:
    (report,) = datadog.parse(JSON, encoded(event(**known)), {})  # type: ignore[arg-type]
    return report


def test_an_event_becomes_a_report_about_the_container_in_its_tags() -> None:
    report = _report()
    assert (report.firing, report.fault, report.severity) == (True, Fault.MEMORY_PRESSURE, Severity.CRITICAL)
    assert target_in(report.labels) == "checkout"
    assert report.logs == ("Memory usage is above 85 %.", "Check the cache.", "@webhook-aegis")
    assert report.at is not None
    assert report.at.isoformat() == "2026-11-20T11:59:12+00:00"


@pytest.mark.parametrize("transition", ["Recovered", "recovered", "No Data/Recovered"])
def test_recovered_ends_it(transition: str) -> None:
    report = _report(alert_transition=transition)
    assert not report.firing
    assert report.key == _report().key


@pytest.mark.parametrize("transition", ["Triggered", "Re-Triggered", "Warn", "No Data", "Renotify"])
def test_every_other_transition_fires(transition: str) -> None:
    assert _report(alert_transition=transition).firing


def test_tags_may_be_a_list_and_a_service_names_the_target_where_no_container_does() -> None:
    report = _report(tags=["service:cart", "env:prod", 7, "monitor"], scopes="")
    assert target_in(report.labels) == "cart"


def test_what_has_no_transition_is_refused() -> None:
    with pytest.raises(PayloadInvalid, match="alert_transition"):
        datadog.parse(JSON, b'{"title": "x"}', {})


def test_the_published_template_is_json_with_every_field_that_is_read() -> None:
    template = json.loads(re.search(r"\{.*\}", datadog.__doc__ or "", re.DOTALL)[0])  # type: ignore[index]
    assert template.keys() == event().keys()
    assert all(value.startswith("$") for value in template.values())
