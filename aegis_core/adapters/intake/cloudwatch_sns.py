"""CloudWatch alarms by way of Amazon SNS: an envelope with the alarm as a text inside, often sent as text/plain."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from aegis_core.domain.signal import Report

from . import document
from .document import Moment, Name, Payload, Text
from .faults import fault_in, severity_in

NAME: Final = "cloudwatch_sns"
TYPE: Final = "x-amz-sns-message-type"
TOPIC: Final = "x-amz-sns-topic-arn"
MESSAGE: Final = "x-amz-sns-message-id"
RAW: Final = "x-amz-sns-rawdelivery"  # "true": the alarm comes without its envelope, and without a signature
NOTIFICATION: Final = "Notification"
_NAMES: Final = {"containername": "container_name", "servicename": "name", "instanceid": "instance_id"}


class _Envelope(Payload):
    type: Name = Field(alias="Type")
    topic: Text = Field("", alias="TopicArn")
    message: str = Field("", alias="Message")
    timestamp: Moment = Field(None, alias="Timestamp")
    subscribe_url: Text = Field("", alias="SubscribeURL")


class _Trigger(Payload):
    metric: Text = Field("", alias="MetricName")
    namespace: Text = Field("", alias="Namespace")
    dimensions: Any = Field(None, alias="Dimensions")
    threshold: Any = Field(None, alias="Threshold")


class _Alarm(Payload):
    name: Name = Field(alias="AlarmName")
    arn: Text = Field("", alias="AlarmArn")
    description: Text = Field("", alias="AlarmDescription")
    state: Name = Field(alias="NewStateValue")
    reason: Text = Field("", alias="NewStateReason")
    changed_at: Moment = Field(None, alias="StateChangeTime")
    trigger: _Trigger | None = Field(None, alias="Trigger")


def recognises(headers: Mapping[str, str], payload: Any) -> bool:
    """By the header of the message's type, or by the envelope."""
    return TYPE in headers or (isinstance(payload, dict) and "TopicArn" in payload and "Type" in payload)


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read the alarm. Subscriptions are no reports (see `notice`), nor is an alarm with too little data.

    Raises PayloadInvalid.
    """
    content = document.of(headers, body)
    if headers.get(RAW, "").lower() == "true":
        return _reports(document.shaped(_Alarm, content))
    envelope = document.shaped(_Envelope, content)
    if envelope.type != NOTIFICATION:
        return ()
    return _reports(document.shaped(_Alarm, document.read(envelope.message.encode())))


def notice(body: bytes) -> str:
    """What a person has to do about a delivery that is no alarm; empty otherwise. Nobody but a person opens the URL.

    Raises PayloadInvalid.
    """
    envelope = document.shaped(_Envelope, document.read(body))
    if envelope.type == NOTIFICATION or not envelope.subscribe_url:
        return ""
    return f"{envelope.type} of {envelope.topic}: to confirm, open this address yourself: {envelope.subscribe_url}"


def delivery(headers: Mapping[str, str], body: bytes) -> str:
    """The id by which a repeated delivery is known; empty where there is none."""
    return document.text_of(document.entries(body).get("MessageId")) or document.text_of(headers.get(MESSAGE, ""))


def _reports(alarm: _Alarm) -> Sequence[Report]:
    if alarm.state not in ("ALARM", "OK"):
        return ()
    trigger = alarm.trigger or _Trigger()
    labels = _dimensions(trigger.dimensions)
    report = Report(
        source=NAME,
        key=alarm.arn or alarm.name,
        firing=alarm.state == "ALARM",
        fault=fault_in(labels, trigger.metric, alarm.name, alarm.description),
        severity=severity_in(labels),
        title=alarm.name,
        at=alarm.changed_at,
        labels=labels,
        logs=document.lines_of({"description": alarm.description, "reason": alarm.reason}),
        metrics=document.numbers_of({"threshold": trigger.threshold}),
    )
    return (report,)


def _dimensions(value: Any) -> dict[str, str]:
    """The dimensions of the metric, `[{"name": "ServiceName", "value": "shop"}, …]`, as labels."""
    entries = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    pairs = {document.text_of(one.get("name")): one.get("value") for one in entries}
    return document.labels_of({_NAMES.get(name.lower(), name): text for name, text in pairs.items()})
