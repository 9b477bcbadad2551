"""Slack by an incoming webhook (port `Channel`)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from slack_sdk.errors import SlackClientError
from slack_sdk.models.blocks import Block
from slack_sdk.webhook import WebhookClient, WebhookResponse

from aegis_core.domain.masking import mask
from aegis_core.domain.notice import Digest, Notice, NoticeKind
from aegis_core.errors import ConfigError, DeliveryDeferred, DeliveryRejected

from .slack_blocks import message
from .slack_digest import digest_message

TIMEOUT_SECONDS: Final = 10  # DESIGN §6: the target of the communication agent
_TRY_AGAIN: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class SlackChannel:
    """Posts notices for people to one Slack channel. The URL is a secret: it is in no log, error or repr.

    `buttons`: questions are posted with buttons, because somebody listens to them (`SlackAnswers`).

    Slack knows no message ids, so a message whose answer was lost is posted a second time by the next try.
    Raises ConfigError for a URL that is none.
    """

    name = "slack"

    def __init__(
        self, url: str, dashboard_url: str = "", timeout: int = TIMEOUT_SECONDS, *, buttons: bool = False
    ) -> None:
        self._url = url.strip()
        if not self._url.lower().startswith(("https://", "http://")):
            raise ConfigError("AEGIS_SLACK_WEBHOOK_URL has to begin with https://, as Slack shows it")
        self._dashboard_url = dashboard_url
        self._buttons = buttons
        # No retries (the outbox does that), and a logger that says nothing: slack_sdk would log the URL.
        mute = logging.Logger("muted", level=logging.CRITICAL + 1)
        self._client = WebhookClient(self._url, timeout=timeout, retry_handlers=[], logger=mute)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def deliver(self, notice: Notice | Digest) -> None:
        """See `ports.Channel.deliver`. Lessons are not for people and are passed over."""
        if isinstance(notice, Digest):
            text, blocks = digest_message(notice, self._dashboard_url)
        elif notice.kind is NoticeKind.LESSON:
            return
        else:
            text, blocks = message(notice, self._dashboard_url, self._buttons)
        answer = self._post(text, blocks)
        if answer is None or answer.status_code == HTTPStatus.BAD_REQUEST:
            answer = self._post(text, None)  # better a plain message than none
        self._judge(answer)

    def _post(self, text: str, blocks: Sequence[Block] | None) -> WebhookResponse | None:
        """Post once. None where slack_sdk itself holds the blocks to be invalid. Raises DeliveryDeferred."""
        try:
            return self._client.send(text=text, blocks=blocks, unfurl_links=False, unfurl_media=False)
        except SlackClientError:
            return None
        except (OSError, HTTPException, ValueError, LookupError) as error:
            # ValueError and LookupError: an answer in no known encoding. The cause is cut off: it may name the URL.
            raise DeliveryDeferred(f"Slack cannot be reached: {_why(error)}") from None

    def _judge(self, answer: WebhookResponse | None) -> None:
        if answer is None:
            raise DeliveryRejected("slack_sdk does not take the message")
        status, body = answer.status_code, answer.body.strip()
        told = f"Slack answered {status} {mask(body[:200].replace(self._url, '***'))}".strip()
        if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise DeliveryDeferred(told, retry_after=_retry_after(answer.headers))
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise DeliveryRejected(told)
        if body.startswith("<"):  # Slack says "ok"; a page of HTML comes from a proxy or a login portal in between
            raise DeliveryDeferred("something that is not Slack answered with a web page")


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    """Read the header as Slack sends it, in whole seconds."""
    value = next((str(headers[name]) for name in headers if name.lower() == "retry-after"), "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "it did not answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__
