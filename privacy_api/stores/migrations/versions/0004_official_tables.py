"""What `official` releases have shown and hidden, and the tables that officers have registered."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "official_tables",
        sa.Column("entry", BIG, nullable=False, autoincrement=False),
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("population", sa.Text, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("hidden", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("entry", name="pk_official_tables"),
        sa.ForeignKeyConstraint(["entry"], ["releases.entry"], name="fk_official_tables_entry"),
        sa.CheckConstraint("scope <> ''", name=op.f("ck_official_tables_scope")),
    )
    op.create_index("ix_official_tables_scope_entry", "official_tables", ["scope", "entry"])
    op.create_table(
        "registered_tables",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("data_set", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("withdrawn", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_registered_tables"),
    )


def downgrade() -> None:
    """Refused where a table was released, which the chain covers, or registered, which an officer decided."""
    for table in ("official_tables", "registered_tables"):
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {table} LIMIT 1")).first():  # noqa: S608 - constants
            raise RuntimeError(f"there are rows that the version before cannot hold: {table}")
    op.drop_table("registered_tables")
    op.drop_table("official_tables")
