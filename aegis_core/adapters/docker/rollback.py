"""ROLLBACK of a plain container: made anew from an image that ran healthily, in the place of the broken one; and back.

The engine itself remembers how far it has come, by the names of the two, so that whoever is killed anywhere in between,
the next one sees it. `web` is broken; `next` stands for `web.aegis-next`, and so on:

    there                                                back
    1. the new one is made, as next                      1. the old one becomes back: begun
    2. it becomes now: begun                             2. it gets its restart policy again
    3. web loses its restart policy, and is stopped      3. the new one is stopped, and becomes now
    4. web becomes aside                                 4. the old one becomes web
    5. the new one becomes web                           5. and is started, if it ran before
    6. and is started: done                              6. the new one is removed: over

After 6 the old one stays aside until the new one is proven, and then is removed. Never do both run. Without a restart
policy no engine starts the old one again. Nothing is renamed while it may restart: the engine cannot do that.
"""

from aegis_core.domain.intent import Goal, Intent, Wish
from aegis_core.domain.target import RunState, TargetRef, TargetState
from aegis_core.errors import ActionUnsupported, NotUndone, RuntimeUnavailable, TargetGone

from .client import Engine, translated
from .containers import Containers
from .listing import aside_name, back_name, next_name, now_name
from .making import Making
from .runs import Runs
from .state import Inspection, moment, name_of, restart_policy


