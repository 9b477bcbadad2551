"""What is known and said of targets: the releases that ran healthily, maintenance and quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.String(32)


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("target", sa.String(256), nullable=False),
        sa.Column("image_id", sa.String(128), nullable=False),
        sa.Column("image", sa.String(512), nullable=False),
        sa.Column("verified_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("target", "image_id"),
    )
    op.create_table(
        "standings",
        sa.Column("target", sa.String(256), primary_key=True),
        sa.Column("maintenance_until", MOMENT),
        sa.Column("quarantined_until", MOMENT),
        sa.Column("released_at", MOMENT),
        sa.Column("reason", sa.String(512), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("standings", "releases"):
        op.drop_table(table)
