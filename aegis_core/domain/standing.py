"""A standing: what people have said about a target, or about all of them, that bounds what may be done."""

from datetime import datetime, timedelta
from typing import Final

from .model import Stored

EVERYWHERE: Final = "*"
"""Stands for all targets where a standing is kept by name."""

MAINTENANCE_LOOK: Final = timedelta(minutes=5)


class Standing(Stored):
    """What holds at the moment. Nothing is said by default."""

    maintenance_until: datetime | None = None  # people are at work on it: nothing is done before
    quarantined_until: datetime | None = None  # left alone, by hand; policy finds its own quarantine in the history
    released_at: datetime | None = None  # by hand; attempts before it no longer count
    reason: str = ""
    by: str = ""

    @property
    def said_by(self) -> str:
        """Who said it, and why; empty where nobody has said either."""
        return ", ".join(part for part in (self.by, self.reason) if part)


def combined(everywhere: Standing, own: Standing) -> Standing:
    """Put together what is said about all targets and about this one: the later moment holds."""
    told = own if own.reason or own.by else everywhere
    return Standing(
        maintenance_until=_later(everywhere.maintenance_until, own.maintenance_until),
        quarantined_until=_later(everywhere.quarantined_until, own.quarantined_until),
        released_at=_later(everywhere.released_at, own.released_at),
        reason=told.reason,
        by=told.by,
    )


def in_maintenance(standing: Standing, until: datetime | None, by: str, reason: str) -> Standing:
    """Say that people are at work until then; None: not any more."""
    return standing.model_copy(update={"maintenance_until": until, "by": by, "reason": reason})


def quarantined(standing: Standing, until: datetime, by: str, reason: str) -> Standing:
    """Say that nothing is to be done until then."""
    return standing.model_copy(update={"quarantined_until": until, "by": by, "reason": reason})


def released(standing: Standing, now: datetime, by: str, reason: str) -> Standing:
    """Say that whatever was tried before now no longer counts."""
    told = {"quarantined_until": None, "released_at": now, "by": by, "reason": reason}
    return standing.model_copy(update=told)


def maintenance(standing: Standing, now: datetime) -> tuple[datetime, str] | None:
    """Say until when to rest while people are at work, and why; None where they are not.

    It is looked at again every few minutes, because they may be done sooner than they said.
    """
    until = standing.maintenance_until
    if until is None or now >= until:
        return None
    who = f" ({standing.said_by})" if standing.said_by else ""
    reason = f"Maintenance until {until:%Y-%m-%d %H:%M} UTC{who}: nothing is done."
    return min(until, now + MAINTENANCE_LOOK), reason


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)
