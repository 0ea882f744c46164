"""Questions that people keep, to ask again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "saved_queries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data_set", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("release", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_saved_queries"),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_saved_queries_project"),
    )
    op.create_index("ix_saved_queries_project_created", "saved_queries", ["project", "created"])


def downgrade() -> None:
    """What people kept can be kept again: nothing else refers to it."""
    op.drop_table("saved_queries")
