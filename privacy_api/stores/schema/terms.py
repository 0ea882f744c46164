"""The terms of cuts, one row for each change, and the versions of their policies."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from privacy_api.stores.schema.base import BIG, metadata

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("cut", Text, nullable=False),
    Column("version", BIG, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("closed_by", Text),
    Column("closed", Text),
    CheckConstraint("state IN ('draft', 'proposed', 'published', 'withdrawn')", name="state"),
    CheckConstraint("(state IN ('published', 'withdrawn')) = (closed IS NOT NULL)", name="closed"),
    CheckConstraint("version > 0", name="version"),
    PrimaryKeyConstraint("cut", "version"),
)

cut_terms = Table(
    "cut_terms",
    metadata,
    Column("number", BIG, primary_key=True, autoincrement=False),
    Column("cut", Text, nullable=False),
    Column("version", BIG, nullable=False),
    Column("policy", Text, nullable=False),
    Column("cap", BIG),
    Column("frozen", BIG, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("digest", Text, nullable=False),
    CheckConstraint("number > 0 AND cap >= 0", name="amounts"),
    CheckConstraint("frozen IN (0, 1)", name="frozen"),
    UniqueConstraint("digest"),
    Index(None, "cut", "number"),
)
