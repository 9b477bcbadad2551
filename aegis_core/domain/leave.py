"""Leave: how far Aegis goes by itself, by setting and by the labels of a target (DESIGN §7)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from .action import Action

AUTONOMY_LABEL: Final = "aegis.autonomy"
ACTIONS_LABEL: Final = "aegis.actions"


class Autonomy(StrEnum):
    """How far Aegis goes by itself, the strictest first."""

    OBSERVE = "observe"  # never act
    SUGGEST = "suggest"  # always ask
    AUTO = "auto"  # act where policy allows


def autonomy_of(labels: Mapping[str, str], setting: Autonomy) -> tuple[Autonomy, str]:
    """Tell how far it may go with a target, and who says so: the stricter of the setting and the label.

    A label that nobody understands was meant to hold Aegis back: a person is asked.
    """
    word = labels.get(AUTONOMY_LABEL, "").strip().lower()
    if not word:
        return setting, f"Autonomy is '{setting}'"
    known = word in set(Autonomy)
    label = Autonomy(word) if known else Autonomy.SUGGEST
    if list(Autonomy).index(setting) <= list(Autonomy).index(label):
        return setting, f"Autonomy is '{setting}'"
    return label, f"The label {AUTONOMY_LABEL} is '{word[:40]}'" + ("" if known else ", which is no such word")


def by_itself(labels: Mapping[str, str]) -> frozenset[Action]:
    """Tell which actions need no approval for a target: RESTART, or exactly those that its label names.

    Words that are no actions allow nothing.
    """
    if ACTIONS_LABEL not in labels:
        return frozenset({Action.RESTART})
    words = {word.strip().upper().replace("-", "_") for word in labels[ACTIONS_LABEL].split(",")}
    return frozenset(action for action in Action if action in words)
