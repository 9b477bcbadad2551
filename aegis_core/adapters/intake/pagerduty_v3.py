"""PagerDuty's webhooks, version 3: what happened to one of its incidents."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aegis_core.domain.signal import Report

from . import document
from .document import Moment, Name, Payload, Text
from .faults import fault_in, severity_in

NAME: Final = "pagerduty_v3"
SIGNATURE: Final = "x-pagerduty-signature"
_BEGINS: Final = frozenset({"incident.triggered", "incident.reopened"})
_ENDS: Final = "incident.resolved"


class _Reference(Payload):
    summary: Text = ""


class _Incident(Payload):
    id: Name
    title: Text = ""
    incident_key: Text = ""
    html_url: Text = ""
    urgency: Text = ""
    service: _Reference | None = None
    priority: _Reference | None = None


class _Event(Payload):
    event_type: Name
    occurred_at: Moment = None
    data: Any = None


class _Delivery(Payload):
    event: _Event


def recognises(headers: Mapping[str, str], payload: Any) -> bool:
    """By the header of its signature, or by an event that has its own kind of name."""
    if SIGNATURE in headers:
        return True
    event = payload.get("event") if isinstance(payload, dict) else None
    return isinstance(event, dict) and "event_type" in event and "occurred_at" in event


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read the event; what neither begins nor ends an incident (a person is at it, a test) is no report.

    Raises PayloadInvalid.
    """
    event = document.shaped(_Delivery, document.of(headers, body)).event
    if event.event_type != _ENDS and event.event_type not in _BEGINS:
        return ()
    incident = document.shaped(_Incident, event.data)
    service = incident.service.summary if incident.service else ""
    priority = incident.priority.summary if incident.priority else ""
    report = Report(
        source=NAME,
        key=incident.id,
        firing=event.event_type in _BEGINS,
        fault=fault_in({}, incident.title, incident.incident_key),
        severity=severity_in({}, priority, incident.urgency),
        title=incident.title or "incident",
        at=event.occurred_at,
        labels={"name": service} if service else {},
        logs=document.lines_of({"title": incident.title, "url": incident.html_url}),
    )
    return (report,)


def delivery(_: Mapping[str, str], body: bytes) -> str:
    """The id by which a repeated delivery is known; empty where there is none."""
    event = document.entries(body).get("event")
    return document.text_of(event.get("id")) if isinstance(event, dict) else ""
