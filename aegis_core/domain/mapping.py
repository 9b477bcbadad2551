"""From the labels of somebody else's alert to the name of a target, and from a report to a signal."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from .masking import mask
from .signal import Report, Signal

TARGET_LABELS: Final = (
    "container",
    "container_name",
    "name",
    "com.docker.compose.service",
    "compose_service",
    "com.docker.swarm.service.name",
    "instance",
)
"""Which labels may name the target, the most telling first."""

UNMAPPED: Final = "unmapped"
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}")  # Docker's rule for names of containers
_TASK: Final = re.compile(r"(.+)\.(?:\d{1,6}|[0-9a-z]{25})\.[0-9a-z]{25}")  # slot or node, and id, as Swarm names them
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")
_SLUG_LIMIT: Final = 40  # characters


def target_in(labels: Mapping[str, str], order: Sequence[str] = TARGET_LABELS) -> str | None:
    """Find the name of the target in the labels; None when none of them holds one that a container can have.

    `instance` is an address (host:port or a URL): its host is taken, but no IP address and not this host.
    """
    for label in order:
        value = _value(labels, label).strip()
        name = _host(value) if label == "instance" else value.removeprefix("/")  # as cAdvisor and the engine write it
        if _NAME.fullmatch(name):
            return name
    return None


def service_in(container: str) -> str | None:
    """Read the name of the service out of that of a task's container (`shop.2.<id>`); None where it is not made so."""
    found = _TASK.fullmatch(container)
    return found[1] if found else None


def _value(labels: Mapping[str, str], label: str) -> str:
    """Look a label up. Prometheus knows no dots, and cAdvisor puts a prefix before a container's own labels."""
    if label in labels or "." not in label:
        return labels.get(label, "")
    plain = label.replace(".", "_")
    return labels.get(plain) or labels.get(f"container_label_{plain}", "")


def _host(address: str) -> str:
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return "" if host == "localhost" or _is_ip(host) else _spelled(host, address)


def _spelled(host: str, address: str) -> str:
    """The host as it stands in the address: names of containers know capitals, those of hosts do not."""
    start = address.lower().find(host)
    return address[start : start + len(host)]


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def key_of(report: Report) -> str:
    """The report's key among those of all families: by its digest, for it may be long, and may hold a secret."""
    return f"{report.source}:{sha256(report.key.encode('utf-8', 'replace')).hexdigest()[:32]}"


def signal_of(report: Report, order: Sequence[str], now: datetime) -> Signal:
    """Translate a report into a signal about the target that its labels name.

    Where they name none, the target gets a name with a colon in it, which nothing in any runtime can have: such an
    incident is diagnosed and escalated, and there is nothing to act on.
    """
    return Signal(
        target=target_in(report.labels, order) or _nobody(report),
        fault=report.fault,
        severity=report.severity,
        at=report.at or now,
        source=report.source,
        alert_type=report.title,
        logs=report.logs,
        metrics=report.metrics,
        key=key_of(report),
    )


def _nobody(report: Report) -> str:
    words = _NO_WORD.sub("-", mask(report.title))[:_SLUG_LIMIT].strip("-")
    mark = sha256(key_of(report).encode()).hexdigest()[:8]
    return f"{UNMAPPED}:{report.source}:{words or 'alert'}-{mark}"
