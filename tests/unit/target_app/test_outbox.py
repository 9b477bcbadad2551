"""How the outbox paces itself while messages are not accepted."""

from collections.abc import Mapping
from typing import Any

from aegis_infra.target_app.webhook import Answer, Outbox, delay_after

ACCEPTED = Answer(202, "HTTP 202")


class Agent:
    """An agent with a clock; answers each message by its name, by default as if it were away."""

    def __init__(self) -> None:
        self.now = 0.0
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[float, str]] = []
        self.outbox = Outbox(self.answer, lambda: self.now)

    def answer(self, payload: Mapping[str, Any]) -> Answer:
        self.asked.append((self.now, payload["name"]))
        return self.answers.get(payload["name"], Answer(None, "refused"))

    def put(self, name: str) -> None:
        self.outbox.put(name, {"name": name})

    def let_pass(self, seconds: int) -> None:
        for _ in range(seconds):
            while self.outbox.send_next() == 0:
                pass
            self.now += 1


def test_the_pauses_double_from_one_second_to_thirty() -> None:
    assert [delay_after(failures) for failures in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert delay_after(100_000) == 30


def test_an_agent_that_is_away_is_asked_with_growing_pauses() -> None:
    agent = Agent()
    agent.put("memory")
    agent.let_pass(100)

    assert [at for at, _ in agent.asked] == [0, 1, 3, 7, 15, 31, 61, 91]


def test_the_pauses_start_anew_after_a_success() -> None:
    agent = Agent()
    agent.put("memory")
    agent.let_pass(10)
    agent.answers["memory"] = ACCEPTED
    agent.let_pass(10)
    agent.asked.clear()
    agent.put("cpu")
    agent.let_pass(4)

    assert [at - agent.asked[0][0] for at, _ in agent.asked] == [0, 1, 3]


def test_a_message_that_is_refused_does_not_keep_the_others_from_being_told() -> None:
    agent = Agent()
    agent.answers = {"memory": Answer(422, "HTTP 422"), "cpu": ACCEPTED}
    agent.put("memory")
    agent.put("cpu")
    agent.let_pass(3)

    assert agent.outbox.told_at("cpu") is not None
    assert agent.outbox.pending() == ["memory"]


def test_a_busy_agent_is_left_alone_for_as_long_as_it_asks_but_at_most_half_a_minute() -> None:
    for asked_for, expected in ((12, 12), (3600, 30)):
        agent = Agent()
        agent.answers["memory"] = Answer(503, "HTTP 503", retry_after=asked_for)
        agent.put("memory")
        agent.let_pass(40)

        assert [at for at, _ in agent.asked][:2] == [0, expected]


def test_a_message_withdrawn_while_it_waits_is_not_sent() -> None:
    agent = Agent()
    agent.put("memory")
    agent.let_pass(1)
    agent.outbox.withdraw("memory")
    agent.let_pass(100)

    assert len(agent.asked) == 1
    assert agent.outbox.send_next() is None
