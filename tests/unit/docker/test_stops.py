"""Was it a person? Where the engine remembers, and where it does not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aegis_core.adapters.docker.stops import Stops

FINISHED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STARTED = FINISHED - timedelta(hours=1)


class RememberingEngine:
    """Knows the events that it is given, and counts how often it is asked."""

    def __init__(self, *events: tuple[float, str, Mapping[str, str]]) -> None:
        self.events = [
            {
                "timeNano": int((FINISHED.timestamp() + seconds) * 1e9),
                "Action": what,
                "Actor": {"Attributes": dict(more)},
            }
            for seconds, what, more in events
        ]
        self.asked = 0

    def past_events(self, since: datetime, until: datetime, filters: Mapping[str, Sequence[str]]) -> list[Any]:
        self.asked += 1
        first, last = since.timestamp() * 1e9, until.timestamp() * 1e9
        return [event for event in self.events if first <= event["timeNano"] <= last]


TERM = (-0.2, "kill", {"signal": "15"})
DIE = (0.0, "die", {"exitCode": "0"})


def exited(exit_code: int = 1, policy: str = "no", **state: object) -> dict[str, Any]:
    return {
        "Id": "a" * 64,
        "Name": "/shop",
        "State": {
            "Status": "exited",
            "ExitCode": exit_code,
            "OOMKilled": False,
            "Error": "",
            "StartedAt": STARTED.isoformat(),
            "FinishedAt": FINISHED.isoformat(),
            **state,
        },
        "Config": {"StopSignal": None, "StopTimeout": 5},
        "HostConfig": {"RestartPolicy": {"Name": policy}},
    }


def stops(engine: RememberingEngine) -> Stops:
    return Stops(engine, lambda: FINISHED + timedelta(seconds=1))  # type: ignore[arg-type]


def by_person(engine: RememberingEngine, inspection: dict[str, Any]) -> bool:
    return stops(engine).by_person(inspection)


def test_a_paused_container_is_a_persons_and_a_running_one_is_not() -> None:
    engine = RememberingEngine(TERM, DIE)

    assert by_person(engine, exited(Status="paused"))
    assert not by_person(engine, exited(Status="running"))
    assert not by_person(engine, exited(Status="restarting"))
    assert engine.asked == 0


def test_an_end_that_was_asked_for_is_a_persons() -> None:
    assert by_person(RememberingEngine(TERM, DIE), exited(exit_code=137))


def test_a_kill_long_before_the_end_has_nothing_to_do_with_it() -> None:
    ignored = (-120.0, "kill", {"signal": "15"})

    assert not by_person(RememberingEngine(ignored, DIE), exited())


def test_a_stop_by_a_person_after_a_child_was_killed_for_memory_is_still_a_persons() -> None:
    assert by_person(RememberingEngine(TERM, DIE), exited(exit_code=143, OOMKilled=True))


def test_a_start_that_failed_is_nobodys_wish() -> None:
    assert not by_person(RememberingEngine(TERM, DIE), exited(exit_code=127, Error="no such file"))


@pytest.mark.parametrize(
    ("exit_code", "policy", "oom_killed", "expected"),
    [
        (143, "no", False, True),
        (0, "no", False, True),
        (1, "no", False, False),
        (137, "no", False, False),
        (0, "no", True, False),
        (1, "always", False, True),  # the engine would have started it again
        (137, "unless-stopped", False, True),
        (1, "on-failure", False, False),
    ],
)
def test_when_the_engine_has_forgotten_exit_code_and_policy_decide(
    exit_code: int, policy: str, oom_killed: bool, expected: bool
) -> None:
    assert by_person(RememberingEngine(), exited(exit_code, policy, OOMKilled=oom_killed)) is expected


def test_what_was_seen_once_is_not_forgotten_with_the_engine() -> None:
    engine = RememberingEngine(TERM, DIE)
    judge = stops(engine)

    assert judge.by_person(exited(exit_code=1))
    engine.events.clear()

    assert judge.by_person(exited(exit_code=1))
    assert engine.asked == 1


def test_the_next_end_of_the_same_container_is_judged_anew() -> None:
    engine = RememberingEngine(TERM, DIE)
    judge = stops(engine)
    judge.by_person(exited())
    engine.events.clear()

    later = exited(exit_code=1, FinishedAt=(FINISHED + timedelta(hours=1)).isoformat())

    assert not judge.by_person(later)


def test_a_container_that_our_own_restart_left_stopped_is_not_a_persons() -> None:
    judge = stops(RememberingEngine(TERM, DIE))

    judge.restart_begins(exited(Status="running"))

    assert not judge.by_person(exited(exit_code=143))


def test_after_our_restart_a_stop_is_a_persons_again() -> None:
    judge = stops(RememberingEngine(TERM, DIE))
    judge.restart_begins(exited(Status="running"))

    judge.restart_is_over("a" * 64)

    assert judge.by_person(exited(exit_code=143))


def test_a_lost_restart_that_did_start_it_again_excuses_no_later_stop() -> None:
    judge = stops(RememberingEngine(TERM, DIE))
    judge.restart_begins(exited(Status="running", StartedAt=(STARTED - timedelta(hours=1)).isoformat()))

    assert judge.by_person(exited(exit_code=143))


def test_a_restart_that_never_reached_the_engine_excuses_no_stop_minutes_later() -> None:
    finished = FINISHED + timedelta(minutes=5)
    engine = RememberingEngine((299.8, "kill", {"signal": "15"}), (300.0, "die", {"exitCode": "143"}))
    judge = Stops(engine, lambda: FINISHED)  # type: ignore[arg-type]

    judge.restart_begins(exited(Status="running"))

    assert judge.by_person(exited(exit_code=143, FinishedAt=finished.isoformat()))


def test_a_container_that_runs_and_was_told_to_end_is_being_stopped() -> None:
    assert stops(RememberingEngine(TERM)).under_way(exited(Status="running"))
    assert not stops(RememberingEngine()).under_way(exited(Status="running"))


@pytest.mark.parametrize(
    ("signal", "at", "started"),
    [
        ("1", -0.2, -3600.0),  # a SIGHUP asks for no end
        ("15", -40.0, -3600.0),  # it has outlived its stop timeout of 5 s by far
        ("15", -1.1, -1.0),  # that ended the run before
    ],
)
def test_a_container_that_runs_on_is_not_being_stopped(signal: str, at: float, started: float) -> None:
    engine = RememberingEngine((at, "kill", {"signal": signal}))
    began = (FINISHED + timedelta(seconds=started)).isoformat()

    assert not stops(engine).under_way(exited(Status="running", StartedAt=began))


def test_what_has_ended_is_being_stopped_no_longer() -> None:
    engine = RememberingEngine(TERM, DIE)

    assert not stops(engine).under_way(exited())
    assert engine.asked == 0


def test_our_own_restart_is_no_persons_stop_for_as_long_as_it_may_take() -> None:
    now = FINISHED
    judge = Stops(RememberingEngine(TERM, (99.8, "kill", {"signal": "15"})), lambda: now)  # type: ignore[arg-type]
    judge.restart_begins(exited(Status="running"))

    assert not judge.under_way(exited(Status="running"))

    now += timedelta(seconds=100)
    assert judge.under_way(exited(Status="running"))


def test_what_is_no_longer_listed_is_forgotten() -> None:
    engine = RememberingEngine(TERM, DIE)
    judge = stops(engine)
    judge.by_person(exited())

    judge.keep(frozenset())
    judge.by_person(exited())

    assert engine.asked == 2
