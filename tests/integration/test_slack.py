"""Slack over real HTTP: what is posted, and what becomes of each way in which it can fail."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.notify.slack import SlackChannel
from aegis_core.domain.notice import Notice, NoticeKind
from aegis_core.domain.signal import Fault, Severity
from aegis_core.errors import ConfigError, DeliveryDeferred, DeliveryRejected
from tests.integration.slack_server import PATH, Answer, SlackServer, mentions

SECRET = PATH.rsplit("/", 1)[-1]
TOKEN = "ghp_0123456789abcdefghij0123456789"


def notice(kind: NoticeKind = NoticeKind.FAILED, **changes: object) -> Notice:
    fields = {
        "kind": kind,
        "incident_id": "inc-1",
        "version": 7,
        "at": datetime(2026, 11, 20, 2, 12, 5, tzinfo=UTC),
        "target": "buggy-app-v2",
        "fault": Fault.MEMORY_PRESSURE,
        "severity": Severity.CRITICAL,
        "summary": "buggy-app-v2: memory_pressure needs a person.",
        "reason": "3 attempts have not made it healthy.",
        "advice": "Raise its memory limit.",
        "root_cause": "memory grows until the limit",
        "log_lines": ("MemoryError",),
    }
    return Notice.model_validate(fields | changes)


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    server = SlackServer().start()
    yield server
    server.stop()


@pytest.fixture
def channel(slack: SlackServer) -> SlackChannel:
    return SlackChannel(slack.url, dashboard_url="http://127.0.0.1:8501", timeout=1)


@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind is not NoticeKind.LESSON])
def test_slack_takes_every_kind_of_notice(slack: SlackServer, channel: SlackChannel, kind: NoticeKind) -> None:
    channel.deliver(notice(kind))
    (message,) = slack.messages
    assert "buggy-app-v2" in message["text"]
    assert message["blocks"][0]["type"] == "header"


def test_a_lesson_is_not_posted(slack: SlackServer, channel: SlackChannel) -> None:
    channel.deliver(notice(NoticeKind.LESSON))
    assert slack.requests == []


def test_a_rate_limit_says_how_long_to_wait_and_is_not_retried_here(slack: SlackServer, channel: SlackChannel) -> None:
    slack.always(429, "rate_limited", Retry_After="17")
    with pytest.raises(DeliveryDeferred, match="429 rate_limited") as raised:
        channel.deliver(notice())
    assert raised.value.retry_after == 17
    assert len(slack.requests) == 1


@pytest.mark.parametrize("value", ["", "soon", "-5", "Fri, 20 Nov 2026 02:13:00 GMT", "inf", "1e9", "٣", "9" * 400])
def test_a_strange_retry_after_is_passed_over(slack: SlackServer, channel: SlackChannel, value: str) -> None:
    slack.answer = lambda _: Answer(429, "rate_limited", {"retry-after": value.encode().decode("latin-1")})
    with pytest.raises(DeliveryDeferred) as raised:
        channel.deliver(notice())
    assert raised.value.retry_after is None


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_trouble_at_slack_puts_the_notice_off_and_is_not_retried_here(
    slack: SlackServer, channel: SlackChannel, status: int
) -> None:
    slack.always(status, "rollup_error")
    with pytest.raises(DeliveryDeferred, match=str(status)):
        channel.deliver(notice())
    assert len(slack.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, "action_prohibited"), (404, "no_service"), (410, "channel_is_archived"), (400, "invalid_token")],
)
def test_what_slack_will_never_take_is_rejected_with_its_words(
    slack: SlackServer, channel: SlackChannel, status: int, body: str
) -> None:
    slack.always(status, body)
    with pytest.raises(DeliveryRejected, match=f"{status} {body}"):
        channel.deliver(notice())


def test_a_revoked_url_is_rejected(slack: SlackServer) -> None:
    with pytest.raises(DeliveryRejected, match="no_service"):
        SlackChannel(f"{slack.url}revoked").deliver(notice())


def test_when_slack_does_not_like_the_blocks_the_text_is_posted_alone(
    slack: SlackServer, channel: SlackChannel
) -> None:
    slack.answer = lambda number: Answer(400, "invalid_blocks") if number == 1 else None
    channel.deliver(notice())
    (message,) = slack.messages
    assert "blocks" not in message
    assert "Raise its memory limit." in message["text"]


def test_a_slack_that_does_not_answer_is_given_up_after_the_timeout(slack: SlackServer, channel: SlackChannel) -> None:
    slack.always_hang()
    began = time.monotonic()
    with pytest.raises(DeliveryDeferred, match="did not answer in time"):
        channel.deliver(notice())
    assert time.monotonic() - began < 3


def test_a_connection_that_is_cut_puts_the_notice_off_and_is_not_retried_here(
    slack: SlackServer, channel: SlackChannel
) -> None:
    slack.answer = lambda _: Answer(0)
    with pytest.raises(DeliveryDeferred, match="cannot be reached"):
        channel.deliver(notice())
    assert len(slack.requests) == 1


def test_a_refused_connection_puts_the_notice_off(slack: SlackServer, channel: SlackChannel) -> None:
    slack.stop()
    with pytest.raises(DeliveryDeferred, match="Connection refused"):
        channel.deliver(notice())


def test_a_name_that_does_not_resolve_puts_the_notice_off() -> None:
    with pytest.raises(DeliveryDeferred, match="cannot be reached"):
        SlackChannel("http://slack.invalid/services/x", timeout=1).deliver(notice())


def test_a_login_page_in_between_is_not_taken_for_slack(slack: SlackServer, channel: SlackChannel) -> None:
    slack.always(200, "<!doctype html><title>Please sign in</title>")
    with pytest.raises(DeliveryDeferred, match="web page"):
        channel.deliver(notice())


def test_an_answer_in_no_known_encoding_puts_the_notice_off(slack: SlackServer, channel: SlackChannel) -> None:
    slack.always(500, "oops", Content_Type="text/plain; charset=klingon")
    with pytest.raises(DeliveryDeferred):
        channel.deliver(notice())


def test_a_url_that_is_none_is_refused_at_the_start_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="AEGIS_SLACK_WEBHOOK_URL") as raised:
        SlackChannel(f"hooks.slack.com/services/{SECRET}")
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("trouble", ["500", "404", "echo", "hang up", "refuse", "bad url"])
def test_the_url_is_in_no_error_log_or_repr(
    slack: SlackServer, trouble: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    url = f"{slack.url}\n" if trouble != "bad url" else f"http://127.0.0.1:1/{SECRET} with\x01controls"
    channel = SlackChannel(url, timeout=1)
    match trouble:
        case "echo":
            slack.always(404, f"nothing at {slack.url}")
        case "hang up":
            slack.answer = lambda _: Answer(0)
        case "refuse":
            slack.stop()
        case "500" | "404":
            slack.always(int(trouble), "no")
    with capture_logs() as logs, pytest.raises((DeliveryDeferred, DeliveryRejected)) as raised:
        channel.deliver(notice())
    seen = [repr(channel), str(raised.value), repr(raised.value.__cause__), str(logs), caplog.text, *capfd.readouterr()]
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert [text for text in seen if SECRET in text] == []


def test_no_secret_and_no_mention_reaches_slack(slack: SlackServer, channel: SlackChannel) -> None:
    poison = f"<!channel> <!here|now> <@U012> <#C9> @here @Channel password=hunter2 token: {TOKEN}"
    lines = (poison, "-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA7bq", "-----END RSA PRIVATE KEY-----")
    texts = dict.fromkeys(("summary", "root_cause", "reason", "advice", "target"), poison)
    for kind in (NoticeKind.RECEIVED, NoticeKind.ACTING, NoticeKind.RESOLVED, NoticeKind.FAILED):
        channel.deliver(notice(kind, **texts, log_lines=lines))
    for message in slack.messages:
        assert "blocks" in message
        assert mentions(message) == []
        assert [word for word in ("hunter2", TOKEN, "MIIEpAIB") if word in str(message)] == []
