"""What lessons are found by: their words in FTS5, and the vectors of a model where one is configured."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE VIRTUAL TABLE lesson_texts USING fts5(key UNINDEXED, text, tokenize = 'porter unicode61')")
    op.create_table(
        "lesson_vectors",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("lesson_vectors")
    op.execute("DROP TABLE lesson_texts")
