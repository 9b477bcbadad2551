"""The wiring of the doors: who may post, how people are told, and who listens to their answers."""

from collections.abc import Callable, Sequence

from pydantic import SecretStr

from aegis_core.adapters.intake.gate import Gate, Secrets
from aegis_core.adapters.intake.signatures import sns_keys, standard_key
from aegis_core.adapters.notify.log import LogChannel
from aegis_core.adapters.notify.slack import SlackChannel
from aegis_core.adapters.notify.slack_socket import SlackAnswers
from aegis_core.api.app import Check
from aegis_core.domain.approval import Reply
from aegis_core.domain.incident import Incident
from aegis_core.errors import ConfigError
from aegis_core.ports import Channel
from aegis_core.settings import Settings, listed


def gate_of(settings: Settings) -> Gate:
    """Put together what senders have to prove that they know. Raises ConfigError."""
    certificates = settings.sns_certificate_file
    secrets = Secrets(
        token=settings.token.get_secret_value() if settings.token else None,
        standard=[standard_key(secret) for secret in _secrets(settings.webhook_secret)],
        grafana=_secrets(settings.grafana_secret),
        pagerduty=_secrets(settings.pagerduty_secret),
        sns_topics=settings.sns_topics,
        sns_keys=sns_keys(certificates) if certificates else (),
    )
    return Gate(secrets)


def _secrets(secret: SecretStr | None) -> Sequence[str]:
    return listed(secret.get_secret_value()) if secret else ()


def channel_of(settings: Settings) -> Channel:
    """Where people are told: Slack, or else the log. Raises ConfigError."""
    if settings.slack_webhook_url:
        url, buttons = settings.slack_webhook_url.get_secret_value(), settings.slack_app_token is not None
        return SlackChannel(url, settings.dashboard_url, buttons=buttons)
    return LogChannel()


def slack_answers(settings: Settings, reply: Callable[[Reply], Incident]) -> SlackAnswers | None:
    """Who listens to the buttons in Slack; None where no token is set. Raises ConfigError."""
    if settings.slack_app_token is None:
        return None
    if settings.slack_webhook_url is None:
        raise ConfigError(
            "AEGIS_SLACK_APP_TOKEN needs AEGIS_SLACK_WEBHOOK_URL of the same app: that posts the questions"
        )
    return SlackAnswers(settings.slack_app_token.get_secret_value(), reply)


def slack_check(slack: SlackAnswers) -> Check:
    """Whether the buttons in Slack are listened to; nothing depends on that."""
    detail = "" if slack.connected else "the buttons are not listened to; answer on the dashboard or by `aegis approve`"
    return Check("slack", ok=slack.connected, detail=detail, needed=False)
