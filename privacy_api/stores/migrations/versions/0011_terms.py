"""The terms of cuts, and the versions of their policies."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "policy_versions",
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed", sa.Text),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed', 'published', 'withdrawn')", name=op.f("ck_policy_versions_state")
        ),
        sa.CheckConstraint(
            "(state IN ('published', 'withdrawn')) = (closed IS NOT NULL)", name=op.f("ck_policy_versions_closed")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_policy_versions_version")),
        sa.PrimaryKeyConstraint("cut", "version", name="pk_policy_versions"),
    )
    op.create_table(
        "cut_terms",
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("cap", BIG),
        sa.Column("frozen", BIG, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_cut_terms"),
        sa.CheckConstraint("number > 0 AND cap >= 0", name=op.f("ck_cut_terms_amounts")),
        sa.CheckConstraint("frozen IN (0, 1)", name=op.f("ck_cut_terms_frozen")),
        sa.UniqueConstraint("digest", name="uq_cut_terms_digest"),
    )
    op.create_index("ix_cut_terms_cut_number", "cut_terms", ["cut", "number"])


def downgrade() -> None:
    """Refused where a cut has terms, which people decided."""
    for table in ("cut_terms", "policy_versions"):
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {table} LIMIT 1")).first():  # noqa: S608 - constants
            raise RuntimeError(f"there are rows that the version before cannot hold: {table}")
    op.drop_table("cut_terms")
    op.drop_table("policy_versions")
