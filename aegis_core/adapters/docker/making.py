"""Making a container anew from another image, under a name that nobody looks at."""

from typing import Final

from aegis_core.domain.intent import Goal
from aegis_core.domain.target import TargetRef
from aegis_core.errors import ActionUnsupported, RuntimeUnavailable, TargetGone

from .blueprint import REPLACES_LABEL, Config, blueprint, further_networks
from .client import Engine, answered_with, translated
from .containers import Containers
from .listing import listed_name, next_name
from .state import Inspection, moment, name_of

_NOT_FOUND: Final = 404


class Making:
    """Makes what is to take the place of a container; starts nothing, and leaves the old one as it is."""

    def __init__(self, engine: Engine, containers: Containers) -> None:
        self._engine = engine
        self._containers = containers

    def refuse_what_cannot_be(self, old: Inspection) -> None:
        """Raise ActionUnsupported where a container cannot be made anew without harm."""
        name = name_of(old)
        if old["HostConfig"].get("AutoRemove"):
            raise ActionUnsupported(
                f"{name} is removed when it is stopped (--rm), so that it could not be brought back."
            )
        with translated("listing the containers"):
            items = [dict(item) for item in self._engine.containers(all=True)]
        shared = {f"container:{old['Id']}", f"container:{name}"}
        children = [listed_name(one) for one in items if (one.get("HostConfig") or {}).get("NetworkMode") in shared]
        if children:
            raise ActionUnsupported(f"{', '.join(children)} would lose its network, for it lives in that of {name}.")

    def made_for(self, ref: TargetRef, goal: Goal) -> Inspection | None:
        """What was made to take the place of the target already; None where nothing was."""
        wanted = {"label": [f"{REPLACES_LABEL}={ref.id}"]}
        with translated("listing the containers"):
            items = [dict(item) for item in self._engine.containers(all=True, filters=wanted)]
        for item in items:
            replaces = (item.get("Labels") or {}).get(REPLACES_LABEL) == ref.id
            if replaces and item.get("ImageID") == goal.image_id:
                return self._containers.inspected(item["Id"], listed_name(item))
        return None

    def make(self, old: Inspection, goal: Goal, ref: TargetRef) -> Inspection:
        """Make it. Raises ActionUnsupported, TargetGone, RuntimeUnavailable."""
        brought = self.image(old["Image"])
        if brought is None:
            raise ActionUnsupported(f"The image of {ref.name} is gone, so that nobody can tell what of it is its own.")
        if self.image(goal.image_id) is None:
            raise ActionUnsupported(f"{goal.image} is no longer on this host.")
        self._clear(ref)
        with translated(f"making {ref.name} anew from {goal.image}", refusal=ActionUnsupported):
            config = blueprint(old, brought, self._called(goal))
            made = self._engine.create_container_from_config(config, next_name(ref))  # type: ignore[no-untyped-call]
        new = self._containers.inspected(made["Id"], next_name(ref))
        self.connect(new, old)
        return new

    def _called(self, goal: Goal) -> str:
        """The name of the image, so that people recognise it; its id where the name means another one by now."""
        if goal.image.startswith("sha256:"):
            return goal.image_id
        with translated(f"looking for the image {goal.image}"):
            named = self._engine.images(name=goal.image, all=False)
        return goal.image if any(one["Id"] == goal.image_id for one in named) else goal.image_id

    def _clear(self, ref: TargetRef) -> None:
        """Remove what an earlier rollback was killed over, if it never ran."""
        left = self._containers.named(next_name(ref))
        if left and REPLACES_LABEL in (left["Config"].get("Labels") or {}) and not moment(left["State"]["StartedAt"]):
            self.remove(left)

    def connect(self, new: Inspection, old: Inspection) -> None:
        """Join the networks of the old one that it is not in yet."""
        there = (new.get("NetworkSettings") or {}).get("Networks") or {}
        for network, endpoint in further_networks(old).items():
            if network not in there:
                with translated(f"connecting {name_of(new)} to {network}", refusal=ActionUnsupported):
                    self._engine.join_network(network, new["Id"], endpoint)

    def remove(self, one: Inspection, force: bool = False) -> None:
        """Remove a container; its volumes stay."""
        try:
            with translated(f"removing {name_of(one)}", refusal=ActionUnsupported):
                self._engine.remove_container(one["Id"], force=force)
        except TargetGone:
            return

    def image(self, image: str) -> Config | None:
        """The config of an image on this host; None where there is no such image."""
        try:
            with translated(f"looking for the image {image[:19]}"):
                found = self._engine.inspect_image(image)  # type: ignore[no-untyped-call]
                return dict(found["Config"] or {})
        except RuntimeUnavailable as problem:
            if answered_with(problem) == _NOT_FOUND:
                return None
            raise
