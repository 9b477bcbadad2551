"""First cause before consequence: does a target fail because another one that it needs has failed?"""

import re
from collections.abc import Sequence
from typing import Final

from .change import Neighbour, Relation
from .signal import Fault
from .symptom import symptom_of
from .target import RunState, TargetState

CONSEQUENCES: Final = frozenset(
    {Fault.UNHEALTHY, Fault.CRASHED, Fault.CRASH_LOOP, Fault.ERROR_LOGS, Fault.LATENCY, Fault.CUSTOM}
)
"""What may follow from another target's trouble; memory, CPU and disk are a target's own."""


_NEEDING: Final = (Relation.DEPENDENT, Relation.NETWORK_CHILD)


def unwell(state: TargetState) -> str | None:
    """Say what is wrong with a target that others may need; None where nothing is, or where a person stopped it."""
    if state.stopped_by_person:
        return None
    if state.run is RunState.RESTARTING:
        return "is being restarted again and again"
    symptom = symptom_of(state)
    if symptom is None:
        return None
    return f"is {state.run}, exit code {state.exit_code}" if not state.running else "is unhealthy"


def cause_of(neighbours: Sequence[Neighbour], error_lines: Sequence[str] = ()) -> Neighbour | None:
    """Choose the neighbour because of which a target fails.

    One that it cannot live without (whose network namespace it shares, or that its compose file makes it depend on)
    has only to be unwell; one on the same network has to be named in the error lines as well.
    """
    ill = [one for one in neighbours if unwell(one.state)]
    for relation in (Relation.NETWORK_PARENT, Relation.DEPENDENCY):
        needed = next((one for one in ill if one.relation is relation), None)
        if needed:
            return needed
    return next((one for one in ill if one.relation is Relation.SAME_NETWORK and _named(one, error_lines)), None)


def _named(neighbour: Neighbour, lines: Sequence[str]) -> bool:
    """A name in a path (`/app/main.py`) is none; one in an address (`http://app/`) is."""
    names = [re.escape(name) for name in {*neighbour.names, neighbour.state.ref.name}]
    word = re.compile(rf"(?<![\w-])(?<!(?<!/)/)(?:{'|'.join(names)})(?![\w-])")
    return any(word.search(line) for line in lines)


def told(neighbours: Sequence[Neighbour]) -> tuple[str, ...]:
    """Tell who fails with the target, and of the neighbours that are not well, the closest first.

    Those that a person has stopped are told of as well.
    """
    needing = [one.state.ref.name for one in neighbours if one.relation in _NEEDING]
    lines = [f"{', '.join(needing)} {'need' if len(needing) > 1 else 'needs'} it"] if needing else []
    for one in neighbours:
        trouble = "was stopped by a person" if one.state.stopped_by_person else unwell(one.state)
        if trouble:
            lines.append(f"{one.state.ref.name} ({one.relation}) {trouble}")
    return tuple(lines)
