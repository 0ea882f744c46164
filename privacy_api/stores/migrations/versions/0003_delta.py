"""The δ that a cut has spent, beside its ρ."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("ledger") as table:
        table.add_column(sa.Column("cut_delta", BIG))
        table.create_check_constraint(op.f("ck_ledger_delta"), "cut_delta > 0")


def downgrade() -> None:
    """Refused where the chain needs what would be dropped: its hashes cover it."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM ledger WHERE cut_delta IS NOT NULL LIMIT 1")).first():
        raise RuntimeError("there are rows that the version before cannot hold: ledger WHERE cut_delta IS NOT NULL")
    with op.batch_alter_table("ledger") as table:
        table.drop_constraint(op.f("ck_ledger_delta"), type_="check")
        table.drop_column("cut_delta")
