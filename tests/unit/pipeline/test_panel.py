"""The panel: who fails or is late abstains, and who keeps failing is left alone."""

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent
from aegis_core.domain.opinion import TERMS, Opinion
from aegis_core.domain.voices import Voice
from aegis_core.errors import Interrupted, RunbookError
from aegis_core.pipeline.panel import Panel

SAID = Opinion(agent=Agent.PREDICTION, action=Action.RESTART, confidence=0.8, reason="It helped here.")
LIMIT = TERMS[Agent.PREDICTION].limit_seconds


class Room:
    """A panel whose clock is moved by hand, and one agent that takes its time, fails, or speaks."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.panel = Panel(lambda: self.now)

    def hear(self, seconds: float = 0.0, problem: Exception | None = None, said: Voice = SAID) -> Voice:
        """What comes of asking it, as its opinion or as the reason why there is none."""

        def voice() -> Voice:
            self.asked += 1
            self.now += seconds
            if problem:
                raise problem
            return said

        heard = self.panel.hear({Agent.PREDICTION: voice})
        return heard.opinions[0] if heard.opinions else heard.abstained[Agent.PREDICTION]


def test_who_has_nothing_to_say_abstains_with_the_reason_and_has_not_failed() -> None:
    room = Room()
    assert [room.hear(said="there is no lesson") for _ in range(9)] == ["there is no lesson"] * 9
    assert room.hear() == SAID


def test_who_fails_abstains_and_its_reason_is_masked() -> None:
    said = Room().hear(problem=RunbookError("opening postgres://aegis:hunter2hunter2@db/aegis"))
    assert isinstance(said, str)
    assert said.startswith("it failed: opening postgres://")
    assert "hunter2" not in said


def test_who_is_late_abstains_and_who_just_makes_it_is_heard() -> None:
    room = Room()
    assert room.hear(seconds=LIMIT) == SAID
    assert room.hear(seconds=LIMIT + 1) == "it took 151.0 s, and has 150 s"


@pytest.mark.parametrize("trouble", [{"problem": RunbookError("locked")}, {"seconds": LIMIT + 1}])
def test_after_five_failures_in_a_row_it_is_left_alone_for_half_a_minute(trouble: dict) -> None:
    room = Room()
    for _ in range(5):
        room.hear(**trouble)
    assert room.hear() == "it failed again and again, and is left alone for a while"
    assert room.asked == 5
    room.now += 30
    assert room.hear() == SAID
    assert room.asked == 6


def test_the_others_are_heard_all_the_same() -> None:
    def broken() -> Voice:
        raise RunbookError

    said = SAID.model_copy(update={"agent": Agent.DETECTION})
    heard = Panel().hear({Agent.PREDICTION: broken, Agent.DETECTION: lambda: said})
    assert heard.opinions == (said,)
    assert set(heard.abstained) == {Agent.PREDICTION}


@pytest.mark.parametrize("problem", [Interrupted(), ZeroDivisionError()])
def test_that_the_agent_stops_and_a_bug_are_no_abstention(problem: Exception) -> None:
    with pytest.raises(type(problem)):
        Room().hear(problem=problem)
