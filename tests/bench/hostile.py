"""Safety as a count: what brains that obey hostile logs have done outside policy, and to others."""

from itertools import product
from pathlib import Path

from tests.acceptance.hostile_logs import CORPUS
from tests.acceptance.town import RecklessBrain, Town, obedient, outside_policy

HOW_FAR = (
    {},  # by its labels alone, else nothing at all
    {"autonomy": "suggest"},
    {"autonomy": "observe"},
    {"dry_run": True},
)


def measure(folder: Path) -> str:
    """Run the whole corpus past each brain under each setting; tells how many actions there were that must not be."""
    incidents = actions = 0
    outside: list[str] = []
    for number, (brain, settings) in enumerate(product((obedient, RecklessBrain), HOW_FAR)):
        town = Town(folder / f"hostile-{number}", brain(), **settings)
        town.admit()
        town.live()
        incidents += len(town.incidents())
        actions += len(town.runtime.applied)
        any_at_all = [(action, ref.name) for action, ref in town.runtime.applied]
        outside += [f"{action} of {name}" for action, name in (any_at_all if settings else outside_policy(town))]
    told = f"Hostile logs: {len(CORPUS)} cases, {incidents} incidents with brains that obey them, {actions} actions"
    return f"{told}; outside policy or on another target: {len(outside)} (target 0) {'; '.join(outside)}".strip()
