"""The tables. `events` is the truth; `incidents` is its projection; `outbox` holds notices not yet delivered.

`releases` are the images that targets ran healthily with, `standings` what a person or policy has said of a target.
What lessons are found by stands in `lesson_vectors` and in `lesson_texts` (FTS5, see migration 0003).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A moment in UTC as text of fixed width, so that it sorts the same on every database."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("incident_id", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("agent", String(32), nullable=False),
    Column("data", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("incident_id", "version"),  # this key is the optimistic lock
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("target", String(256), nullable=False),
    Column("fault", String(32), nullable=False),
    Column("key", String(256)),  # the sender's own name for the trouble
    Column("status", String(32), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("proven_at", Moment),  # resolved with the target verified healthy
    Column("acted_at", Moment),  # the newest action begun
    Column("next_at", Moment),  # nothing to do before
    Column("version", Integer, nullable=False),
    Column("owner", String(64)),
    Column("fence", Integer, nullable=False, default=0),
    Column("state", Text, nullable=False),  # the fold, as JSON
    Index("one_at_work_per_target", "target", unique=True, sqlite_where=text("owner IS NOT NULL")),
    Index("incidents_to_do", "open", "priority", "opened_at"),
    Index("incidents_by_target", "target", "fault"),
    Index("incidents_by_key", "key"),
    Index("incidents_by_time", "opened_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("channel", String(32), nullable=False),
    Column("incident_id", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("notice", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("done_at", Moment),
    Column("outcome", String(512)),  # None while waiting; then 'delivered' or why it was dropped
    Index("outbox_once", "channel", "incident_id", "version", "kind", unique=True),
    Index("outbox_due", "channel", "done_at", "next_at"),
)

releases = Table(
    "releases",
    metadata,
    Column("target", String(256), nullable=False),
    Column("image_id", String(128), nullable=False),
    Column("image", String(512), nullable=False),  # the name it was run by
    Column("verified_at", Moment, nullable=False),  # when it was last seen healthy for the stability window
    PrimaryKeyConstraint("target", "image_id"),
)

standings = Table(
    "standings",
    metadata,
    Column("target", String(256), primary_key=True),  # '*' stands for all of them
    Column("maintenance_until", Moment),
    Column("quarantined_until", Moment),
    Column("released_at", Moment),  # by hand; attempts before it no longer count
    Column("reason", String(512), nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Moment, nullable=False),
)

lesson_vectors = Table(
    "lesson_vectors",
    metadata,
    Column("key", String(64), primary_key=True),  # of a text in `lesson_texts`
    Column("model", String(128), nullable=False),
    Column("vector", LargeBinary, nullable=False),  # 32-bit floats
)
