"""What people have said about targets (port `StandingBook`)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from aegis_core.domain.standing import EVERYWHERE, Standing, combined

from .database import Database
from .tables import standings


class SqlStandings:
    """One row for each target that something was said about; the row of '*' is about all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, target: str) -> Standing:
        """See `ports.Standings.of`."""
        query = select(standings).where(standings.c.target.in_({target, EVERYWHERE}))
        with self._database.reading() as connection:
            said = {row.target: _standing(row) for row in connection.execute(query).all()}
        return combined(said.get(EVERYWHERE, Standing()), said.get(target, Standing()))

    def all(self) -> Mapping[str, Standing]:
        """See `ports.StandingBook.all`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(standings).order_by(standings.c.target)).all()
        return {row.target: _standing(row) for row in rows}

    def say(self, target: str, change: Callable[[Standing], Standing], at: datetime) -> Standing:
        """See `ports.StandingBook.say`."""
        mine = standings.c.target == target
        with self._database.writing(durable=True, urgent=True) as connection:
            row = connection.execute(select(standings).where(mine)).one_or_none()
            said = change(_standing(row) if row else Standing())
            connection.execute(delete(standings).where(mine))
            connection.execute(insert(standings).values(target=target, at=at, **said.model_dump()))
        return said


def _standing(row: Any) -> Standing:
    return Standing(**{name: getattr(row, name) for name in Standing.model_fields})
