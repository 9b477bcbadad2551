"""Datadog, by the payload that is to be entered in its webhook integration:

{"title": "$EVENT_TITLE", "body": "$TEXT_ONLY_MSG", "severity": "$ALERT_PRIORITY", "alert_type": "$ALERT_TYPE",
 "alert_transition": "$ALERT_TRANSITION", "tags": "$TAGS", "scopes": "$ALERT_SCOPE", "url": "$LINK", "id": "$ID",
 "aggreg_key": "$AGGREG_KEY", "alert_cycle_key": "$ALERT_CYCLE_KEY", "metric": "$ALERT_METRIC", "date": "$DATE"}
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from aegis_core.domain.logs import clean_lines
from aegis_core.domain.signal import Report

from . import document
from .document import Moment, Payload, Text
from .faults import fault_in, severity_in

NAME: Final = "datadog"
_OVER: Final = "recovered"
_MOST_LINES: Final = 40  # of its message


def tags_of(value: Any) -> Mapping[str, str]:
    """Tags such as `env:prod,container_name:web` as labels, also out of a list; one without a value is left out."""
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    pairs = (document.text_of(word).partition(":") for word in words)
    return document.labels_of({name.strip(): text.strip() for name, _, text in pairs})


Tags = Annotated[Mapping[str, str], BeforeValidator(tags_of)]


class _Event(Payload):
    alert_transition: Text
    title: Text = ""
    body: Any = ""
    severity: Text = ""
    alert_type: Text = ""
    tags: Tags = Field(default_factory=dict)
    scopes: Tags = Field(default_factory=dict)
    id: Text = ""
    aggreg_key: Text = ""
    alert_cycle_key: Text = ""
    metric: Text = ""
    date: Moment = None


def recognises(_: Mapping[str, str], payload: Any) -> bool:
    """By a field that is ours: theirs has no form of its own."""
    return isinstance(payload, dict) and "alert_transition" in payload


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read the event. Raises PayloadInvalid."""
    event = document.shaped(_Event, document.of(headers, body))
    tags = {**event.scopes, **event.tags}
    labels = {"name": tags.get("service", ""), **tags}
    text = event.body if isinstance(event.body, str) else ""
    report = Report(
        source=NAME,
        key=event.alert_cycle_key or event.aggreg_key or event.id or event.title or "alert",
        firing=_OVER not in event.alert_transition.lower(),
        fault=fault_in(tags, event.metric, event.title, text),
        severity=severity_in(tags, event.severity, event.alert_type),
        title=event.title or "alert",
        at=event.date,
        labels={name: value for name, value in labels.items() if value},
        logs=clean_lines(text, _MOST_LINES),
    )
    return (report,)
