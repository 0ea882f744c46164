"""The audit chain, and triggers that keep both chains from being changed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
CHAINS = ("ledger", "audit")
FUNCTION = """
CREATE OR REPLACE FUNCTION privacy_api_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of a chain are never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$"""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("ledger", BIG, nullable=False),
        sa.Column("ledger_hash", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.CheckConstraint("seq > 0 AND ledger >= 0", name=op.f("ck_audit_order")),
        sa.UniqueConstraint("previous", name="uq_audit_previous"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
    op.create_index("ix_audit_ledger", "audit", ["ledger"])
    for column in ("kind", "actor", "subject"):
        op.create_index(f"ix_audit_{column}_seq", "audit", [column, "seq"])
    for statement in _fence():
        op.execute(statement)


def downgrade() -> None:
    """Refused where anything was recorded."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM audit LIMIT 1")).first():
        raise RuntimeError("there are rows that the version before cannot hold: audit")
    if op.get_bind().dialect.name == "postgresql":
        for table in CHAINS:
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute("DROP FUNCTION privacy_api_append_only()")
    else:
        for name in ("no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER ledger_{name}")
    op.drop_table("audit")


def _fence() -> list[str]:
    if op.get_bind().dialect.name == "postgresql":
        made = "FOR EACH STATEMENT EXECUTE FUNCTION privacy_api_append_only()"
        when = "BEFORE UPDATE OR DELETE OR TRUNCATE"
        return [FUNCTION, *(f"CREATE TRIGGER {table}_append_only {when} ON {table} {made}" for table in CHAINS)]
    return [statement for table in CHAINS for statement in _triggers(table)]


def _triggers(table: str) -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'rows of a chain are never changed'); END"
    there = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE seq = NEW.seq)"  # noqa: S608 - constants
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {there} {refuse}",
    ]
