"""What people apply for, propose and decide."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from privacy_api.stores.schema.base import metadata

# What one proposed and another decided; the last constraint is the two-person rule, whatever the code above does.
proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("lapses", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("closed_by", Text),
    Column("closed", Text),
    Column("reason", Text),
    CheckConstraint("state IN ('open', 'executed', 'refused', 'withdrawn')", name="state"),
    CheckConstraint(
        "(state = 'open' AND closed_by IS NULL AND closed IS NULL) OR (state <> 'open' AND closed_by IS NOT NULL AND "
        "closed IS NOT NULL)",
        name="closed",
    ),
    CheckConstraint("state NOT IN ('executed', 'refused') OR closed_by <> by", name="two_people"),
    Index(None, "subject", "at"),
)
