"""How containers hang together, by what the engine's list says of them."""

from typing import Any

import pytest

from aegis_core.adapters.docker.neighbours import names, related
from aegis_core.domain.change import Relation
from aegis_core.errors import TargetGone


def item(name: str, *networks: str, mode: str = "", **labels: str) -> dict[str, Any]:
    """A container as it is listed; labels are those of compose."""
    return {
        "Id": f"{name}-id",
        "Names": [f"/{name}"],
        "State": "running",
        "Status": "Up 5 minutes",
        "HostConfig": {"NetworkMode": mode or next(iter(networks), "bridge")},
        "NetworkSettings": {"Networks": {network: {"Aliases": None} for network in networks}},
        "Labels": {f"com.docker.compose.{key}": value for key, value in labels.items()},
    }


def service(name: str, depends_on: str = "", project: str = "shop", **labels: str) -> dict[str, Any]:
    return item(f"{project}-{name}-1", service=name, project=project, depends_on=depends_on, **labels)


def relations(target: dict[str, Any], *others: dict[str, Any]) -> dict[str, Relation]:
    return {other["Names"][0][1:]: relation for relation, other in related(target["Id"], [*others, target])}


@pytest.mark.parametrize("owner", ["vpn-id", "vpn"])
def test_who_lives_in_anothers_network_namespace_is_its_child(owner: str) -> None:
    parent, child, other = item("vpn", "bridge"), item("app", mode=f"container:{owner}"), item("other", "bridge")

    assert relations(child, parent, other) == {"vpn": Relation.NETWORK_PARENT}
    assert relations(parent, child, other) == {"app": Relation.NETWORK_CHILD}


def test_the_compose_file_tells_who_depends_on_whom() -> None:
    web = service("web", depends_on="db:service_healthy:true,cache:service_started:false")
    db, cache, mail = service("db"), service("cache"), service("mail")

    expected = {"shop-db-1": Relation.DEPENDENCY, "shop-cache-1": Relation.DEPENDENCY}
    assert relations(web, db, cache, mail) == expected
    assert relations(db, web, cache, mail) == {"shop-web-1": Relation.DEPENDENT}
    assert relations(mail, web, db, cache) == {}


@pytest.mark.parametrize("told", ["db", "db:service_started", "db:service_started:true", " db:service_started:true"])
def test_older_ways_to_write_a_dependency_are_understood(told: str) -> None:
    assert relations(service("web", depends_on=told), service("db")) == {"shop-db-1": Relation.DEPENDENCY}


def test_the_same_service_of_another_project_is_no_dependency() -> None:
    assert relations(service("web", depends_on="db:x"), service("db", project="blog")) == {}


def test_a_container_that_was_made_for_one_command_is_nobodys_dependency() -> None:
    assert relations(service("web", depends_on="db:x"), service("db", oneoff="True")) == {}


def test_every_container_of_a_service_is_a_dependency() -> None:
    second = {**service("db"), "Id": "second", "Names": ["/shop-db-2"]}

    assert len(relations(service("web", depends_on="db:x"), service("db"), second)) == 2


def test_containers_on_a_network_of_the_users_own_can_reach_each_other() -> None:
    shop = item("shop", "bridge", "back")

    assert relations(shop, item("db", "back"), item("web", "front"), item("alone", "bridge")) == {
        "db": Relation.SAME_NETWORK
    }


@pytest.mark.parametrize("network", ["bridge", "host", "none"])
def test_the_engines_own_networks_make_no_neighbours(network: str) -> None:
    assert relations(item("shop", network), item("db", network)) == {}


def test_who_lives_in_anothers_namespace_reaches_whom_the_other_reaches() -> None:
    vpn, app, db = item("vpn", "back"), item("app", mode="container:vpn-id"), item("db", "back")

    assert relations(app, vpn, db) == {"vpn": Relation.NETWORK_PARENT, "db": Relation.SAME_NETWORK}
    assert relations(db, vpn, app) == {"vpn": Relation.SAME_NETWORK, "app": Relation.SAME_NETWORK}


def test_a_neighbour_is_told_once_by_its_closest_relation() -> None:
    vpn = item("vpn", "back", project="p", service="vpn", depends_on="app:x")
    app = item("app", "back", mode="container:vpn-id", project="p", service="app", depends_on="vpn:x")

    assert relations(app, vpn) == {"vpn": Relation.NETWORK_PARENT}
    assert relations(vpn, app) == {"app": Relation.NETWORK_CHILD}
    both = service("a", depends_on="b:x"), service("b", depends_on="a:x")
    assert relations(*both) == {"shop-b-1": Relation.DEPENDENCY}


def test_a_list_that_tells_little_is_understood_as_far_as_it_goes() -> None:
    bare = {"Id": "bare-id", "Names": None, "State": "running", "Labels": None, "HostConfig": None}

    assert relations(item("shop", "back"), {**bare, "Names": ["/bare"], "NetworkSettings": None}) == {}
    assert list(related("bare-id", [bare, item("shop", "back")])) == []


def test_the_neighbours_of_a_container_that_is_not_listed_cannot_be_told() -> None:
    with pytest.raises(TargetGone):
        list(related("gone-id", [item("shop")]))


def test_a_container_is_known_by_every_name_that_others_may_use_and_by_no_id() -> None:
    inspection = {
        "Config": {"Hostname": "db.internal"},
        "NetworkSettings": {
            "Networks": {
                "back": {"Aliases": ["db", "postgres", "0123456789ab"], "DNSNames": ["db", "shop-db-1"]},
                "front": {"Aliases": None},
            }
        },
    }

    assert names(service("db"), inspection) == ("shop-db-1", "db", "postgres", "db.internal")
    assert names(service("db"), {"Config": {"Hostname": "0123456789ab"}}) == ("shop-db-1", "db")
    assert names(item("alone")) == ("alone",)
