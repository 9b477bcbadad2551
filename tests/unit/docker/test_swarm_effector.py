"""Each action on a service is one change, taken only from whoever knows what the service is now."""

from datetime import timedelta
from typing import Any

import pytest

from aegis_core.adapters.docker.swarm_effector import ServiceEffector
from aegis_core.adapters.docker.swarm_spec import release, started_anew, with_image, with_replicas
from aegis_core.adapters.docker.swarm_state import to_state
from aegis_core.domain.action import Action
from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.release import Release
from aegis_core.domain.target import TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeUnavailable, TargetGone

from .swarm_says import NOON, service, spec, task

CALLED_OFF = {"aegis.enable": "true", "aegis.autonomy": "observe"}


class Shop:
    """A service in memory that takes changes as Swarm does. `quicker`: what others do to it just before that."""

    def __init__(self, now: dict[str, Any], former: dict[str, Any] | None = None) -> None:
        self.now, self.former = now, former
        self.taken: list[bool] = []
        self.quicker: list[dict[str, Any]] = []
        self.update = ""
        self.refuses = 0
        self.hands = ServiceEffector(self, self)  # type: ignore[arg-type]

    def same(self, target: TargetRef) -> dict[str, Any]:
        former = {"PreviousSpec": self.former} if self.former else {}
        return service(self.now, self.update, begun=100, **former)

    def redefine(self, seen: dict[str, Any], wanted: dict[str, Any], *, back: bool) -> bool:
        if self.quicker:
            self.now, self.former = self.quicker.pop(), self.now
        if self.refuses or seen["Spec"] != self.now:
            self.refuses -= 1
            return False
        self.taken.append(back)
        self.now, self.former = (self.former if back else wanted) or {}, self.now
        return True

    def seen(self) -> TargetState:
        return to_state(self.same(TargetRef(name="shop", id="")), [task(of=self.now)], {}, NOON, 0)

    def intent(self, action: Action, *releases: Release) -> Intent:
        before = self.seen()
        goal = self.hands.plan(action, before, Wish(releases=releases))
        return Intent(action=action, at=NOON, before=before, goal=goal)

    def does(self, intent: Intent) -> None:
        self.hands.apply(intent.action, intent.before, intent.goal)


def known(one: dict[str, Any]) -> Release:
    image = one["TaskTemplate"]["ContainerSpec"]["Image"]
    return Release(target="shop", image_id=release(one), image=image, verified_at=NOON)


LABELS = {"aegis.enable": "true", "aegis.max_replicas": "2"}
OLD, NEW = spec("shop:1"), spec("shop:2")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.RESTART, started_anew(spec(labels=LABELS))),
        (Action.SCALE_UP, with_replicas(spec(labels=LABELS), 2)),
    ],
)
def test_an_action_is_done_once_however_often_it_is_asked_for(action: Action, expected: dict[str, Any]) -> None:
    shop = Shop(spec(labels=LABELS))
    intent = shop.intent(action)
    for _ in range(3):
        shop.does(intent)
    assert (shop.now, shop.taken) == (expected, [False])
    assert intent.goal.shown_by(action, shop.seen())


def test_a_restart_that_came_while_swarm_was_writing_is_asked_for_again() -> None:
    shop = Shop(spec())
    intent = shop.intent(Action.RESTART)
    shop.refuses = 2
    shop.does(intent)
    assert (shop.now, shop.taken) == (started_anew(spec()), [False])


def test_two_agents_restart_it_once() -> None:
    shop = Shop(spec())
    intent = shop.intent(Action.RESTART)
    shop.quicker = [dict(started_anew(spec()))]
    shop.does(intent)
    assert (shop.now, shop.taken) == (started_anew(spec()), []), "the other one was quicker"


@pytest.mark.parametrize("action", [Action.RESTART, Action.SCALE_UP])
def test_a_service_that_somebody_has_changed_meanwhile_is_left_alone(action: Action) -> None:
    shop = Shop(spec())
    intent = shop.intent(action)
    shop.now = NEW
    with pytest.raises(TargetGone, match="updated since"):
        shop.does(intent)
    with pytest.raises(TargetGone, match="updated since"):
        shop.hands.plan(action, intent.before, Wish())
    assert shop.taken == []


def test_a_service_that_is_changed_all_the_time_is_given_up_for_now() -> None:
    shop = Shop(spec())
    intent = shop.intent(Action.RESTART)
    shop.refuses = 1_000
    with pytest.raises(RuntimeUnavailable, match="somebody else"):
        shop.does(intent)


def test_what_swarm_itself_has_taken_back_is_not_done_again() -> None:
    shop = Shop(spec())
    intent = shop.intent(Action.RESTART)
    shop.does(intent)
    shop.now, shop.former, shop.update = shop.former or {}, shop.now, "rollback_completed"
    shop.does(intent)
    assert shop.taken == [False]


