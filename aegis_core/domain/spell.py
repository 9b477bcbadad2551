"""Spells: the attempts on a target between one quarantine and the next."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Spell(NamedTuple):
    """The attempts since the last quarantine was over, and when the one that they led to ends; None: to none yet."""

    attempts: tuple[datetime, ...]
    ends: datetime | None


def spell_of(attempts: Iterable[datetime], most: int, window: timedelta, quarantine: timedelta) -> Spell:
    """Find the newest spell: `most` attempts within the window lead to a quarantine, and with its end all is forgotten.

    An attempt within a quarantine (a person approved it) belongs to the spell before it.
    """
    spell: list[datetime] = []
    ends: datetime | None = None
    for at in sorted(attempts):
        if ends is not None and at >= ends:
            spell, ends = [], None
        spell.append(at)
        if len(spell) >= most and at - spell[-most] < window:
            ends = at + quarantine
    return Spell(tuple(spell), ends)
