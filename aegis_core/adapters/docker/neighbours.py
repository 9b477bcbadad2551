"""How containers hang together: by network namespace, by compose file, by network."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aegis_core.domain.change import MOST_NEIGHBOURS, Neighbour, Relation
from aegis_core.domain.target import Health, TargetRef, TargetState
from aegis_core.errors import RuntimeUnavailable, TargetGone
from aegis_core.ports import Clock

from .client import Engine, answered_with, translated
from .containers import Containers
from .listing import Item, from_listing, listed_name, out_of_sight
from .state import Inspection

_PROJECT: Final = "com.docker.compose.project"
_SERVICE: Final = "com.docker.compose.service"
_DEPENDS_ON: Final = "com.docker.compose.depends_on"  # "db:service_healthy:true,cache:service_started:false"
_ONE_OFF: Final = "com.docker.compose.oneoff"  # made by `docker compose run`: not the service itself
_NAMELESS: Final = frozenset({"bridge", "host", "none"})  # networks that give no names
_ID: Final = re.compile(r"[0-9a-f]{12}|[0-9a-f]{64}")


def related(target: str, items: Sequence[Item]) -> Iterator[tuple[Relation, Item]]:
    """Pair the container of this id with every other that it hangs together with, by the closest relation. Unordered.

    Raises TargetGone where the container is not among them.
    """
    by_id = {item["Id"]: item for item in items}
    if target not in by_id:
        raise TargetGone(f"There is no container {target[:12]}.")
    one = by_id.pop(target)
    named = {**{listed_name(item): item for item in items}, **by_id, target: one}
    networks = _networks(one, named)
    for other in by_id.values():
        if relation := _relation(one, other) or (Relation.SAME_NETWORK if networks & _networks(other, named) else None):
            yield relation, other


def _relation(one: Item, other: Item) -> Relation | None:
    if _namespace_of(one) in _identities(other):
        return Relation.NETWORK_PARENT
    if _namespace_of(other) in _identities(one):
        return Relation.NETWORK_CHILD
    if _depends(one, other):
        return Relation.DEPENDENCY
    return Relation.DEPENDENT if _depends(other, one) else None


def _namespace_of(item: Item) -> str:
    """The id of the container whose network namespace it lives in; empty where it has one of its own."""
    kind, _, owner = str((item.get("HostConfig") or {}).get("NetworkMode") or "").partition(":")
    return owner if kind == "container" else ""


def _identities(item: Item) -> tuple[str, str]:
    return item["Id"], listed_name(item)


def _networks(item: Item, named: Mapping[str, Item]) -> frozenset[str]:
    """The networks that it can reach others on by name; in another's namespace they are the other's."""
    owner = named.get(_namespace_of(item), item)
    attached = (owner.get("NetworkSettings") or {}).get("Networks") or {}
    return frozenset(attached) - _NAMELESS


def _depends(one: Item, other: Item) -> bool:
    labels, others = one.get("Labels") or {}, other.get("Labels") or {}
    if not labels.get(_PROJECT) or labels[_PROJECT] != others.get(_PROJECT) or others.get(_ONE_OFF) == "True":
        return False
    wanted = {entry.partition(":")[0].strip() for entry in labels.get(_DEPENDS_ON, "").split(",")}
    return bool(others.get(_SERVICE)) and others[_SERVICE] in wanted


def names(item: Item, inspection: Inspection | None = None) -> tuple[str, ...]:
    """Every name that the container can be reached by, its own first. What the engine made of its id is left out."""
    told = [listed_name(item), (item.get("Labels") or {}).get(_SERVICE), *_network_names(inspection or {})]
    return tuple(dict.fromkeys(name for name in told if name and not _ID.fullmatch(name)))


def _network_names(inspection: Inspection) -> Iterable[str]:
    networks: Mapping[str, Any] = (inspection.get("NetworkSettings") or {}).get("Networks") or {}
    for network in networks.values():
        yield from network.get("Aliases") or ()
        yield from network.get("DNSNames") or ()
    yield (inspection.get("Config") or {}).get("Hostname") or ""


class Neighbourhood:
    """Finds the neighbours of a container: lists once, and inspects those that it tells of."""

    def __init__(self, engine: Engine, containers: Containers, clock: Clock) -> None:
        self._engine = engine
        self._containers = containers
        self._clock = clock

    def of(self, target: TargetRef) -> Sequence[Neighbour]:
        """Return its neighbours, the closest first, and those in trouble before others. Raises TargetGone,
        RuntimeUnavailable."""
        with translated("listing the containers"):
            listed = [dict(item) for item in self._engine.containers(all=True)]
        items = [item for item in listed if not out_of_sight(listed_name(item))]
        found = sorted(related(target.id, items), key=self._rank)[:MOST_NEIGHBOURS]
        seen = (self._neighbour(relation, item) for relation, item in found)
        return [neighbour for neighbour in seen if neighbour]

    def _rank(self, pair: tuple[Relation, Item]) -> tuple[int, bool, str]:
        relation, item = pair
        state = from_listing(item, self._clock())
        return list(Relation).index(relation), _well(state), state.ref.name

    def _neighbour(self, relation: Relation, item: Item) -> Neighbour | None:
        try:
            inspection = self._containers.inspected(item["Id"], listed_name(item))
            state = self._containers.described(inspection)
        except TargetGone:
            return None  # removed since it was listed
        except RuntimeUnavailable as problem:
            if answered_with(problem) is None:
                raise
            return Neighbour(relation=relation, state=from_listing(item, self._clock()), names=names(item))
        return Neighbour(relation=relation, state=state, names=names(item, inspection))


def _well(state: TargetState) -> bool:
    return state.running and state.health is not Health.UNHEALTHY
