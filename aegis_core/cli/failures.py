"""What the commands raise, beside `aegis_core.errors`. Each becomes one sentence on standard error.

AegisError
├── CoreAway         (transient)
├── CoreRefused
├── TargetAppAway    (transient)
└── DemoFailed
    ├── ChildDied
    ├── ComposeFailed
    ├── NotStarted
    └── NotHealed
"""

# ruff: noqa: N818 - the names say what happened, as in aegis_core.errors

from aegis_core.errors import AegisError


class CoreAway(AegisError):
    """No Aegis answers."""

    transient = True


class CoreRefused(AegisError):
    """Aegis answered that it will not."""


class TargetAppAway(AegisError):
    """The target app does not answer."""

    transient = True


class DemoFailed(AegisError):
    """The demo could not be carried through."""


class ChildDied(DemoFailed):
    """A part of the demo has ended by itself."""


class ComposeFailed(DemoFailed):
    """docker compose could not do it."""


class NotStarted(DemoFailed):
    """A service of the demo does not answer."""


class NotHealed(DemoFailed):
    """The incident has not ended in time."""
