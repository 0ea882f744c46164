"""What a key may do beyond asking, and the record of outputs that were checked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ROLES = "role IN ('researcher', 'checker')"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("role", sa.Text))
    op.execute("UPDATE api_keys SET role = 'researcher'")
    with op.batch_alter_table("api_keys") as table:
        table.alter_column("role", existing_type=sa.Text, nullable=False)
        table.create_check_constraint(op.f("ck_api_keys_role"), ROLES)
    op.create_table(
        "output_checks",
        sa.Column("number", BIG, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("project", sa.Text),
        sa.Column("data_set", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("query", sa.Text),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_output_checks"),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_output_checks_project"),
        sa.CheckConstraint("verdict IN ('pass', 'review', 'fail')", name=op.f("ck_output_checks_verdict")),
        sa.UniqueConstraint("id", name="uq_output_checks_id"),
    )


def downgrade() -> None:
    """Refused where an output was checked, or a key may have outputs checked, which an officer decided."""
    for found in ("output_checks", "api_keys WHERE role <> 'researcher'"):
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {found} LIMIT 1")).first():  # noqa: S608 - constants
            raise RuntimeError(f"there are rows that the version before cannot hold: {found}")
    op.drop_table("output_checks")
    with op.batch_alter_table("api_keys") as table:
        table.drop_constraint(op.f("ck_api_keys_role"), type_="check")
        table.drop_column("role")
