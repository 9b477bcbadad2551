"""The Block Kit of each kind of notice, and what no notice may do to it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aegis_core.adapters.notify.slack_blocks import message
from aegis_core.domain.notice import Notice, NoticeKind
from tests.integration.slack_server import block_faults, mentions

MakeNotice = Callable[..., Notice]
PEOPLE = [kind for kind in NoticeKind if kind is not NoticeKind.LESSON]


def rendered(notice: Notice, dashboard_url: str = "") -> dict[str, Any]:
    text, blocks = message(notice, dashboard_url)
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def outline(payload: dict[str, Any]) -> list[str]:
    """The first line of each block, as a reader's eye goes over it."""
    lines = []
    for block in payload["blocks"]:
        texts = [block["text"]] if "text" in block else block.get("fields") or block["elements"]
        lines.append(" | ".join(_first_line(text) for text in texts))
    return lines


def _first_line(text: dict[str, Any]) -> str:
    return (text["text"] if "text" in text else text["elements"][0]["text"]).splitlines()[0]


def test_a_received_notice_is_short(make_notice: MakeNotice) -> None:
    header, section, footer = outline(rendered(make_notice("received")))
    assert header == "🟠 buggy-app-v2: memory pressure"
    assert section == "buggy-app-v2: memory_pressure reported by native."
    assert footer.startswith("critical · memory pressure · incident inc-20261120-021150-3fa9c1 · <!date^")


def test_a_question_shows_what_is_approved_and_how_it_can_be_answered_by_hand(make_notice: MakeNotice) -> None:
    payload = rendered(make_notice("approval"))
    assert outline(payload)[:-1] == [
        "✋ buggy-app-v2: ROLLBACK needs your yes",
        "*What Aegis would do*",
        "*Why it asks*",
        "*Suspected cause (rules, 92 % sure)*",
        "*What the agents say*",
        "*Your answer*",
        "Without an answer before <!date^1795142525^{time}|02:42 UTC> nothing is done, and it is left to people.",
    ]
    told = json.dumps(payload)
    assert "ROLLBACK of buggy-app-v2 (running, shop:2.1, started at 02:11:50 UTC)" in told
    assert "aegis approve inc-20261120-021150-3fa9c1 --seen 7" in told
    assert "button" not in told


def test_buttons_stand_for_the_question_of_this_very_version(make_notice: MakeNotice) -> None:
    _, blocks = message(make_notice("approval"), buttons=True)
    payload = [block.to_dict() for block in blocks]
    assert block_faults(payload) == []
    [actions] = [block for block in payload if block["type"] == "actions"]
    values = {json.dumps(json.loads(button["value"])) for button in actions["elements"]}
    assert values == {'{"incident": "inc-20261120-021150-3fa9c1", "version": 7}'}
    assert [button["text"]["text"] for button in actions["elements"]] == ["Approve", "Refuse"]
    assert "aegis approve" not in json.dumps(payload)


def test_no_other_notice_has_buttons(make_notice: MakeNotice) -> None:
    for kind in PEOPLE:
        _, blocks = message(make_notice(kind), buttons=True)
        has = any(block.type == "actions" for block in blocks)
        assert has is (kind is NoticeKind.APPROVAL)


def test_an_acting_notice_says_why(make_notice: MakeNotice) -> None:
    assert outline(rendered(make_notice("acting")))[:-1] == [
        "🔧 buggy-app-v2: RESTART under way",
        "*Suspected cause (rules, 92 % sure)*",
        "Allowed: Opted in, 0.92 sure, and no limit stands against it.",
    ]


def test_a_resolved_notice_tells_cause_action_time_and_money_with_its_formula(make_notice: MakeNotice) -> None:
    payload = rendered(make_notice("resolved"))
    assert outline(payload)[:-1] == [
        "✅ buggy-app-v2 is healthy again",
        "*Root cause (rules, 92 % sure)*",
        "*Done* | *Healed in* | *Attempts* | *Saved*",
        "Saved = (30 min by hand − 0.24 min measured) × ($1,000/min, tier important)",
        "*Lesson*",
    ]
    fields = [field["text"].splitlines()[1] for field in payload["blocks"][2]["fields"]]
    assert fields == ["RESTART", "14 s", "1", "$29,760"]


def test_what_keeps_coming_back_stands_before_the_good_news(make_notice: MakeNotice) -> None:
    payload = rendered(make_notice("resolved", advice="It is the 3rd time in 80 min."))
    assert outline(payload)[1:3] == ["*Root cause (rules, 92 % sure)*", "*It keeps coming back*"]


def test_no_money_is_claimed_for_what_healed_by_itself(make_notice: MakeNotice) -> None:
    payload = rendered(make_notice("resolved", action="NOOP", attempts=0))
    assert outline(payload)[0] == "✅ buggy-app-v2: closed, nothing had to be done"
    assert "Saved" not in json.dumps(payload)
    assert "$" not in json.dumps(payload)


