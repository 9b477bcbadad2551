"""The closed set of actions."""

from enum import StrEnum


class Action(StrEnum):
    """What Aegis can do to a target. Nothing else is ever executed."""

    RESTART = "RESTART"  # stop and start the same container, its stop timeout honoured
    SCALE_UP = "SCALE_UP"  # more of the resource that ran out, up to the target's ceiling
    ROLLBACK = "ROLLBACK"  # back to the last image that was verified healthy
    NOOP = "NOOP"  # nothing; the outcome is verified all the same
