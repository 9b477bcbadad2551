"""CloudEvents 1.0 over HTTP: structured, in batches, or binary with its attributes in `ce-` headers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from aegis_core.domain.logs import clean_lines
from aegis_core.domain.signal import Report
from aegis_core.errors import PayloadInvalid

from . import document
from .document import Moment, Name, Payload, Text
from .faults import fault_in, severity_in

NAME: Final = "cloudevents"
STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_PREFIX: Final = "ce-"
_VERSION: Final = "1."
_ATTRIBUTES: Final = frozenset({"id", "source", "specversion", "type"})
_SAID: Final = ("message", "summary", "description", "reason", "logs")
_MOST_LINES: Final = 40


class _Event(Payload):
    id: Name
    source: Name
    specversion: Name
    type: Name
    subject: Text = ""
    time: Moment = None
    data: Any = None


def recognises(headers: Mapping[str, str], payload: Any) -> bool:
    """By the media type, by its headers, or by the four attributes that every event has."""
    if document.media_type(headers) in (STRUCTURED, BATCH) or f"{_PREFIX}specversion" in headers:
        return True
    return isinstance(payload, dict) and payload.keys() >= _ATTRIBUTES


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read one event, or a batch of them: one report for each. Raises PayloadInvalid."""
    if f"{_PREFIX}specversion" in headers:
        return (_report(_binary(headers, body)),)
    content = document.of(headers, body)
    events = content if isinstance(content, list) else [content]
    return tuple(_report(event) for event in events)


def _binary(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Put an event together whose attributes are headers, percent-encoded where they are not ASCII."""
    attributes = {
        name.removeprefix(_PREFIX): unquote(value, errors="replace")
        for name, value in headers.items()
        if name.startswith(_PREFIX)
    }
    if not body.strip():
        return attributes
    media = document.media_type(headers)
    if media.startswith("text/"):
        return {**attributes, "data": body.decode("utf-8", "replace")}
    return {**attributes, "data": document.of(headers, body)}


def _report(content: Any) -> Report:
    event = document.shaped(_Event, content)
    if not event.specversion.startswith(_VERSION):
        raise PayloadInvalid(f"specversion: {event.specversion[:20]} is not known here, only 1.0.")
    data = event.data if isinstance(event.data, dict) else {"message": event.data}
    labels = document.labels_of(data)
    kind = labels.get("alert_type", "")
    return Report(
        source=NAME,
        key=f"{event.source} {event.id}",
        firing=True,
        fault=fault_in({"fault": kind, **labels}, kind, event.type, event.subject, labels.get("message", "")),
        severity=severity_in(labels),
        title=kind or event.type,
        at=event.time,
        labels={**({"name": event.subject} if event.subject else {}), **labels},
        logs=tuple(line for name in _SAID for line in _lines(data.get(name))),
        metrics=document.numbers_of(data.get("metrics")) or document.numbers_of(data),
    )


def _lines(value: Any) -> Sequence[str]:
    if isinstance(value, list):
        value = "\n".join(line for line in value if isinstance(line, str))
    return clean_lines(value, _MOST_LINES) if isinstance(value, str) else ()
