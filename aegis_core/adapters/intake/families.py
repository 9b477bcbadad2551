"""The families of webhooks that are known, and which of them a request belongs to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from aegis_core.domain.signal import Report
from aegis_core.errors import PayloadUnreadable

from . import (
    alertmanager,
    cloudevents,
    cloudwatch_sns,
    datadog,
    document,
    grafana,
    pagerduty_events_v2,
    pagerduty_v3,
    uptime_kuma,
)


class Family(Protocol):
    """What each module of a family offers."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a constant of the module

    def recognises(self, headers: Mapping[str, str], payload: Any, /) -> bool:
        """Tell by the headers (payload None), or by the payload's shape, whether it is from this family."""

    def parse(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str], /) -> Sequence[Report]:
        """Read a delivery. Raises PayloadInvalid, and nothing else."""


FAMILIES: Final[Sequence[Family]] = (
    alertmanager,
    grafana,
    uptime_kuma,
    datadog,
    pagerduty_v3,
    cloudwatch_sns,
    cloudevents,
    pagerduty_events_v2,
)

NOTICES: Final[Mapping[str, Callable[[bytes], str]]] = {cloudwatch_sns.NAME: cloudwatch_sns.notice}
"""What a person is to be told about a delivery without reports, by family."""


def named(name: str) -> Family | None:
    """The family of this name; `-` counts as `_`."""
    plain = name.lower().replace("-", "_")
    return next((family for family in FAMILIES if plain == family.NAME), None)


def detect(headers: Mapping[str, str], body: bytes) -> Family | None:
    """Find the family of a delivery by its headers, else by the shape of its body; None for one of no family."""
    by_header = next((family for family in FAMILIES if family.recognises(headers, None)), None)
    if by_header:
        return by_header
    try:
        payload = document.read(body)
    except PayloadUnreadable:
        return None
    return next((family for family in FAMILIES if family.recognises(headers, payload)), None)
