"""The form of PagerDuty's Events API, version 2, which many tools can send: trigger, and resolve by its key."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from aegis_core.domain.signal import Report

from . import document
from .document import Moment, Payload, Text
from .faults import fault_in, severity_in

NAME: Final = "pagerduty_events_v2"
ROUTING_KEY: Final = "routing_key"


class _Details(Payload):
    summary: Text = ""
    source: Text = ""
    severity: Text = ""
    timestamp: Moment = None
    component: Text = ""
    group: Text = ""
    custom_details: Any = None


class _Event(Payload):
    event_action: Text
    dedup_key: Text = ""
    payload: _Details | None = None


def recognises(_: Mapping[str, str], payload: Any) -> bool:
    """By the key that says where it goes, and the word that says what to do."""
    return isinstance(payload, dict) and ROUTING_KEY in payload and "event_action" in payload


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read the event; `acknowledge` is no report: a person is at it. Raises PayloadInvalid."""
    event = document.shaped(_Event, document.of(headers, body))
    action = event.event_action.lower()
    if action not in ("trigger", "resolve"):
        return ()
    said = event.payload or _Details()
    details = document.labels_of(said.custom_details)
    labels = {"name": said.component, "instance": said.source, "group": said.group, **details}
    report = Report(
        source=NAME,
        key=event.dedup_key or sha256(f"{said.source}\n{said.component}\n{said.summary}".encode()).hexdigest()[:32],
        firing=action == "trigger",
        fault=fault_in(details, said.summary, *details),
        severity=severity_in({}, said.severity),
        title=said.summary or "event",
        at=said.timestamp,
        labels={name: value for name, value in labels.items() if value},
        logs=(*document.lines_of({"summary": said.summary}), *document.lines_of(details)),
        metrics=document.numbers_of(said.custom_details),
    )
    return (report,)
