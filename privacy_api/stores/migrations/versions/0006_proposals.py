"""What one person proposes and another decides."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("lapses", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed", sa.Text),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
        sa.CheckConstraint("state IN ('open', 'executed', 'refused', 'withdrawn')", name=op.f("ck_proposals_state")),
        sa.CheckConstraint(
            "(state = 'open' AND closed_by IS NULL AND closed IS NULL) OR (state <> 'open' AND closed_by IS NOT NULL "
            "AND closed IS NOT NULL)",
            name=op.f("ck_proposals_closed"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('executed', 'refused') OR closed_by <> by", name=op.f("ck_proposals_two_people")
        ),
    )
    op.create_index("ix_proposals_subject_at", "proposals", ["subject", "at"])


def downgrade() -> None:
    """Refused where anything was proposed: it is on the record by its id."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM proposals LIMIT 1")).first():
        raise RuntimeError("there are rows that the version before cannot hold: proposals")
    op.drop_table("proposals")
