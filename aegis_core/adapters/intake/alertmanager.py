"""Prometheus' Alertmanager, webhook version 4: a group of alerts, each firing or resolved by itself."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from pydantic import Field

from aegis_core.domain.signal import Report

from . import document
from .document import Labels, Moment, Numbers, Payload, Text
from .faults import fault_in, severity_in

NAME: Final = "alertmanager"
VERSION: Final = "4"
_TITLE: Final = ("summary", "title", "message", "description")  # what people write the sentence into


class Alert(Payload):
    """One alert. Grafana sends the same, and the values that it was raised with."""

    status: Text
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)
    starts_at: Moment = Field(None, alias="startsAt")
    fingerprint: Text = ""
    values: Numbers = Field(default_factory=dict)

    def report(self, source: str, left_out: int) -> Report:
        """Translate into a report; `left_out` alerts of the same group are not in the payload."""
        name = self.labels.get("alertname", "")
        said = tuple(self.annotations.get(one, "") for one in _TITLE)
        more = (f"{source} left {left_out} more alerts of this group out",) if left_out else ()
        return Report(
            source=source,
            key=f"{self.fingerprint or _fingerprint(self.labels)}@{self.starts_at or '-'}",
            firing=self.status.lower() != "resolved",
            fault=fault_in(self.labels, name, *said),
            severity=severity_in(self.labels),
            title=name or next((one for one in said if one), "alert"),
            at=self.starts_at,
            labels=self.labels,
            logs=(*document.lines_of(self.annotations), *more),
            metrics={**document.numbers_in(self.annotations), **self.values},
        )


class _Group(Payload):
    alerts: list[Alert]
    truncated_alerts: int = Field(0, alias="truncatedAlerts")


def recognises(_: Mapping[str, str], payload: Any) -> bool:
    """By its version and its list of alerts; Grafana calls its own version 1."""
    return isinstance(payload, dict) and payload.get("version") == VERSION and "alerts" in payload


def parse(headers: Mapping[str, str], body: bytes, _: Mapping[str, str]) -> Sequence[Report]:
    """Read the group: one report for each alert. Raises PayloadInvalid."""
    group = document.shaped(_Group, document.of(headers, body))
    return tuple(alert.report(NAME, group.truncated_alerts) for alert in group.alerts)


def _fingerprint(labels: Mapping[str, str]) -> str:
    """A name for the alert where its sender is too old to give one."""
    return sha256("\n".join(f"{name}={labels[name]}" for name in sorted(labels)).encode()).hexdigest()[:16]
