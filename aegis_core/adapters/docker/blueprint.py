"""How a container is made anew from another image, so that all that its owner set is as before. Pure.

What an engine says of a container mixes what its owner set with what the image brought. Of the latter nothing is taken
over: the other image brings its own. What the owner set to the very value of the image cannot be told from it.
"""

from collections.abc import Mapping
from typing import Any, Final

from .state import Inspection

REPLACES_LABEL: Final = "aegis.replaces"  # on a container that took the place of another: the id of that one

Config = Mapping[str, Any]
"""The `Config` of a container or of an image."""

_OF_IMAGE: Final = ("User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped")
_MAPPINGS: Final = ("ExposedPorts", "Volumes", "Labels")
_BY_NAME_ONLY: Final = frozenset({"default", "bridge", "host", "none", ""})  # networks without aliases and addresses
_SHORT_ID: Final = 12


def blueprint(old: Inspection, image: Config, wanted: str) -> dict[str, Any]:
    """What the engine is told to create: the container `old` as its owner set it, run from the image `wanted`.

    `image` is the config of the image that `old` was made from. Of its networks only the first is in it.
    """
    config = {**_own(old["Config"], image), "Image": wanted}
    config["Labels"] = {**config.get("Labels", {}), REPLACES_LABEL: old["Id"]}
    shared = _mode(old).startswith("container:")
    if shared or str(config.get("Hostname") or "") == old["Id"][:_SHORT_ID]:
        config.pop("Hostname", None)  # the engine made it of the id
    first = _first_network(old)
    endpoints = {first: endpoint(old, first)} if first else {}
    return {**config, "HostConfig": _host_config(old), "NetworkingConfig": {"EndpointsConfig": endpoints}}


def further_networks(old: Inspection) -> Mapping[str, dict[str, Any]]:
    """The networks that a new container has to be connected to after it was made, each with how."""
    if _mode(old).startswith("container:"):
        return {}
    others = _networks(old).keys() - {_first_network(old), *(("bridge",) if _mode(old) in _BY_NAME_ONLY else ())}
    return {name: endpoint(old, name) for name in sorted(others)}


def endpoint(old: Inspection, network: str) -> dict[str, Any]:
    """How a container is in a network: its other names there and its fixed address, without what the engine chose."""
    known = _networks(old)[network]
    aliases = [alias for alias in known.get("Aliases") or () if alias != old["Id"][:_SHORT_ID]]
    kept = {"IPAMConfig": known.get("IPAMConfig"), "Links": known.get("Links"), "DriverOpts": known.get("DriverOpts")}
    return {**{key: value for key, value in kept.items() if value}, "Aliases": aliases}


def _own(config: Config, image: Config) -> dict[str, Any]:
    """What of a container's config was not brought by its image."""
    own = {key: value for key, value in config.items() if key not in {"Entrypoint", "Cmd", "Env", *_MAPPINGS}}
    for key in _OF_IMAGE:
        if key in own and own[key] == image.get(key):
            del own[key]
    own["Env"] = [entry for entry in config.get("Env") or () if entry not in (image.get("Env") or ())]
    for key in _MAPPINGS:
        theirs = image.get(key) or {}
        own[key] = {name: at for name, at in (config.get(key) or {}).items() if theirs.get(name, _NOTHING) != at}
    return {**own, **_command(config, image)}


_NOTHING: Final = object()


def _command(config: Config, image: Config) -> dict[str, Any]:
    """An entry point that the owner set goes with the owner's command: the image's is not used then."""
    entry, command = config.get("Entrypoint") or [], config.get("Cmd") or []
    if entry != (image.get("Entrypoint") or []):
        return {"Entrypoint": entry or [""], "Cmd": command}  # [""]: the owner wants none
    return {"Cmd": command} if command != (image.get("Cmd") or []) else {}


def _host_config(old: Inspection) -> dict[str, Any]:
    settings = {key: value for key, value in old["HostConfig"].items() if value is not None}
    settings["Links"] = [_link(link) for link in settings.get("Links") or ()]
    settings["Mounts"] = [_named(mount, old) for mount in settings.get("Mounts") or ()]
    known = {bind.split(":")[1] for bind in settings.get("Binds") or () if ":" in bind}
    known |= {mount["Target"] for mount in settings["Mounts"]}
    settings["Binds"] = [*(settings.get("Binds") or ()), *_anonymous(old, known)]
    settings.pop("ContainerIDFile", None)
    return settings


def _anonymous(old: Inspection, known: set[str]) -> list[str]:
    """The volumes that nobody named: the data in them belongs to the service, and stays with it."""
    volumes = [one for one in old.get("Mounts") or () if one.get("Type") == "volume" and one.get("Name")]
    left = [one for one in volumes if one["Destination"] not in known]
    return [f"{one['Name']}:{one['Destination']}{'' if one.get('RW', True) else ':ro'}" for one in left]


def _named(mount: Mapping[str, Any], old: Inspection) -> dict[str, Any]:
    if mount.get("Type") != "volume" or mount.get("Source"):
        return dict(mount)
    names = {one["Destination"]: one.get("Name") for one in old.get("Mounts") or ()}
    return {**mount, "Source": names.get(mount["Target"], "")}


def _link(link: str) -> str:
    """`/db:/web/database`, as the engine tells it, to `db:database`, as it wants to be told."""
    other, _, alias = link.partition(":")
    return f"{other.lstrip('/')}:{alias.rsplit('/', 1)[-1]}"


def _mode(old: Inspection) -> str:
    return str(old["HostConfig"].get("NetworkMode") or "")


def _networks(old: Inspection) -> Mapping[str, Any]:
    return (old.get("NetworkSettings") or {}).get("Networks") or {}


def _first_network(old: Inspection) -> str | None:
    """The network of its NetworkMode, by the name that it is listed under; None for one without names."""
    mode = _mode(old)
    if mode in _BY_NAME_ONLY or mode.startswith("container:"):
        return None
    ids = {name: str(one.get("NetworkID") or "") for name, one in _networks(old).items()}
    return next((name for name in ids if name == mode or (mode and ids[name].startswith(mode))), None)
