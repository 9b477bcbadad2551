"""Releases: the images that a target has run healthily with, so that there is something to go back to."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from .model import Stored
from .target import Health, TargetState

AFTER_CRASHES: Final = 10.0  # times the stability window that a run has to last which the runtime began after a crash


class Release(Stored):
    """An image that a target of this name was seen healthy with, for the whole stability window."""

    target: str
    image_id: str
    image: str  # the name that it was run by
    verified_at: datetime  # when it was seen so last


def verified(state: TargetState, stability_seconds: float) -> Release | None:
    """The release that a target runs, if this run has proven it; None where it has not, or not yet.

    Without a check of its own a target has to run, and that is all that can be asked of it here.
    """
    well = state.running and state.health in {Health.HEALTHY, Health.NONE} and not state.stopped_by_person
    if not well or not state.image_id or state.started_at is None:
        return None
    window = stability_seconds * (AFTER_CRASHES if state.restart_count else 1)
    if state.at - state.started_at < timedelta(seconds=window):
        return None
    return Release(target=state.ref.name, image_id=state.image_id, image=state.image, verified_at=state.at)


def former(releases: Iterable[Release], image_id: str) -> Sequence[Release]:
    """What can be gone back to from this image: every other release, the one that was seen healthy last first."""
    others = [one for one in releases if one.image_id != image_id]
    return sorted(others, key=lambda one: one.verified_at, reverse=True)
