"""What the engine's short list says of a container: enough for those that did not opt in. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aegis_core.domain.target import HEALTH_URL_LABEL, Health, TargetRef, TargetState

from .state import run_state

Item = Mapping[str, Any]
"""One container in the answer of the engine to "list"."""

_OUT_OF_SIGHT: Final = re.compile(r".+\.aegis-(next|now|[0-9a-f]{12}(-back)?)")
_EXIT_CODE: Final = re.compile(r"\((\d+)\)")
_HEALTH: Final = (
    ("(healthy)", Health.HEALTHY),
    ("(unhealthy)", Health.UNHEALTHY),
    ("(health: starting)", Health.STARTING),
)
_SETTLED: Final = re.compile(r"minute|hour|day|week|month|year")


def from_listing(item: Item, at: datetime) -> TargetState:
    """Describe a container as far as the list tells: no times, limits, counts, reasons or image id."""
    status, labels = str(item.get("Status") or ""), item.get("Labels") or {}
    code = _EXIT_CODE.search(status)
    return TargetState(
        ref=TargetRef(name=listed_name(item), id=item["Id"]),
        at=at,
        run=run_state(item["State"]),
        health=next((health for words, health in _HEALTH if words in status), Health.NONE),
        exit_code=int(code[1]) if code else None,
        image=item.get("Image") or "",
        labels=labels,
        health_url=labels.get(HEALTH_URL_LABEL) or None,
    )


def listed_name(item: Item) -> str:
    """The container's own name: links give it further ones, with a second slash in them."""
    names = item.get("Names") or [item["Id"][:12]]
    return str(min(names, key=lambda name: str(name).count("/"))).removeprefix("/")


def next_name(target: TargetRef) -> str:
    """What a container is called that will take the place of the target."""
    return f"{target.name}.aegis-next"


def now_name(target: TargetRef) -> str:
    """What that one is called while the two change places."""
    return f"{target.name}.aegis-now"


def back_name(target: TargetRef) -> str:
    """What the target is called when it is about to come back."""
    return f"{aside_name(target)}-back"


def aside_name(target: TargetRef) -> str:
    """What the target is called while another container is tried in its place."""
    return f"{target.name}.aegis-{target.id[:12]}"


def out_of_sight(name: str) -> bool:
    """Tell whether a container is one that Aegis keeps ready or aside: no target, whatever its labels say."""
    return _OUT_OF_SIGHT.fullmatch(name) is not None


def settled(item: Item) -> bool:
    """Tell whether the last start or end lies a minute or more back, and nothing is wrong.

    While this holds and the item's text stays the same, an inspection that is less than a minute old still tells the
    run, its times, count and health rightly: a start since then would show as "seconds".
    """
    status = str(item.get("Status") or "")
    return _SETTLED.search(status) is not None and "(unhealthy)" not in status
