"""Grafana alerting, webhook version 1: Alertmanager's form, with the values that each alert was raised with."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from aegis_core.domain.signal import Report

from . import document
from .alertmanager import Alert
from .document import Payload

NAME: Final = "grafana"
VERSION: Final = "1"
_TEST: Final = {"alertname": "TestAlert", "instance": "Grafana"}  # what the button "Test" of a contact point sends


class _Group(Payload):
    alerts: list[Alert]
    truncated_alerts: int = Field(0, alias="truncatedAlerts")


def recognises(headers: Mapping[str, str], payload: Any) -> bool:
    """By the header of its signature, or by its version together with the organisation."""
    if "x-grafana-alerting-signature" in headers:
        return True
    return isinstance(payload, dict) and payload.get("version") == VERSION and "orgId" in payload


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read the group: one report for each alert, none for the test button. Raises PayloadInvalid."""
    group = document.shaped(_Group, document.of(headers, body))
    real = (alert for alert in group.alerts if not _TEST.items() <= alert.labels.items())
    return tuple(alert.report(NAME, group.truncated_alerts) for alert in real)
