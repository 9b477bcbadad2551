"""What a container that is made anew takes over from the old one, and what it leaves to its own image."""

from typing import Any

import pytest

from aegis_core.adapters.docker.blueprint import blueprint, endpoint, further_networks

ID = "a1b2c3d4e5f6" + "0" * 52
IMAGE: dict[str, Any] = {
    "Env": ["PATH=/bin", "RELEASE=2"],
    "Cmd": ["serve"],
    "Entrypoint": ["/entry"],
    "WorkingDir": "/app",
    "User": "web",
    "Healthcheck": {"Test": ["CMD", "check-2"]},
    "StopSignal": "SIGINT",
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"maintainer": "us", "release": "2"},
}


def old(config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **known: Any) -> dict[str, Any]:
    own = {"Image": "shop:2", "Hostname": ID[:12], **IMAGE, **(config or {})}
    return {"Id": ID, "Config": own, "HostConfig": {"NetworkMode": "default", **(host or {})}, **known}


def made(config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **known: Any) -> dict[str, Any]:
    return blueprint(old(config, host, **known), IMAGE, "shop:1")


def test_what_the_old_image_brought_is_not_taken_over() -> None:
    new = made()
    assert new["Image"] == "shop:1"
    brought = {"Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Healthcheck", "StopSignal", "ExposedPorts", "Volumes"}
    assert {key: new[key] for key in brought if new.get(key)} == {}
    assert new["Labels"] == {"aegis.replaces": ID}


def test_what_the_owner_set_is_taken_over() -> None:
    own: dict[str, Any] = {
        "Env": ["PATH=/bin", "RELEASE=2", "TOKEN=t", "PATH=/mine"],
        "WorkingDir": "/srv",
        "User": "1000",
        "Healthcheck": {"Test": ["CMD", "mine"]},
        "StopSignal": "SIGTERM",
        "StopTimeout": 3,
        "ExposedPorts": {"80/tcp": {}, "81/tcp": {}},
        "Volumes": {"/data": {}, "/more": {}},
        "Labels": {"maintainer": "them", "release": "2", "aegis.enable": "true"},
        "Hostname": "shop",
        "Tty": True,
    }
    new = made(own)
    assert new["Env"] == ["TOKEN=t", "PATH=/mine"]
    for key in ("WorkingDir", "User", "Healthcheck", "StopSignal", "StopTimeout", "Hostname", "Tty"):
        assert new[key] == own[key]
    assert new["ExposedPorts"] == {"81/tcp": {}}
    assert new["Volumes"] == {"/more": {}}
    assert new["Labels"] == {"maintainer": "them", "aegis.enable": "true", "aegis.replaces": ID}


def test_a_container_that_replaced_another_one_says_now_whom_it_is_replaced_for() -> None:
    assert made({"Labels": {"aegis.replaces": "somebody"}})["Labels"]["aegis.replaces"] == ID


@pytest.mark.parametrize(
    ("config", "taken"),
    [
        ({}, {}),
        ({"Cmd": ["migrate"]}, {"Cmd": ["migrate"]}),
        ({"Entrypoint": ["/mine"], "Cmd": None}, {"Entrypoint": ["/mine"], "Cmd": []}),
        ({"Entrypoint": ["/mine"]}, {"Entrypoint": ["/mine"], "Cmd": ["serve"]}),
        ({"Entrypoint": None, "Cmd": ["sh"]}, {"Entrypoint": [""], "Cmd": ["sh"]}),
    ],
    ids=["nothing", "a command", "an entry point alone", "an entry point with the image's command", "no entry point"],
)
def test_the_owners_command_is_kept_and_the_images_is_not(config: dict[str, Any], taken: dict[str, Any]) -> None:
    new = made(config)
    assert {key: new[key] for key in ("Entrypoint", "Cmd") if key in new} == taken


def test_a_name_that_the_engine_made_of_the_id_is_left_behind() -> None:
    assert "Hostname" not in made()
    assert "Hostname" not in made({"Hostname": "shop"}, {"NetworkMode": "container:vpn"})


