"""Buttons in Slack over a real WebSocket: the first click counts, and whoever comes too late is told why."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.notify.limits import Patience
from aegis_core.adapters.notify.slack_blocks import message
from aegis_core.adapters.notify.slack_socket import SlackAnswers
from aegis_core.bootstrap import Parts, build
from aegis_core.domain.approval import Reply
from aegis_core.domain.incident import Incident
from aegis_core.domain.notice import Notice
from aegis_core.errors import ConfigError, StoreUnavailable
from aegis_core.pipeline.announce import notices
from aegis_core.settings import load
from tests import examples as make
from tests.contract.rigs import wait_until

from .api_house import SECRET, ApiHouse
from .slack_server import block_faults
from .slack_socket_server import TOKEN, SlackSocketServer

QUICK = Patience(first=0.05, longest=0.05)


class Room:
    """An agent with an incident that waits, the message about it in Slack, and people who click."""

    def __init__(self, house: ApiHouse, slack: SlackSocketServer, opened: ExitStack) -> None:
        self.house, self.slack = house, slack
        self.waiting = house.waits()
        self._opened = opened
        self.answers = self.listen(house.agent.services.reply)

    def listen(self, reply: Callable[[Reply], Incident], token: str = TOKEN) -> SlackAnswers:
        answers = SlackAnswers(token, reply, base_url=self.slack.api, ping_seconds=0.2, patience=QUICK)
        answers.start()
        self._opened.callback(answers.stop)
        return answers

    def message(self) -> dict[str, Any]:
        """The question as it stands in Slack."""
        incident = self.house.agent.services.incidents.get(self.waiting)
        text, blocks = message(self._notice(incident), buttons=True)
        return {"text": text, "blocks": [block.to_dict() for block in blocks]}

    def _notice(self, incident: Incident) -> Notice:
        [notice] = notices(make.incident(), incident)
        return notice

    def click(self, name: str = "Approve", user: str = "ann", on: dict[str, Any] | None = None, **said: Any) -> int:
        self.slack.wait_for(lambda: self.slack.connected)
        return self.slack.click(on or self.message(), name, user, **said)

    def clicked(self, *clicks: int) -> list[list[dict[str, Any]]]:
        """What was answered to each of these clicks."""
        self.slack.wait_for(lambda: all(self.slack.answers(number) for number in clicks))
        return [self.slack.answers(number) for number in clicks]

    def kinds(self) -> list[str]:
        return [event.type for event in self.house.agent.services.incidents.events(self.waiting)]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as opened:
        slack = opened.enter_context(SlackSocketServer())
        house = ApiHouse(tmp_path / "data")
        opened.callback(house.close)
        yield Room(house, slack, opened)


def test_a_click_approves_what_was_shown_and_the_message_says_who_did(room: Room) -> None:
    asked = room.message()
    number = room.click(comment="go on", on=asked)
    [[update]] = room.clicked(number)
    said = room.house.shown(room.waiting)["approval"]
    assert (said["approved"], said["by"], said["via"], said["comment"]) == (True, "ann (U0ANN)", "slack", "go on")
    assert update["replace_original"] is True
    assert "✅ Approved by ann (U0ANN). go on" in json.dumps(update, ensure_ascii=False)
    kinds = [block["type"] for block in update["blocks"]]
    assert "actions" not in kinds
    assert "input" not in kinds
    assert block_faults(update["blocks"]) == []
    assert update["blocks"][0] == asked["blocks"][0]
    assert room.slack.acknowledged == [f"e{number}"]


def test_refusing_is_said_as_well(room: Room) -> None:
    [[update]] = room.clicked(room.click("Refuse", user="bob"))
    assert room.house.shown(room.waiting)["approval"]["approved"] is False
    assert "🛑 Refused by bob (U0BOB)." in json.dumps(update, ensure_ascii=False)


def test_of_two_people_and_a_double_click_one_counts_and_the_others_are_told(room: Room) -> None:
    asked = room.message()
    clicks = [
        room.click(name, user, on=asked) for name, user in (("Approve", "ann"), ("Approve", "ann"), ("Refuse", "bob"))
    ]
    room.clicked(*clicks)
    assert room.kinds().count("Approved") + room.kinds().count("Declined") == 1
    room.slack.wait_for(lambda: len(room.slack.posted) == 5)
    private = [body for _, body in room.slack.posted if body.get("response_type") == "ephemeral"]
    assert len(private) == 2
    assert all("it already" in body["text"] for body in private)


def test_an_envelope_that_slack_sends_again_answers_nothing_twice(room: Room) -> None:
    asked = room.message()
    room.clicked(room.click(on=asked))
    room.clicked(room.click(on=asked))
    assert room.kinds().count("Approved") == 1


def test_a_click_under_an_old_message_does_not_answer_the_newer_question(room: Room) -> None:
    old = room.message()
    room.house.happens(room.waiting, make.rested(make.later(1)), make.gathered(), make.asked(make.approval(shown=None)))
    number = room.click(on=old)
    room.slack.wait_for(lambda: len(room.slack.answers(number)) == 2)
    assert all("newer question" in body["text"] for body in room.slack.answers(number))
    assert room.house.shown(room.waiting)["approval"]["approved"] is None


def test_a_click_after_the_expiry_or_a_recreation_is_refused_and_said(room: Room) -> None:
    asked = room.message()
    room.house.runtime.add("web", labels=make.LABELS)
    [told] = room.clicked(room.click(on=asked))
    assert "web was recreated since the question was asked" in told[0]["text"]
    late = room.house.waits(shown=None)
    room.waiting, _ = late, room.house.clock.advance(1801)
    [told] = room.clicked(room.click())
    assert "expired" in told[0]["text"]


def test_while_the_store_is_away_whoever_clicks_is_asked_to_click_again(room: Room) -> None:
    def away(_: Reply) -> Incident:
        raise StoreUnavailable

    room.answers.stop()
    room.slack.wait_for(lambda: not room.slack.connected)
    room.listen(away)
    [[told]] = room.clicked(room.click())
    assert told["response_type"] == "ephemeral"
    assert "Click again" in told["text"]


def test_what_is_no_click_of_ours_is_acknowledged_and_passed_over(room: Room) -> None:
    room.slack.wait_for(lambda: room.slack.connected)
    foreign: list[dict[str, Any]] = [
        {"type": "events_api", "payload": {"event": {"type": "app_mention"}}},
        {"type": "slash_commands", "payload": {"command": "/aegis"}},
        {"type": "interactive", "payload": {"type": "view_submission"}},
        {"type": "interactive", "payload": {"actions": [{"action_id": "other", "value": "{}"}]}},
        {"type": "interactive", "payload": {"actions": [{"action_id": "aegis_approve", "value": "no JSON"}]}},
        {"type": "interactive", "payload": {"actions": [{"action_id": "aegis_approve", "value": '{"incident": 3}'}]}},
        {"type": "interactive", "payload": {"actions": 3, "user": []}},
        {"type": "interactive", "payload": {}},
    ]
    for number, envelope in enumerate(foreign):
        room.slack.send({"envelope_id": f"f{number}", **envelope})
    room.slack.wait_for(lambda: len(room.slack.acknowledged) == len(foreign))
    [[update]] = room.clicked(room.click())
    assert "Approved" in update["text"]


def test_an_incident_that_is_not_there_any_more_is_told(room: Room) -> None:
    asked = room.message()
    for block in asked["blocks"]:
        for button in block.get("elements", []) if block["type"] == "actions" else []:
            button["value"] = json.dumps({"incident": "inc-9", "version": 1})
    [[told]] = room.clicked(room.click(on=asked))
    assert "no incident inc-9" in told["text"]


@pytest.mark.parametrize("how", ["hang_up", "disconnect"])
def test_a_connection_that_ends_is_opened_anew_and_clicks_go_on(room: Room, how: str) -> None:
    room.slack.wait_for(lambda: room.slack.connected)
    if how == "hang_up":
        room.slack.hang_up()
    else:
        room.slack.send({"type": "disconnect", "reason": "refresh_requested"})
    room.slack.wait_for(lambda: len(room.slack.opened) >= 2 and room.slack.connected)
    [[update]] = room.clicked(room.click())
    assert "Approved" in update["text"]


def test_while_slack_is_away_at_the_start_it_is_tried_again_and_told_once(room: Room) -> None:
    room.answers.stop()
    room.slack.refuse = "internal_error"
    with capture_logs() as lines:
        answers = room.listen(room.house.agent.services.reply)
        room.slack.wait_for(lambda: room.slack.opened.count(TOKEN) >= 4)
        assert not answers.connected
        room.slack.refuse = ""
        wait_until(lambda: answers.connected, "the connection")
    told = [line for line in lines if line["log_level"] == "warning"]
    assert [line["reason"] for line in told] == ["internal_error"]


def test_no_token_and_no_address_is_ever_told(room: Room) -> None:
    with capture_logs() as lines:
        wrong = room.listen(room.house.agent.services.reply, token="xapp-wrong-s3cr3t")
        room.slack.wait_for(lambda: "xapp-wrong-s3cr3t" in room.slack.opened)
        wait_until(lambda: any(line["log_level"] == "warning" for line in lines), "the warning")
    told = json.dumps(lines, default=str) + repr(wrong) + repr(room.answers)
    for secret in ("s3cr3t", TOKEN, "ticket"):
        assert secret not in told


def test_a_secret_in_a_comment_is_not_stored(room: Room) -> None:
    room.house.start()
    room.clicked(room.click(comment=f"the password is {SECRET}"))
    assert SECRET not in room.house.http.get(f"/incidents/{room.waiting}/events").text


def test_the_end_does_not_wait_for_slack(room: Room) -> None:
    room.slack.wait_for(lambda: room.slack.connected)
    room.answers.stop()
    assert not room.answers.connected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"slack_app_token": TOKEN}, "needs AEGIS_SLACK_WEBHOOK_URL"),
        ({"slack_app_token": "xoxb-1", "slack_webhook_url": "https://hooks.slack.com/services/x"}, "begins with xapp-"),
    ],
)
def test_a_token_that_cannot_be_used_is_said_at_the_start(
    room: Room, tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        build(load(_env_file=None, data_dir=tmp_path / "other", **settings), Parts(runtime=room.house.runtime))
