"""Answers from Slack by Socket Mode: a connection that Aegis opens, so that a host behind a router needs no address.

Needs an app-level token with `connections:write`, and an app with interactivity switched on whose incoming webhook is
the one that notices are posted to. Each click is acknowledged first; then it counts, or is told why it does not.
"""

import logging
from collections.abc import Callable
from http.client import HTTPException
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic import ValidationError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from aegis_core.domain.approval import Reply
from aegis_core.domain.incident import Incident
from aegis_core.errors import AnswerRefused, ConfigError, IncidentUnknown, StoreError

from .limits import STOP_SECONDS, Backoff, Patience
from .slack_answer import Click
from .slack_text import PREVIEW_LIMIT, escaped

if TYPE_CHECKING:
    from slack_sdk.socket_mode.builtin.client import SocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

TIMEOUT_SECONDS: Final = 10
PING_SECONDS: Final = 10.0  # also how often it is looked whether the connection has to be opened anew
PATIENCE: Final = Patience(first=2.0, longest=300.0)
_AWAY: Final = (SlackClientError, OSError, HTTPException, ValueError, LookupError)

_log = structlog.get_logger(__name__)


class SlackAnswers:
    """Listens to the buttons under questions. The first answer counts, and the message then says whose it was.

    The token is a secret: it is in no log, error or repr. Raises ConfigError for one of another kind.
    """

    def __init__(
        self,
        app_token: str,
        reply: Callable[[Reply], Incident],
        *,
        base_url: str = WebClient.BASE_URL,
        ping_seconds: float = PING_SECONDS,
        patience: Patience = PATIENCE,
    ) -> None:
        if not app_token.startswith("xapp-"):
            raise ConfigError("AEGIS_SLACK_APP_TOKEN has to be an app-level token of Slack: it begins with xapp-")
        self._token, self._reply, self._base_url, self._ping_seconds = app_token, reply, base_url, ping_seconds
        self._backoff = Backoff(patience, lambda: 0.5)
        self._mute = logging.Logger("muted", level=logging.CRITICAL + 1)  # slack_sdk would log tokens and addresses
        self._client: SocketModeClient | None = None
        self._ending = Event()
        self._thread = Thread(target=self._connect, name="slack-socket", daemon=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected()

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        if self._client is not None:
            self._client.close()

    def _connect(self) -> None:
        """Connect once; from then on the client of slack_sdk connects anew by itself whenever it has to."""
        # 2 MB that an agent without Slack's buttons need not carry.
        from slack_sdk.socket_mode.builtin.client import SocketModeClient  # noqa: PLC0415

        web = WebClient(base_url=self._base_url, timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=self._mute)
        client = self._client = SocketModeClient(
            app_token=self._token, web_client=web, logger=self._mute, ping_interval=self._ping_seconds
        )
        client.socket_mode_request_listeners.append(self._heard)
        while not self._ending.is_set():
            try:
                client.connect()
            except _AWAY as error:
                self._ending.wait(self._put_off(error))
                continue
            _log.info("Slack's buttons are listened to.")
            return

    def _put_off(self, error: Exception) -> float:
        """Tell once why there is no connection; returns the seconds to the next try."""
        pause = self._backoff.failed()
        if self._backoff.failures == 1:
            why = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
            _log.warning("Slack's buttons cannot be listened to; it is tried again.", reason=str(why))
        return pause

    def _heard(self, client: "BaseSocketModeClient", request: "SocketModeRequest") -> None:
        """One envelope of Slack, in a thread of the client. What is not acknowledged within 3 s is sent again."""
        client.send_socket_mode_response({"envelope_id": request.envelope_id})
        if request.type != "interactive":
            return
        try:
            click = Click.model_validate(request.payload)
        except ValidationError:
            return
        reply = click.reply()
        if reply is not None:
            self._answer(click, reply)

    def _answer(self, click: Click, reply: Reply) -> None:
        try:
            self._reply(reply)
        except AnswerRefused as error:  # the buttons are of no use any more, and whoever clicked is told why
            self._close(click, f"✋ {error}")
            self._tell(click, str(error))
        except IncidentUnknown as error:
            self._tell(click, str(error))
        except StoreError as error:
            _log.warning("an answer in Slack was not noted", error=str(error))
            self._tell(click, "Nothing was noted, because the store is away. Click again.")
        else:
            said = ("✅", "Approved") if reply.approved else ("🛑", "Refused")
            self._close(click, f"{said[0]} {said[1]} by {reply.by}." + (f" {reply.comment}" if reply.comment else ""))

    def _close(self, click: Click, line: str) -> None:
        """Take the buttons out of the message, and say what became of the question."""
        blocks = click.answered(line)
        self._post(click, text=escaped(line, PREVIEW_LIMIT), blocks=blocks, replace_original=True)

    def _tell(self, click: Click, line: str) -> None:
        """Tell whoever clicked, and nobody else."""
        text = escaped(line, PREVIEW_LIMIT)
        self._post(click, text=text, replace_original=False, response_type="ephemeral")

    def _post(self, click: Click, **message: Any) -> None:
        """Answer where Slack says. A message that stays as it was is no harm: the answer is in the log."""
        if not click.response_url:
            return
        try:
            web = WebhookClient(click.response_url, timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=self._mute)
            web.send(**message)
        except _AWAY as error:
            _log.info("a message in Slack could not be brought up to date", reason=type(error).__name__)