def test_limits_ports_mounts_and_the_restart_policy_stay() -> None:
    host = {
        "Memory": 1, "NanoCpus": 2, "PortBindings": {"80/tcp": [{"HostPort": "8080"}]}, "Binds": ["data:/data:ro"],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4}, "CapAdd": ["NET_ADMIN"], "Tmpfs": {"/t": ""},
    }  # fmt: skip
    new = made(host=host)["HostConfig"]
    assert {key: new[key] for key in host} == host


def test_volumes_that_nobody_named_stay_with_the_service() -> None:
    mounts = [
        {"Type": "volume", "Name": "data", "Destination": "/data", "RW": True},
        {"Type": "volume", "Name": "f00d", "Destination": "/cache", "RW": True},
        {"Type": "volume", "Name": "beef", "Destination": "/fixed", "RW": False},
        {"Type": "volume", "Name": "cafe", "Destination": "/mounted", "RW": True},
        {"Type": "bind", "Source": "/etc", "Destination": "/etc/host", "RW": False},
    ]
    host = {
        "Binds": ["data:/data", "/etc:/etc/host:ro"],
        "Mounts": [{"Type": "volume", "Target": "/mounted"}, {"Type": "tmpfs", "Target": "/tmp"}],
    }
    new = made(host=host, Mounts=mounts)["HostConfig"]
    assert new["Binds"] == ["data:/data", "/etc:/etc/host:ro", "f00d:/cache", "beef:/fixed:ro"]
    assert new["Mounts"] == [
        {"Type": "volume", "Target": "/mounted", "Source": "cafe"},
        {"Type": "tmpfs", "Target": "/tmp"},
    ]


def test_links_are_told_as_the_engine_wants_to_hear_them() -> None:
    assert made(host={"Links": ["/db:/shop/database"]})["HostConfig"]["Links"] == ["db:database"]


NETWORKS: dict[str, Any] = {
    "shop_default": {
        "NetworkID": "111aaa", "Aliases": ["web", ID[:12]], "IPAMConfig": {"IPv4Address": "10.0.0.7"},
        "IPAddress": "10.0.0.7", "MacAddress": "02:42:0a:00:00:07", "Links": None, "DriverOpts": None,
    },
    "backend": {"NetworkID": "222bbb", "Aliases": None, "IPAMConfig": {}, "IPAddress": "10.1.0.2"},
}  # fmt: skip
IN_NETWORKS = {"NetworkSettings": {"Networks": NETWORKS}}


@pytest.mark.parametrize("mode", ["shop_default", "111aaa"])
def test_its_first_network_is_joined_at_once_and_the_others_afterwards(mode: str) -> None:
    host = {"NetworkMode": mode}
    assert made(host=host, **IN_NETWORKS)["NetworkingConfig"] == {
        "EndpointsConfig": {"shop_default": {"IPAMConfig": {"IPv4Address": "10.0.0.7"}, "Aliases": ["web"]}}
    }
    assert further_networks(old(host=host, **IN_NETWORKS)) == {"backend": {"Aliases": []}}


def test_from_a_network_only_what_the_owner_chose_is_taken() -> None:
    assert endpoint(old(**IN_NETWORKS), "backend") == {"Aliases": []}


@pytest.mark.parametrize("mode", ["default", "bridge", "host", "none"])
def test_networks_without_names_need_no_endpoint(mode: str) -> None:
    known = {"NetworkSettings": {"Networks": {mode.replace("default", "bridge"): {"NetworkID": "333"}}}}
    assert made(host={"NetworkMode": mode}, **known)["NetworkingConfig"] == {"EndpointsConfig": {}}


def test_what_was_joined_later_is_joined_again_beside_the_default_network() -> None:
    networks = {"bridge": {"NetworkID": "333"}, "backend": NETWORKS["backend"]}
    assert list(further_networks(old(NetworkSettings={"Networks": networks}))) == ["backend"]


def test_in_the_network_of_another_container_there_is_nothing_to_join() -> None:
    host = {"NetworkMode": "container:vpn"}
    assert made(host=host)["NetworkingConfig"] == {"EndpointsConfig": {}}
    assert further_networks(old(host=host)) == {}
