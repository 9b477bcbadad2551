"""PagerDuty's webhooks, version 3."""

import pytest

from aegis_core.adapters.intake.pagerduty_v3 import parse, recognises
from aegis_core.domain.mapping import target_in
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import PayloadInvalid
from tests.payloads import JSON, encoded, pagerduty_v3


def test_a_triggered_incident_becomes_a_report_about_its_service() -> None:
    (report,) = parse(JSON, encoded(pagerduty_v3()), {})
    assert (report.firing, report.fault, report.severity) == (True, Fault.UNHEALTHY, Severity.CRITICAL)
    assert report.key == "Q2AIU6DCFW2JGU"
    assert target_in(report.labels) == "checkout"


def test_urgency_counts_where_there_is_no_priority() -> None:
    (report,) = parse(JSON, encoded(pagerduty_v3(priority=None, urgency="low")), {})
    assert report.severity is Severity.INFO


def test_resolved_ends_what_triggered_began() -> None:
    (begin,) = parse(JSON, encoded(pagerduty_v3()), {})
    (end,) = parse(JSON, encoded(pagerduty_v3("incident.resolved")), {})
    assert (end.firing, end.key) == (False, begin.key)


@pytest.mark.parametrize("kind", ["incident.acknowledged", "incident.annotated", "pagey.ping", "service.updated"])
def test_other_events_report_nothing(kind: str) -> None:
    assert parse(JSON, encoded(pagerduty_v3(kind)), {}) == ()


def test_an_event_about_nothing_is_refused() -> None:
    with pytest.raises(PayloadInvalid):
        parse(JSON, b'{"event": {"event_type": "incident.triggered", "data": null}}', {})
    with pytest.raises(PayloadInvalid):
        parse(JSON, b'{"messages": []}', {})


def test_it_is_known_by_the_header_of_its_signature_alone() -> None:
    assert recognises({"x-pagerduty-signature": "v1=00"}, None)
    assert not recognises({}, None)
