"""Who signs in."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from privacy_api.stores.schema.base import metadata

# roles: a JSON list. Nobody's account is ever deleted: what they did stays theirs.
accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id")),
    Column("status", Text, nullable=False),
    CheckConstraint("status IN ('active', 'frozen')", name="status"),
    UniqueConstraint("issuer", "subject"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("account", Text, ForeignKey("accounts.id"), nullable=False),
    Column("project", Text, ForeignKey("projects.id"), nullable=False, index=True),
    Column("joined", Text, nullable=False),
    PrimaryKeyConstraint("account", "project"),
)

# id: SHA-256 of what the cookie holds, so that who reads this table cannot sign in with it.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("csrf", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("expires", Text, nullable=False, index=True),
    Column("id_token", Text),
)
