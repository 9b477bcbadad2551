"""The event log, its projection and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.String(32)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("agent", sa.String(32), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "version"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("target", sa.String(256), nullable=False),
        sa.Column("fault", sa.String(32), nullable=False),
        sa.Column("key", sa.String(256)),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("proven_at", MOMENT),
        sa.Column("acted_at", MOMENT),
        sa.Column("next_at", MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(64)),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    at_work = sa.text("owner IS NOT NULL")
    op.create_index("one_at_work_per_target", "incidents", ["target"], unique=True, sqlite_where=at_work)
    op.create_index("incidents_to_do", "incidents", ["open", "priority", "opened_at"])
    op.create_index("incidents_by_target", "incidents", ["target", "fault"])
    op.create_index("incidents_by_key", "incidents", ["key"])
    op.create_index("incidents_by_time", "incidents", ["opened_at"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("done_at", MOMENT),
        sa.Column("outcome", sa.String(512)),
    )
    op.create_index("outbox_once", "outbox", ["channel", "incident_id", "version", "kind"], unique=True)
    op.create_index("outbox_due", "outbox", ["channel", "done_at", "next_at"])


def downgrade() -> None:
    for table in ("outbox", "incidents", "events"):
        op.drop_table(table)
