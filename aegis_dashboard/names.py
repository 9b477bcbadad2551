"""Names as people say them: who reported a symptom, and which target it is about. Pure."""

from typing import Final

from aegis_dashboard import format as fmt

UNMAPPED: Final = "unmapped:"  # what the core names the target of an alert whose labels fit no container
OWN_SENSES: Final = frozenset({"", "native", "sensor"})  # senders without a word of their own for the symptom
_REPORTERS: Final = {
    "native": "the webhook",
    "sensor": "Aegis' own sensor",
    "cli": "the command line",
    "alertmanager": "Alertmanager",
    "grafana": "Grafana",
    "uptime_kuma": "Uptime Kuma",
    "datadog": "Datadog",
    "pagerduty_v3": "PagerDuty",
    "pagerduty_events_v2": "PagerDuty",
    "cloudwatch_sns": "CloudWatch",
    "cloudevents": "CloudEvents",
}


def reporter(source: str) -> str:
    """`Alertmanager` of `alertmanager`; one that is not known is named as it names itself."""
    return _REPORTERS.get(source) or fmt.title(source)


def way_of_answering(via: str) -> str:
    """`the command line` of `cli`: on which way a person answered."""
    return {"api": "HTTP", "cli": "the command line", "dashboard": "the dashboard", "slack": "Slack"}.get(via, via)


def is_unmapped(target: str) -> bool:
    """Whether an alert named no container: then there is nothing to look at and nothing to act on."""
    return target.startswith(UNMAPPED)


def target(name: str) -> str:
    """A target's name as it is, or words for an alert that fits none."""
    return "an unknown container" if is_unmapped(name) else name
