"""What a notice says to people."""

from collections.abc import Callable

import pytest

from aegis_core.adapters.notify import wording
from aegis_core.domain.notice import Notice
from aegis_core.domain.signal import Fault

MakeNotice = Callable[..., Notice]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("received", "buggy-app-v2: memory pressure. Severity critical. Aegis is looking into it."),
        (
            "approval",
            "buggy-app-v2: ROLLBACK needs your yes. ROLLBACK needs approval. Cause: Memory is at 93 % of its limit and "
            "grows steadily: something is only ever added to. Answer before 02:42 UTC: `aegis approve "
            "inc-20261120-021150-3fa9c1 --seen 7` or `aegis reject inc-20261120-021150-3fa9c1 --seen 7`.",
        ),
        (
            "acting",
            "buggy-app-v2: RESTART under way. Suspected cause: Memory is at 93 % of its limit and grows steadily: "
            "something is only ever added to.",
        ),
        (
            "resolved",
            "buggy-app-v2 is healthy again. RESTART after 14 s, $29,760 saved. Cause: Memory is at 93 % of its limit "
            "and grows steadily: something is only ever added to.",
        ),
        (
            "failed",
            "buggy-app-v2 needs you: memory pressure. 3 attempts within 10 minutes have not made it healthy; a person "
            "has to look. What to do: Raise its memory limit, or find out what holds on to the memory.",
        ),
    ],
)
def test_each_kind_is_one_complete_line(make_notice: MakeNotice, kind: str, said: str) -> None:
    assert wording.sentence(make_notice(kind)) == said


def test_what_ended_without_an_action_is_not_called_healed(make_notice: MakeNotice) -> None:
    notice = make_notice("resolved", action="NOOP", attempts=0, impact=None, root_cause="")
    assert wording.sentence(notice) == "buggy-app-v2: closed, nothing had to be done."


def test_a_notice_with_nothing_known_is_still_a_sentence(make_notice: MakeNotice) -> None:
    bare = {"reason": "", "advice": "", "root_cause": "", "action": "", "attempts": 0, "seconds": None}
    assert wording.sentence(make_notice("failed", **bare)) == (
        "buggy-app-v2 needs you: memory pressure. What to do: Look at its log and at the incident on the dashboard."
    )


def test_texts_of_several_lines_become_one_line(make_notice: MakeNotice) -> None:
    assert "\n" not in wording.sentence(make_notice("failed", reason="first\nsecond\r\n\tthird"))


@pytest.mark.parametrize(
    ("action", "attempts", "said"),
    [
        ("RESTART", 1, "RESTART"),
        ("RESTART", 3, "RESTART ×3"),
        ("SCALE_UP", 0, "nothing (SCALE_UP was proposed)"),
        ("NOOP", 0, "nothing"),
        ("", 0, "nothing"),
    ],
)
def test_what_was_done_is_told_apart_from_what_was_proposed(
    make_notice: MakeNotice, action: str, attempts: int, said: str
) -> None:
    assert wording.done(make_notice("failed", action=action, attempts=attempts)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0.0 s"),
        (0.37, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


def test_there_are_words_for_every_fault() -> None:
    assert set(wording.FAULTS) == set(Fault)
    assert not any("_" in words for words in wording.FAULTS.values())


def test_everything_from_outside_is_masked_once_more(make_notice: MakeNotice) -> None:
    secret = "password=hunter2"
    texts = ("target", "incident_id", "summary", "action", "root_cause", "source", "reason", "advice")
    lesson = make_notice("lesson").lesson.model_copy(update={"issue": secret, "fix": secret, "root_cause": secret})
    notice = make_notice(
        "failed", **dict.fromkeys(texts, secret), lesson=lesson, log_lines=(secret, f"\x1b[31m{secret}")
    )
    shown = wording.masked(notice)
    assert "hunter2" not in shown.model_dump_json()
    assert shown.log_lines == ("password=***", "password=***")


def test_what_keeps_coming_back_is_said_where_it_was_healed(make_notice: MakeNotice) -> None:
    often = "It is the 3rd time in 80 min: RESTART helps, and the cause stays."
    assert wording.sentence(make_notice("resolved", advice=often)).endswith(f"only ever added to. {often}")
