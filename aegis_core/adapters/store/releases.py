"""Keeps the releases that targets ran healthily with (port `Releases`)."""

from collections.abc import Sequence

from sqlalchemy import Delete, delete, insert, select

from aegis_core.domain.release import Release

from .database import Database
from .tables import releases


class SqlReleases:
    """The releases in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, target: str) -> Sequence[Release]:
        """See `ports.Releases.of`."""
        query = select(releases).where(releases.c.target == target).order_by(releases.c.verified_at.desc())
        with self._database.reading() as connection:
            return [Release.model_validate(dict(row)) for row in connection.execute(query).mappings()]

    def note(self, release: Release) -> None:
        """See `ports.Releases.note`."""
        with self._database.writing(durable=False) as connection:
            connection.execute(_the(release.target, release.image_id))
            connection.execute(insert(releases), [release.model_dump()])

    def forget(self, target: str, image_id: str) -> None:
        """See `ports.Releases.forget`."""
        with self._database.writing(durable=False) as connection:
            connection.execute(_the(target, image_id))


def _the(target: str, image_id: str) -> Delete:
    return delete(releases).where(releases.c.target == target, releases.c.image_id == image_id)
