"""ROLLBACK of a plain container: made anew from an image that ran healthily, in the place of the broken one; and back.

The engine itself remembers how far it has come, so that whoever is killed anywhere in between, the next one sees it:

    1. `web.aegis-next` is made, with the label `aegis.replaces` = the id of `web`. Nothing has happened to `web` yet.
    2. `web` is renamed to `web.aegis-<its id>`: begun.
    3. It loses its restart policy (no engine must start it again) and is stopped.
    4. `web.aegis-next` becomes `web`, and
    5. is started: done. The old one stays aside until the new one is proven, and then is removed.

Back: the old one gets its restart policy back; the new one becomes `web.aegis-next` again, and is stopped and removed;
the old one is started if it ran before, and gets its name back: over. Never do both run. Neither is anything that Aegis
looks after meanwhile.
"""

from typing import Final

from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.target import RunState, TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeUnavailable, TargetGone

from .blueprint import REPLACES_LABEL, Config, blueprint, further_networks
from .client import Engine, answered_with, translated
from .containers import Containers
from .listing import aside_name, listed_name, next_name
from .runs import Runs
from .state import Inspection, moment, name_of, restart_policy

_NOT_FOUND: Final = 404


class Rollback:
    """Puts a container of another image in the place of one, and back."""

    def __init__(self, engine: Engine, containers: Containers, runs: Runs) -> None:
        self._engine = engine
        self._containers = containers
        self._runs = runs

    def plan(self, before: TargetState, wish: Wish) -> Goal:
        """See `ports.Reverter.plan`. Everything that is needed has to be there before anything is stopped."""
        old = self._containers.own(before.ref)
        self._refuse_what_cannot_be_made_anew(old)
        others = [one for one in wish.releases if one.image_id != before.image_id]
        if not others:
            raise ActionUnsupported(f"{before.ref.name} is not known to have run healthily with any other image.")
        there = next((one for one in others if self._image(one.image_id) is not None), None)
        if there is None:
            raise ActionUnsupported(
                f"{others[0].image}, which {before.ref.name} ran healthily with, is no longer here."
            )
        return Goal(image=there.image, image_id=there.image_id)

    def under_way(self, intent: Intent) -> bool:
        """See `ports.Reverter.under_way`."""
        old, new = self._old(intent.before.ref), self._new(intent)
        if old is None:
            return new is not None and not _runs_for(new, intent.before.ref)
        return name_of(old) == aside_name(intent.before.ref) and not (new and _runs_for(new, intent.before.ref))

    def carry_out(self, intent: Intent) -> None:
        """Do what is not done yet. Raises TargetGone, ActionUnsupported, RuntimeUnavailable."""
        ref = intent.before.ref
        if not intent.goal.image_id:
            raise ActionUnsupported(f"No release was planned for {ref.name} to go back to.")
        old, new = self._old(ref), self._new(intent)
        if new is None:
            if old is None:
                raise TargetGone(f"{ref.name} is gone, and nothing has been put in its place.")
            new = self._made(old, intent.goal, ref)
        elif old is not None:
            self._connect(new, old)
        if old is not None:
            self._set_aside(old, ref)
        self._put_in_place(new, ref)

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`."""
        ref = intent.before.ref
        old, new = self._old(ref), self._new(intent)
        if old is None:
            if new is None:
                return ""
            raise NotUndone(f"The former {ref.name} is gone; what was put in its place is left.")
        begun = name_of(old) == aside_name(ref)
        wanted = intent.before.run in {RunState.RUNNING, RunState.RESTARTING}
        if new is not None:
            if name_of(new) == ref.name:  # under its other name, it was stopped by us
                wanted = wanted and not self._containers.described(new).stopped_by_person
            self._take_away(new, old, ref)
        if not begun:
            return ""
        told = self._start_again(old) if wanted else "and down as it was to be"
        self._rename(old, ref.name)
        return f"The former {ref.name} ({intent.before.image}) is back, {told}."

    def settle(self, intent: Intent) -> None:
        """See `ports.Reverter.settle`. What somebody has started again meanwhile is left alone."""
        old = self._old(intent.before.ref)
        if old is None or name_of(old) != aside_name(intent.before.ref) or old["State"]["Running"]:
            return
        self._remove(old)

    # What there is

    def _old(self, ref: TargetRef) -> Inspection | None:
        """The container that was diagnosed, under its own name or aside. Raises TargetGone under any other."""
        try:
            inspection = self._containers.inspected(ref.id, ref.name)
        except TargetGone:
            return None
        if name_of(inspection) not in {ref.name, aside_name(ref)}:
            raise TargetGone(f"{ref.name} is no longer the name of container {ref.id[:12]}.")
        return inspection

    def _new(self, intent: Intent) -> Inspection | None:
        wanted = {"label": [f"{REPLACES_LABEL}={intent.before.ref.id}"]}
        with translated("listing the containers"):
            items = [dict(item) for item in self._engine.containers(all=True, filters=wanted)]
        for item in items:
            replaces = (item.get("Labels") or {}).get(REPLACES_LABEL) == intent.before.ref.id
            if replaces and item.get("ImageID") == intent.goal.image_id:
                return self._containers.inspected(item["Id"], listed_name(item))
        return None

    def _image(self, image: str) -> Config | None:
        """The config of an image on this host; None where there is no such image."""
        try:
            with translated(f"looking for the image {image[:19]}"):
                found = self._engine.inspect_image(image)  # type: ignore[no-untyped-call]
                return dict(found["Config"] or {})
        except RuntimeUnavailable as problem:
            if answered_with(problem) == _NOT_FOUND:
                return None
            raise

    def _refuse_what_cannot_be_made_anew(self, old: Inspection) -> None:
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

    # Forward

    def _made(self, old: Inspection, goal: Goal, ref: TargetRef) -> Inspection:
        brought = self._image(old["Image"])
        if brought is None:
            raise ActionUnsupported(f"The image of {ref.name} is gone, so that nobody can tell what of it is its own.")
        if self._image(goal.image_id) is None:
            raise ActionUnsupported(f"{goal.image} is no longer on this host.")
        self._clear(ref)
        with translated(f"making {ref.name} anew from {goal.image}", refusal=ActionUnsupported):
            config = blueprint(old, brought, self._called(goal))
            made = self._engine.create_container_from_config(config, next_name(ref))  # type: ignore[no-untyped-call]
        new = self._containers.inspected(made["Id"], next_name(ref))
        self._connect(new, old)
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
            self._remove(left)

    def _connect(self, new: Inspection, old: Inspection) -> None:
        there = (new.get("NetworkSettings") or {}).get("Networks") or {}
        for network, endpoint in further_networks(old).items():
            if network not in there:
                with translated(f"connecting {name_of(new)} to {network}", refusal=ActionUnsupported):
                    self._engine.join_network(network, new["Id"], endpoint)

    def _set_aside(self, old: Inspection, ref: TargetRef) -> None:
        if name_of(old) != aside_name(ref):
            self._rename(old, aside_name(ref))
        if restart_policy(old) != "no":
            self._set_policy(old, {"Name": "no"})
        if old["State"]["Running"]:
            self._runs.stop(old)

    def _put_in_place(self, new: Inspection, ref: TargetRef) -> None:
        if name_of(new) != ref.name:
            self._rename(new, ref.name)
        former = self._old(ref)
        if former is not None and former["State"]["Running"]:
            raise RuntimeUnavailable(f"The former {ref.name} still runs; the new one waits.")
        if moment(new["State"]["StartedAt"]) is None:
            self._runs.start(new)

    # Back

    def _take_away(self, new: Inspection, old: Inspection, ref: TargetRef) -> None:
        """The restart policy first: when the new one is gone, nobody knows any more what it was."""
        policy = new["HostConfig"].get("RestartPolicy") or {"Name": "no"}
        if (old["HostConfig"].get("RestartPolicy") or {}) != policy:
            self._set_policy(old, policy)
        if name_of(new) != next_name(ref):
            self._rename(new, next_name(ref))
        if new["State"]["Running"]:
            self._runs.stop(new)
        self._remove(new, force=True)

    def _start_again(self, old: Inspection) -> str:
        if old["State"]["Running"]:
            return "and runs"
        try:
            self._runs.start(old)
        except ActionUnsupported as problem:
            return f"and does not start ({problem})"
        return "and was started"

    # One call each

    def _rename(self, one: Inspection, name: str) -> None:
        with translated(f"renaming {name_of(one)}", refusal=ActionUnsupported):
            self._engine.rename(one["Id"], name)

    def _set_policy(self, one: Inspection, policy: object) -> None:
        with translated(f"changing the restart policy of {name_of(one)}", refusal=ActionUnsupported):
            self._engine.update(one["Id"], {"RestartPolicy": policy})

    def _remove(self, one: Inspection, force: bool = False) -> None:
        try:
            with translated(f"removing {name_of(one)}", refusal=ActionUnsupported):
                self._engine.remove_container(one["Id"], force=force)
        except TargetGone:
            return


def _runs_for(new: Inspection, ref: TargetRef) -> bool:
    """Tell whether it has been put in the place of the target, and started."""
    return name_of(new) == ref.name and moment(new["State"]["StartedAt"]) is not None
