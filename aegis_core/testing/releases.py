"""Releases in memory."""

from collections.abc import Sequence

from aegis_core.domain.release import Release


class MemoryReleases:
    """Releases (port `Releases`) that live as long as the process."""

    def __init__(self, *known: Release) -> None:
        self._known = {(one.target, one.image_id): one for one in known}

    def of(self, target: str) -> Sequence[Release]:
        """See `ports.Releases.of`."""
        mine = [one for one in self._known.values() if one.target == target]
        return sorted(mine, key=lambda one: one.verified_at, reverse=True)

    def note(self, release: Release) -> None:
        """See `ports.Releases.note`."""
        self._known[release.target, release.image_id] = release

    def forget(self, target: str, image_id: str) -> None:
        """See `ports.Releases.forget`."""
        self._known.pop((target, image_id), None)