class Rollback:
    """Puts a container of another image in the place of one, and back."""

    def __init__(self, engine: Engine, containers: Containers, runs: Runs) -> None:
        self._engine = engine
        self._containers = containers
        self._runs = runs
        self._making = Making(engine, containers)

    def plan(self, before: TargetState, wish: Wish) -> Goal:
        """See `ports.Reverter.plan`. Everything that is needed has to be there before anything is stopped."""
        self._making.refuse_what_cannot_be(self._containers.own(before.ref))
        others = [one for one in wish.releases if one.image_id != before.image_id]
        if not others:
            raise ActionUnsupported(f"{before.ref.name} is not known to have run healthily with any other image.")
        there = next((one for one in others if self._making.image(one.image_id) is not None), None)
        if there is None:
            raise ActionUnsupported(
                f"{others[0].image}, which {before.ref.name} ran healthily with, is no longer here."
            )
        return Goal(image=there.image, image_id=there.image_id)

    def under_way(self, intent: Intent) -> bool:
        """See `ports.Reverter.under_way`."""
        ref = intent.before.ref
        old, new = self._both(intent)
        if new is not None and _done(new, ref):
            return False
        return (new is not None and name_of(new) != next_name(ref)) or (old is not None and name_of(old) != ref.name)

    def carry_out(self, intent: Intent) -> None:
        """Do what is not done yet. Raises TargetGone, ActionUnsupported, RuntimeUnavailable."""
        ref = intent.before.ref
        if not intent.goal.image_id:
            raise ActionUnsupported(f"No release was planned for {ref.name} to go back to.")
        old, new = self._both(intent)
        if new is None:
            if old is None:
                raise TargetGone(f"{ref.name} is gone, and nothing has been put in its place.")
            new = self._making.make(old, intent.goal, ref)
        elif old is not None:
            self._making.connect(new, old)
        if name_of(new) == next_name(ref):
            self._rename(new, now_name(ref))
        if old is not None:
            self._set_aside(old, ref)
        self._put_in_place(new, ref)

    def undo(self, intent: Intent) -> str:
        """See `ports.Reverter.undo`. Where a person has stopped the new one, it is the person's now."""
        ref, told = intent.before.ref, ""
        old, new = self._both(intent)
        if old is None and new is None:
            return ""
        if old is None:
            raise NotUndone(f"The former {ref.name} is gone; what was put in its place is left.")
        begun = name_of(old) != ref.name or (new is not None and name_of(new) == now_name(ref))
        if new is not None:
            self._take_out_of_place(new, old, ref)
        if begun:
            told = f"The former {ref.name} ({intent.before.image}) is back, {self._bring_back(intent)}."
        if new is not None:
            self._making.remove(new, force=True)
        return told

    def settle(self, intent: Intent) -> None:
        """See `ports.Reverter.settle`. What somebody has started again meanwhile is left alone."""
        old = self._old(intent.before.ref)
        if old is not None and name_of(old) == aside_name(intent.before.ref) and not old["State"]["Running"]:
            self._making.remove(old)

    def _both(self, intent: Intent) -> tuple[Inspection | None, Inspection | None]:
        return self._old(intent.before.ref), self._making.made_for(intent.before.ref, intent.goal)

    def _old(self, ref: TargetRef) -> Inspection | None:
        """The container that was diagnosed, wherever it is in all this. Raises TargetGone under any other name."""
        try:
            inspection = self._containers.inspected(ref.id, ref.name)
        except TargetGone:
            return None
        if name_of(inspection) not in {ref.name, aside_name(ref), back_name(ref)}:
            raise TargetGone(f"{ref.name} is no longer the name of container {ref.id[:12]}.")
        return inspection

    # There

    def _set_aside(self, old: Inspection, ref: TargetRef) -> None:
        if name_of(old) != ref.name:
            return
        if restart_policy(old) != "no":
            self._set_policy(old, {"Name": "no"})
        if old["State"]["Running"]:
            self._runs.stop(old)
        self._rename(old, aside_name(ref))

    def _put_in_place(self, new: Inspection, ref: TargetRef) -> None:
        self._name(new, ref.name)
        former = self._old(ref)
        if former is not None and former["State"]["Running"]:
            raise RuntimeUnavailable(f"The former {ref.name} still runs; the new one waits.")
        if moment(new["State"]["StartedAt"]) is None:
            self._runs.start(new)

    # Back

    def _take_out_of_place(self, new: Inspection, old: Inspection, ref: TargetRef) -> None:
        """The new one goes last: when it is gone, nobody knows any more what the restart policy was."""
        if name_of(new) == ref.name and name_of(old) == aside_name(ref):
            if self._containers.described(new).stopped_by_person:
                raise NotUndone(f"A person has stopped it meanwhile. The former one is kept as {aside_name(ref)}.")
            self._rename(old, back_name(ref))
        policy = new["HostConfig"].get("RestartPolicy") or {"Name": "no"}
        if (old["HostConfig"].get("RestartPolicy") or {}) != policy:
            self._set_policy(old, policy)
        if name_of(new) == ref.name:
            if new["State"]["Running"]:
                self._runs.stop(new)
            self._rename(new, now_name(ref))

    def _bring_back(self, intent: Intent) -> str:
        """Under its own name, and running if it ran before."""
        old = self._containers.inspected(intent.before.ref.id, intent.before.ref.name)
        self._name(old, intent.before.ref.name)
        if intent.before.run not in {RunState.RUNNING, RunState.RESTARTING}:
            return "and down as it was"
        if old["State"]["Running"]:
            return "and runs"
        try:
            self._runs.start(old)
        except ActionUnsupported as problem:
            return f"and does not start ({problem})"
        return "and was started"

    # One call each

    def _name(self, one: Inspection, name: str) -> None:
        """Rename it where it has another name; by a fresh look, for its name may have been changed just now."""
        fresh = self._containers.inspected(one["Id"], name_of(one))
        if name_of(fresh) != name:
            self._rename(fresh, name)

    def _rename(self, one: Inspection, name: str) -> None:
        with translated(f"renaming {name_of(one)}", refusal=ActionUnsupported):
            self._engine.rename(one["Id"], name)

    def _set_policy(self, one: Inspection, policy: object) -> None:
        with translated(f"changing the restart policy of {name_of(one)}", refusal=ActionUnsupported):
            self._engine.update(one["Id"], {"RestartPolicy": policy})


def _done(new: Inspection, ref: TargetRef) -> bool:
    """Tell whether it has been put in the place of the target, and started."""
    return name_of(new) == ref.name and moment(new["State"]["StartedAt"]) is not None
