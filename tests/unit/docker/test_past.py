"""The engine's events, told and judged."""

from datetime import UTC, datetime, timedelta

import pytest

from aegis_core.adapters.docker.past import Ending, Happening, begins_anew, ending

AT = datetime(2026, 3, 1, 12, 3, 4, tzinfo=UTC)
SIGTERM = 15
SIGQUIT = 3


def told(*words: str) -> list[Happening]:
    """Events a second apart; `kill:15` carries a signal, `die:137` an exit code."""
    result = []
    for index, word in enumerate(words):
        what, _, number = word.partition(":")
        key = "exitCode" if what == "die" else "signal"
        result.append(Happening(AT + timedelta(seconds=index), what, {key: number} if number else {}))
    return result


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["start", "kill:15", "die:0", "stop"], Ending.ASKED),
        (["kill:15", "kill:9", "die:137", "stop"], Ending.ASKED),
        (["kill:9", "die:137"], Ending.ASKED),  # docker kill
        (["die:0", "stop"], Ending.ASKED),  # the kill lies too far back, or was pushed out
        (["kill:15", "oom", "die:137"], Ending.ASKED),
        (["start", "die:1"], Ending.BY_ITSELF),
        (["start", "die:0"], Ending.BY_ITSELF),
        (["oom", "die:137"], Ending.BY_ITSELF),
        (["kill:1", "die:1"], Ending.BY_ITSELF),  # docker kill -s HUP asks for a reload
        (["kill:15", "die:143", "stop", "start", "restart", "die:1"], Ending.BY_ITSELF),
        (["die:1", "start", "kill:15", "die:143", "stop"], Ending.ASKED),
        ([], Ending.FORGOTTEN),
        (["kill:15"], Ending.FORGOTTEN),
        (["kill:15", "die:143", "stop", "start"], Ending.FORGOTTEN),
    ],
)
def test_an_end_that_was_asked_for_is_told_from_one_that_was_not(events: list[str], expected: Ending) -> None:
    assert ending(told(*events), SIGTERM) is expected


def test_the_stop_signal_of_the_image_asks_for_the_end_too() -> None:
    events = told("kill:3", "die:0")

    assert ending(events, SIGQUIT) is Ending.ASKED
    assert ending(events, SIGTERM) is Ending.BY_ITSELF


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["kill:15"], True),  # a slow stop is still going on
        (["restart"], True),
        (["die:1", "start"], True),
        (["stop"], True),
        (["die:1"], False),
        (["oom", "die:137"], False),
        (["kill:1"], False),
        (["health_status: unhealthy", "pause"], False),
    ],
)
def test_a_stop_or_start_has_begun_but_a_crash_is_neither(events: list[str], expected: bool) -> None:
    assert begins_anew(told(*events), SIGTERM) is expected


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("die:137", "12:03:04 die (exit code 137)"),
        ("kill:15", "12:03:04 kill (signal 15)"),
        ("oom", "12:03:04 oom"),
        ("update", "12:03:04 update (of its limits or its restart policy)"),
        ("health_status: unhealthy", "12:03:04 health_status: unhealthy"),
    ],
)
def test_an_event_is_told_in_one_short_line(word: str, line: str) -> None:
    at = told("")[0].at
    happening = Happening(at, word, {}) if " " in word else told(word)[0]

    assert str(happening) == line
