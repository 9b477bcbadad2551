"""Uptime Kuma: a heartbeat of one monitor, as JSON, as the multipart field `data`, or in the query of a GET."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import Field

from aegis_core.domain.signal import Report, Severity
from aegis_core.errors import PayloadInvalid, PayloadUnreadable

from . import document
from .document import Moment, Payload, Text
from .faults import fault_in

NAME: Final = "uptime_kuma"
DOWN: Final = 0
UP: Final = 1
_PARTS: Final = ("heartbeat", "monitor")
_FORM: Final = "multipart/form-data"
_BOUNDARY: Final = re.compile(r';\s*boundary="?([^";]{1,70})', re.IGNORECASE)  # 70 characters by RFC 2046, 5.1.1
_FIELD: Final = re.compile(rb'content-disposition:[^\r\n]{0,200}\bname="?data\b', re.IGNORECASE)


class _Heartbeat(Payload):
    monitor_id: Text = Field("", alias="monitorID")
    status: int
    time: Moment = None
    message: Text = Field("", alias="msg")
    ping: Any = None


class _Monitor(Payload):
    id: Text = ""
    name: Text = ""
    type: Text = ""
    url: Text = ""
    hostname: Text = ""
    docker_container: Text = ""


class _Notification(Payload):
    heartbeat: _Heartbeat | None
    monitor: _Monitor | None
    message: Text = Field("", alias="msg")


def recognises(headers: Mapping[str, str], payload: Any) -> bool:
    """By its form, which nobody else uses here, or by its two parts."""
    if document.media_type(headers) == _FORM:
        return True
    return isinstance(payload, dict) and "heartbeat" in payload and "monitor" in payload


def parse(headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> Sequence[Report]:
    """Read the heartbeat. None of a monitor (the test button), pending and maintenance are no reports.

    Raises PayloadInvalid.
    """
    notification = document.shaped(_Notification, _document(headers, body, query))
    beat, monitor = notification.heartbeat, notification.monitor
    if beat is None or beat.status not in (DOWN, UP):
        return ()
    return (_report(beat, monitor or _Monitor(), notification.message),)


def _report(beat: _Heartbeat, monitor: _Monitor, message: str) -> Report:
    labels = {
        "container": monitor.docker_container,
        "name": monitor.name,
        "instance": monitor.hostname or _host(monitor.url),
        "monitor_type": monitor.type,
    }
    title = f"{monitor.name or 'monitor'} is {'up' if beat.status == UP else 'down'}"
    return Report(
        source=NAME,
        key=beat.monitor_id or monitor.id or monitor.name or "monitor",
        firing=beat.status == DOWN,
        fault=fault_in({}, "down"),
        severity=Severity.CRITICAL,
        title=title,
        at=beat.time,
        labels={name: value for name, value in labels.items() if value},
        logs=tuple(line for line in (message, beat.message) if line),
        metrics=document.numbers_of({"ping_ms": beat.ping}),
    )


def _document(headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> Any:
    if document.media_type(headers) == _FORM:
        return document.read(_field(headers["content-type"], body))
    if body.strip() or "msg" not in query:
        return document.of(headers, body)
    parts = {name: document.read(query[name].encode("utf-8", "replace")) for name in _PARTS if query.get(name)}
    return {**dict.fromkeys(_PARTS), "msg": query["msg"], **parts}


def _field(content_type: str, body: bytes) -> bytes:
    """Take the field `data` out of a form (RFC 7578). Raises PayloadInvalid."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise PayloadUnreadable("The form names no boundary.")
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode("utf-8", "replace"))[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        if _FIELD.search(head):
            return content
    raise PayloadInvalid('The form has no field "data".')


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
