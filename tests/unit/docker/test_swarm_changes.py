"""What happens to tasks, told of their services."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from aegis_core.adapters.docker.changes import FILTERS
from aegis_core.adapters.docker.past import Happening
from aegis_core.adapters.docker.swarm_changes import ServiceChanges
from aegis_core.domain.change import ChangeKind
from aegis_core.domain.target import TargetRef

from .swarm_says import NOON, SERVICE

SHOP = TargetRef(name="shop", id=SERVICE)


def telling(managed: bool = True, stalled: bool = False) -> ServiceChanges:
    return ServiceChanges(SimpleNamespace(managed=managed), lambda _: stalled)  # type: ignore[arg-type]


def of_task(what: str, slot: int = 1, seconds: float = 0.0, container: str = "c", **attributes: str) -> Happening:
    labels = {
        "name": f"shop.{slot}.x",
        "com.docker.swarm.service.id": SERVICE,
        "com.docker.swarm.service.name": "shop",
        "com.docker.swarm.task.name": f"shop.{slot}.x",
    }
    return Happening(NOON + timedelta(seconds=seconds), what, {**labels, **attributes}, container)


def of_service(what: str, **attributes: str) -> Happening:
    dotted = {key.replace("_", "."): value for key, value in attributes.items()}
    return Happening(NOON, what, {"name": "shop", **dotted}, SERVICE)


def kinds(changes: ServiceChanges, *happenings: Happening) -> list[ChangeKind | None]:
    told = [changes.change_of(one) for one in happenings]
    assert {one.target for one in told if one} <= {SHOP}
    return [one.kind if one else None for one in told]


def test_the_end_of_a_task_is_told_of_its_service_with_its_exit_code() -> None:
    change = telling().change_of(of_task("die", exitCode="7"))
    assert change
    assert (change.kind, change.target, change.exit_code) == (ChangeKind.DIED, SHOP, 7)


def test_ten_tasks_that_end_once_each_are_one_end_of_the_service() -> None:
    ends = [of_task("die", slot, slot / 10, f"c{slot}", exitCode="1") for slot in range(10)]
    assert kinds(telling(), *ends).count(ChangeKind.DIED) == 1


def test_one_place_that_ends_again_and_again_is_told_each_time() -> None:
    ends = [of_task("die", 1, seconds, f"c{seconds}", exitCode="1") for seconds in (0, 6, 12)]
    assert kinds(telling(), *ends) == [ChangeKind.DIED] * 3


def test_what_ended_long_ago_counts_no_more() -> None:
    changes = telling()
    first = [of_task("die", 1, seconds, f"a{seconds}", exitCode="1") for seconds in (0, 6)]
    assert kinds(changes, *first) == [ChangeKind.DIED] * 2
    assert kinds(changes, of_task("die", 2, 300, "b", exitCode="1")) == [ChangeKind.DIED]


def test_an_end_that_was_asked_for_is_none_of_its_own() -> None:
    asked = (of_task("kill", signal="15"), of_task("die", exitCode="143"), of_task("stop"))
    assert kinds(telling(), *asked) == [ChangeKind.STOPPED] * 3


def test_a_task_that_swarm_ends_because_it_is_unhealthy_has_ended_by_itself() -> None:
    ill = (of_task("health_status: unhealthy"), of_task("kill", signal="15"), of_task("die", exitCode="143"))
    assert kinds(telling(), *ill) == [ChangeKind.UNHEALTHY, None, ChangeKind.DIED]


def test_after_an_update_that_has_failed_its_ends_are_not_told_one_by_one() -> None:
    assert kinds(telling(stalled=True), of_task("die", exitCode="1"), of_task("start")) == [None, ChangeKind.STARTED]


def test_what_swarm_clears_away_is_no_news() -> None:
    assert kinds(telling(), of_task("destroy")) == [None]


@pytest.mark.parametrize(
    ("happening", "kind"),
    [
        (of_service("create"), ChangeKind.STARTED),
        (of_service("remove"), ChangeKind.REMOVED),
        (of_service("update"), ChangeKind.STOPPED),
        (of_service("update", updatestate_new="updating"), ChangeKind.STOPPED),
        (of_service("update", updatestate_new="completed"), ChangeKind.HEALTHY),
        (of_service("update", updatestate_new="rollback_completed"), ChangeKind.HEALTHY),
        (of_service("update", updatestate_new="paused"), ChangeKind.UNHEALTHY),
        (of_service("update", updatestate_new="rollback_paused"), ChangeKind.UNHEALTHY),
    ],
)
def test_what_swarm_says_of_a_service_becomes_a_change(happening: Happening, kind: ChangeKind) -> None:
    assert kinds(telling(), happening) == [kind]


def test_where_no_swarm_is_managed_nothing_more_is_asked_for_and_a_task_is_a_container() -> None:
    changes = telling(managed=False)
    assert changes.filters() == FILTERS
    change = changes.change_of(of_task("die", exitCode="7"))
    assert change
    assert change.target == TargetRef(name="shop.1.x", id="c")


def test_on_a_manager_services_are_asked_for_as_well() -> None:
    wanted = telling().filters()
    assert wanted["type"] == ["container", "service"]
    assert {*FILTERS["event"], "create", "update", "remove"} == set(wanted["event"])
