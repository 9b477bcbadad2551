"""An intent knows its own effect when it sees it."""

from typing import Any

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal, Intent
from aegis_core.domain.target import Limits
from tests import examples as make

MIB = 2**20
BEFORE = make.state(limits=Limits(memory_bytes=100 * MIB, cpus=1.0), image_id="sha256:broken")
LATER = {"started_at": make.later(1)}


def intent(action: Action, **goal: Any) -> Intent:
    return Intent(action=action, at=make.NOON, before=BEFORE, goal=Goal(**goal))


def seen(**known: Any) -> Any:
    return BEFORE.model_copy(update=known)


def limits(memory: int | None, cpus: float | None = 1.0) -> Limits:
    return Limits(memory_bytes=memory * MIB if memory else None, cpus=cpus)


def test_a_restart_shows_in_a_later_start() -> None:
    assert not intent(Action.RESTART).reached(BEFORE)
    assert intent(Action.RESTART).reached(seen(**LATER))


@pytest.mark.parametrize("now", [limits(150), limits(200), limits(None), limits(150, None)])
def test_a_scale_up_shows_in_limits_that_are_no_lower_than_they_were_to_be(now: Limits) -> None:
    assert intent(Action.SCALE_UP, limits=limits(150)).reached(seen(limits=now))


@pytest.mark.parametrize("now", [limits(100), limits(149), limits(150, 0.5)])
def test_lower_limits_are_no_scale_up(now: Limits) -> None:
    assert not intent(Action.SCALE_UP, limits=limits(150)).reached(seen(limits=now))


def test_a_cpu_limit_that_was_rounded_is_still_the_same() -> None:
    assert intent(Action.SCALE_UP, limits=limits(100, 0.755)).reached(seen(limits=limits(100, 0.754)))


def test_what_was_to_be_started_as_well_has_to_be_started() -> None:
    wanted = intent(Action.SCALE_UP, limits=limits(150), starts=True)
    assert not wanted.reached(seen(limits=limits(150)))
    assert not wanted.reached(seen(**LATER))
    assert wanted.reached(seen(limits=limits(150), **LATER))


def test_a_rollback_shows_in_the_image_and_a_later_start() -> None:
    wanted = intent(Action.ROLLBACK, image_id="sha256:good")
    assert not wanted.reached(seen(**LATER))
    assert not wanted.reached(seen(image_id="sha256:good"))
    assert wanted.reached(seen(image_id="sha256:good", **LATER))


def test_a_rollback_to_nothing_is_never_reached() -> None:
    assert not intent(Action.ROLLBACK).reached(seen(image_id="", **LATER))


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK, Action.RESTART])
def test_an_action_on_a_service_shows_in_its_definition_and_in_nothing_else(action: Action) -> None:
    one = intent(action, definition="new", image_id="sha256:good", limits=limits(100))
    as_if = {"image_id": "sha256:good", **LATER}
    assert not one.reached(seen(definition="old", **as_if))
    assert one.reached(seen(definition="new", **LATER))
    assert one.reached(seen(definition="new")) is (action is Action.SCALE_UP), "the others begin a run"


def test_an_intent_of_an_earlier_version_has_no_goal_and_can_be_read() -> None:
    stored = intent(Action.RESTART).model_dump(mode="json", exclude={"goal"})
    assert Intent.model_validate(stored) == intent(Action.RESTART)
