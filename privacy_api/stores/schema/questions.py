"""Questions that people keep."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from privacy_api.stores.schema.base import metadata

saved_queries = Table(
    "saved_queries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("data_set", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("created", Text, nullable=False),
    Column("release", Text),
    Index(None, "project", "created"),
)