@pytest.mark.parametrize("action", [Action.SCALE_UP, Action.ROLLBACK])
def test_what_was_not_planned_is_refused(action: Action) -> None:
    shop = Shop(spec())
    with pytest.raises(ActionUnsupported):
        shop.hands.apply(action, shop.seen(), Goal())
    assert shop.taken == []


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (spec(replicas=None), "runs once on every node"),
        (spec(replicas=0), "does not run"),
        (spec(replicas=2, labels=LABELS), "ceiling of 2"),
    ],
)
def test_there_is_not_always_one_more_to_have(now: dict[str, Any], why: str) -> None:
    with pytest.raises(ActionUnsupported, match=why):
        Shop(now).intent(Action.SCALE_UP)


# ---- ROLLBACK


def test_the_way_back_is_swarms_own_where_that_leads_to_what_was_well() -> None:
    shop = Shop(NEW, OLD)
    intent = shop.intent(Action.ROLLBACK, known(OLD))
    shop.does(intent)
    shop.does(intent)
    assert (shop.now, shop.taken) == (OLD, [True])
    assert (intent.goal.image, intent.goal.image_id) == ("shop:1", release(OLD))


def test_also_the_same_image_with_other_settings_can_be_gone_back_from() -> None:
    other = spec(container={"Env": ["TOKEN=of-another"]})
    shop = Shop(other, spec())
    shop.does(shop.intent(Action.ROLLBACK, known(spec())))
    assert (shop.now, shop.taken) == (spec(), [True])


def test_where_swarm_would_lead_elsewhere_the_image_alone_is_put_back() -> None:
    restarted = dict(started_anew(NEW))
    shop = Shop(restarted, NEW)
    shop.does(shop.intent(Action.ROLLBACK, known(OLD)))
    assert (shop.now, shop.taken) == (with_image(restarted, "shop:1"), [False])


def test_the_way_back_does_not_take_back_what_its_owner_tells_aegis() -> None:
    shop = Shop(NEW, spec("shop:1", labels=CALLED_OFF))
    shop.does(shop.intent(Action.ROLLBACK, known(OLD)))
    assert (shop.now, shop.taken) == (with_image(NEW, "shop:1"), [False])


def test_what_is_not_known_to_have_been_well_is_nothing_to_go_back_to() -> None:
    with pytest.raises(ActionUnsupported, match="not known to have run healthily"):
        Shop(NEW, OLD).intent(Action.ROLLBACK)
    with pytest.raises(ActionUnsupported, match="not known to have run healthily"):
        Shop(NEW, OLD).intent(Action.ROLLBACK, known(NEW))
    older = spec("shop:0", container={"Env": []})
    with pytest.raises(ActionUnsupported, match="shop:0"):
        Shop(NEW, OLD).intent(Action.ROLLBACK, known(older))


# ---- back again


def test_one_more_is_taken_back_once_and_not_where_somebody_wants_another_number() -> None:
    shop = Shop(spec(labels=LABELS))
    intent = shop.intent(Action.SCALE_UP)
    assert shop.hands.undo(intent) == "", "nothing was done"
    shop.does(intent)
    assert shop.hands.undo(intent)
    assert shop.hands.undo(intent) == ""
    assert shop.now == spec(labels=LABELS)
    shop.now = spec(replicas=5, labels=LABELS)
    assert shop.hands.undo(intent) == ""
    assert shop.now == spec(replicas=5, labels=LABELS)


def test_a_rollback_is_taken_back_by_swarms_own_way_once() -> None:
    shop = Shop(NEW, OLD)
    intent = shop.intent(Action.ROLLBACK, known(OLD))
    assert shop.hands.undo(intent) == "", "nothing was done"
    shop.does(intent)
    assert shop.hands.undo(intent)
    assert shop.hands.undo(intent) == ""
    assert (shop.now, shop.taken) == (NEW, [True, True])


def test_a_rollback_that_swarm_remembers_no_way_from_is_left_and_said() -> None:
    shop = Shop(NEW, OLD)
    intent = shop.intent(Action.ROLLBACK, known(OLD))
    shop.does(intent)
    shop.former = OLD
    with pytest.raises(NotUndone):
        shop.hands.undo(intent)
    assert shop.now == OLD


def test_what_somebody_has_deployed_after_a_rollback_stays() -> None:
    shop = Shop(NEW, OLD)
    intent = shop.intent(Action.ROLLBACK, known(OLD))
    shop.does(intent)
    shop.now = spec("shop:3")
    assert shop.hands.undo(intent) == ""
    assert shop.now == spec("shop:3")


def test_a_change_has_begun_when_swarm_was_told_and_not_when_a_task_fails() -> None:
    shop = Shop(spec())
    ref = TargetRef(name="shop", id="")
    assert not shop.hands.begun(ref, NOON)
    shop.update = "updating"  # 100 s after noon
    assert shop.hands.begun(ref, NOON)
    assert not shop.hands.begun(ref, NOON + timedelta(seconds=100))
