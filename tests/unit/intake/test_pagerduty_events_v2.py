"""Events in the form of PagerDuty's Events API."""

import pytest

from aegis_core.adapters.intake.pagerduty_events_v2 import parse
from aegis_core.domain.mapping import target_in
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import PayloadInvalid
from tests.payloads import JSON, encoded, pagerduty_event


def test_a_trigger_becomes_a_report_about_its_component() -> None:
    (report,) = parse(JSON, encoded(pagerduty_event()), {})
    assert (report.firing, report.fault, report.severity) == (True, Fault.CPU_SATURATION, Severity.CRITICAL)
    assert target_in(report.labels) == "checkout"
    assert report.metrics == {"load": 3.8}
    assert "limit: 0.5 CPUs" in report.logs


def test_details_may_name_the_container_and_the_fault_better() -> None:
    details = {"container": "shop-web-1", "fault": "oom_killed"}
    (report,) = parse(JSON, encoded(pagerduty_event(custom_details=details)), {})
    assert (target_in(report.labels), report.fault) == ("shop-web-1", Fault.OOM_KILLED)


def test_resolve_needs_no_payload_and_ends_what_has_its_key() -> None:
    body = encoded({"routing_key": "k", "event_action": "resolve", "dedup_key": "checkout/cpu"})
    (report,) = parse(JSON, body, {})
    assert (report.firing, report.key) == (False, "checkout/cpu")


def test_acknowledge_reports_nothing() -> None:
    assert parse(JSON, encoded(pagerduty_event("acknowledge")), {}) == ()


def test_without_a_key_the_same_words_about_the_same_thing_are_the_same_trouble() -> None:
    one, two = ({**pagerduty_event(source=source), "dedup_key": None} for source in ("node-1", "node-2"))
    (first,), (again,), (other,) = (parse(JSON, encoded(event), {}) for event in (one, one, two))
    assert first.key == again.key != other.key


@pytest.mark.parametrize("details", ["a text", ["a", "list"], None, 7])
def test_details_need_not_be_an_object(details: object) -> None:
    assert parse(JSON, encoded(pagerduty_event(custom_details=details)), {})[0].metrics == {}


def test_what_says_not_what_to_do_is_refused() -> None:
    with pytest.raises(PayloadInvalid, match="event_action"):
        parse(JSON, b'{"routing_key": "k"}', {})