def test_a_failed_notice_begins_with_why_and_what_to_do_and_shows_the_log(make_notice: MakeNotice) -> None:
    payload = rendered(make_notice("failed"))
    assert outline(payload)[:-1] == [
        "🚨 buggy-app-v2 needs you: memory pressure",
        "*Why Aegis stops here*",
        "*What to do*",
        "*Suspected cause (rules, 92 % sure)*",
        "*Done* | *Open for*",
        "Last log lines | INFO cache: 84211 entries",
    ]


def test_a_failed_notice_always_says_what_to_do(make_notice: MakeNotice) -> None:
    assert "*What to do*\nLook at its log" in rendered(make_notice("failed", advice=""))["blocks"][2]["text"]["text"]


def test_the_newest_log_lines_are_kept_when_there_are_too_many(make_notice: MakeNotice) -> None:
    lines = tuple(f"line {number:04} {'x' * 90}" for number in range(100))
    code = rendered(make_notice("failed", log_lines=lines))["blocks"][-2]["elements"][1]["elements"][0]["text"]
    shown = code.splitlines()
    assert shown[-1] == lines[-1]
    assert shown == list(lines[-len(shown) :])
    assert 2_000 < len(code) <= 2_500


def test_without_log_lines_there_is_no_empty_block(make_notice: MakeNotice) -> None:
    for lines in ((), ("", "  ")):
        kinds = [block["type"] for block in rendered(make_notice("failed", log_lines=lines))["blocks"]]
        assert "rich_text" not in kinds


def test_the_link_leads_to_the_incident_and_is_absent_without_a_dashboard(make_notice: MakeNotice) -> None:
    notice = make_notice("failed", incident_id="disk|full & <more>")
    footer = rendered(notice, "http://host:8501/")["blocks"][-1]["elements"][0]["text"]
    assert footer.endswith("<http://host:8501/incidents?incident=disk%7Cfull%20%26%20%3Cmore%3E|Open in Aegis>")
    assert "Open in Aegis" not in json.dumps(rendered(notice))


def test_the_time_is_shown_in_the_zone_of_the_reader(make_notice: MakeNotice) -> None:
    footer = rendered(make_notice("failed"))["blocks"][-1]["elements"][0]["text"]
    assert "<!date^1795140725^{date_short_pretty} {time_secs}|2026-11-20 02:12:05 UTC>" in footer


def test_slack_makes_no_links_or_mentions_out_of_what_others_wrote(make_notice: MakeNotice) -> None:
    bait = "see https://evil.example/fix and <https://evil.example|the docs>, <!channel> @here"
    payload = rendered(make_notice("failed", reason=bait, root_cause=bait, advice=bait, target=bait, log_lines=(bait,)))
    texts = [block["text"] for block in payload["blocks"] if block["type"] == "section" and "text" in block]
    assert texts
    for text in texts:
        assert text["verbatim"] is True
        assert "<" not in text["text"]
    assert mentions(payload) == []


def test_a_cut_does_not_make_a_mention_out_of_a_longer_word(make_notice: MakeNotice) -> None:
    for length in range(130, 160):
        assert mentions(rendered(make_notice("received", target="x" * length + "@hereabouts"))) == []


def test_an_escaped_text_is_never_cut_inside_an_entity(make_notice: MakeNotice) -> None:
    for length in range(2_900, 2_960):
        reason = "x" * length + "&" * 200
        text = rendered(make_notice("failed", reason=reason))["blocks"][1]["text"]["text"]
        assert len(text) <= 3_000
        assert text.removesuffix("…").replace("&amp;", "").count("&") == 0


pieces = st.text(max_size=30) | st.sampled_from(
    ["&", "<", ">", "@here", "<!channel>", "*", "`" * 3, "\n", "\0", "\u202e", "x" * 500]
)
nasty = st.lists(pieces, max_size=12).map("".join)


@pytest.mark.parametrize("kind", PEOPLE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(texts=st.lists(nasty, min_size=8, max_size=8), times=st.integers(1, 40), seconds=st.floats(-1e9, 1e12))
def test_slack_would_take_whatever_a_notice_contains(
    make_notice: MakeNotice, kind: NoticeKind, texts: list[str], times: int, seconds: float
) -> None:
    names = ("target", "incident_id", "summary", "action", "root_cause", "source", "reason", "advice")
    notice = make_notice(
        kind, **dict(zip(names, texts, strict=True)), log_lines=texts * times, seconds=seconds, attempts=times
    )
    payload = rendered(notice, "http://host:8501")
    assert block_faults(payload["blocks"]) == []
    assert mentions(payload) == []
    assert 1 <= len(payload["text"]) <= 600
    json.dumps(payload, ensure_ascii=False).encode()
