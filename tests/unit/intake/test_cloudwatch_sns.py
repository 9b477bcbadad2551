"""CloudWatch alarms in the envelopes of Amazon SNS."""

import pytest

from aegis_core.adapters.intake.cloudwatch_sns import RAW, notice, parse, recognises
from aegis_core.domain.mapping import target_in
from aegis_core.domain.signal import Fault
from aegis_core.errors import PayloadInvalid, PayloadUnreadable
from tests.payloads import JSON, SNS_HEADERS, alarm, encoded, sns, subscription


def test_an_alarm_sent_as_plain_text_becomes_a_report_about_its_service() -> None:
    (report,) = parse(SNS_HEADERS, encoded(sns(alarm())), {})
    assert (report.firing, report.fault, report.title) == (True, Fault.MEMORY_PRESSURE, "checkout-memory-high")
    assert report.key == "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:checkout-memory-high"
    assert report.metrics == {"threshold": 85.0}
    assert report.labels["ClusterName"] == "shop"
    assert target_in(report.labels) == "checkout"
    assert report.at is not None
    assert report.at.minute == 59


def test_ok_ends_what_alarm_began() -> None:
    (begin,) = parse(SNS_HEADERS, encoded(sns(alarm())), {})
    (end,) = parse(SNS_HEADERS, encoded(sns(alarm("OK"))), {})
    assert (end.firing, end.key) == (False, begin.key)


def test_too_little_data_reports_nothing() -> None:
    assert parse(SNS_HEADERS, encoded(sns(alarm("INSUFFICIENT_DATA"))), {}) == ()


def test_raw_delivery_brings_the_alarm_without_its_envelope() -> None:
    headers = {**JSON, RAW: "true", "x-amz-sns-message-type": "Notification"}
    assert parse(headers, encoded(alarm()), {}) == parse(SNS_HEADERS, encoded(sns(alarm())), {})


def test_a_subscription_reports_nothing_and_its_address_is_told_to_a_person() -> None:
    body = encoded(subscription())
    assert parse({**SNS_HEADERS, "x-amz-sns-message-type": "SubscriptionConfirmation"}, body, {}) == ()
    said = notice(body)
    assert subscription()["SubscribeURL"] in said
    assert "SubscriptionConfirmation" in said


def test_of_an_alarm_nobody_is_told_anything() -> None:
    assert notice(encoded(sns(alarm()))) == ""


@pytest.mark.parametrize("dimensions", [None, {}, ["a"], [{"name": 3}], [{"name": None, "value": {}}]])
def test_dimensions_in_another_form_are_passed_over(dimensions: object) -> None:
    (report,) = parse(SNS_HEADERS, encoded(sns(alarm(Trigger={"Dimensions": dimensions}))), {})
    assert report.labels == {}


def test_a_message_that_is_no_alarm_is_refused() -> None:
    with pytest.raises(PayloadUnreadable):
        parse(SNS_HEADERS, encoded(sns("Hello from another topic")), {})
    with pytest.raises(PayloadInvalid, match="AlarmName"):
        parse(SNS_HEADERS, encoded(sns({"detail": {}})), {})


def test_it_is_known_by_the_header_of_its_type_alone() -> None:
    assert recognises(SNS_HEADERS, None)
    assert not recognises(JSON, None)
