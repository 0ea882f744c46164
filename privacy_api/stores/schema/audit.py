"""What people decided and what was refused. ledger, ledger_hash: where the other chain had got to."""

from __future__ import annotations

from sqlalchemy import DDL, CheckConstraint, Column, Index, Table, Text, UniqueConstraint, event

from privacy_api.stores.fence import fence_statements
from privacy_api.stores.schema.base import BIG, metadata
from privacy_api.stores.schema.service import ledger

audit = Table(
    "audit",
    metadata,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("ledger", BIG, nullable=False, index=True),
    Column("ledger_hash", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    CheckConstraint("seq > 0 AND ledger >= 0", name="order"),
    UniqueConstraint("previous"),
    UniqueConstraint("hash"),
    Index(None, "kind", "seq"),
    Index(None, "actor", "seq"),
    Index(None, "subject", "seq"),
)


def _fence(table: Table) -> None:
    for dialect in ("sqlite", "postgresql"):
        for statement in fence_statements(table.name, dialect):
            put_up = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", put_up)


_fence(ledger)
_fence(audit)
