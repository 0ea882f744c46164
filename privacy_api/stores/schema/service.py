"""Projects, people and keys; the ledger and what was released. An entry is a ledger seq; cut_delta is in atto-δ."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from privacy_api.stores.schema.base import BIG, metadata

service = Table(
    "service",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("cap", BIG, nullable=False),
    Column("grants", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("expires", Text),
    Column("frozen", Text),
    Column("tightening", Text, nullable=False),
    Column("scope", Text),
    CheckConstraint("cap >= 0", name="cap"),
    CheckConstraint("kind IN ('research', 'sandbox')", name="kind"),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("cap", BIG, nullable=False),
    Column("created", Text, nullable=False),
    CheckConstraint("cap >= 0", name="cap"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("revoked", Text),
    Column("person", Text, ForeignKey("people.id")),
    Column("role", Text, nullable=False),
    Column("account", Text, ForeignKey("accounts.id"), index=True),
    Column("expires", Text),
    Column("frozen", Text),
    CheckConstraint("environment IN ('test', 'live')", name="environment"),
    CheckConstraint("role IN ('researcher', 'checker')", name="role"),
)

# Totals are those after the row, so that the latest row of a cut, project or person answers for all of them.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("key_id", Text, nullable=False),
    Column("cut", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("nano_rho", BIG, nullable=False),
    Column("events", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("refers_to", BIG, ForeignKey("ledger.seq")),
    Column("cut_total", BIG, nullable=False),
    Column("project_total", BIG, nullable=False),
    Column("person", Text, ForeignKey("people.id")),
    Column("person_total", BIG),
    Column("cut_delta", BIG),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    CheckConstraint("kind IN ('charge', 'release', 'failed')", name="kind"),
    CheckConstraint("seq > 0 AND nano_rho >= 0 AND cut_total >= 0 AND project_total >= 0", name="amounts"),
    CheckConstraint("(person IS NULL AND person_total IS NULL) OR person_total >= 0", name="person"),
    CheckConstraint("cut_delta > 0", name="delta"),
    UniqueConstraint("refers_to"),
    UniqueConstraint("previous"),
    UniqueConstraint("hash"),
    Index(None, "cut", "seq"),
    Index(None, "project", "seq"),
    Index(None, "person", "seq"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entry", BIG, ForeignKey("ledger.seq"), nullable=False),
    Column("cut", Text, nullable=False),
    Column("project", Text, ForeignKey("projects.id"), nullable=False),
    Column("created", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("entry"),
)

measurements = Table(
    "measurements",
    metadata,
    Column("cut", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("nano_rho", BIG, nullable=False),
    Column("entry", BIG, ForeignKey("releases.entry"), nullable=False, index=True),
    Column("sigma", Double, nullable=False),
    Column("cells", LargeBinary, nullable=False),
    Column("masked", LargeBinary, nullable=False),
    Column("noise", Text, nullable=False),
    CheckConstraint("noise IN ('gaussian', 'laplace', 'none')", name="noise"),
    PrimaryKeyConstraint("cut", "question", "entry"),
)

# Who is answering what now. Not part of the chain: losing a claim costs budget or time, never privacy.
claims = Table(
    "claims",
    metadata,
    Column("cut", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("charge", BIG, ForeignKey("ledger.seq"), nullable=False, index=True),
    Column("claimed", Double, nullable=False),
    PrimaryKeyConstraint("cut", "question"),
)

# With each `official` release, in its digest: what the next release of the scope must take regard of.
official_tables = Table(
    "official_tables",
    metadata,
    Column("entry", BIG, ForeignKey("releases.entry"), primary_key=True, autoincrement=False),
    Column("cut", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("population", Text, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    Column("hidden", LargeBinary, nullable=False),
    CheckConstraint("scope <> ''", name="scope"),
    Index(None, "scope", "entry"),
)

registered_tables = Table(
    "registered_tables",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("data_set", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("withdrawn", Text),
)

# That outputs were checked; nothing of what was in them.
output_checks = Table(
    "output_checks",
    metadata,
    Column("number", BIG, primary_key=True),
    Column("id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("project", Text, ForeignKey("projects.id")),
    Column("data_set", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("query", Text),
    Column("verdict", Text, nullable=False),
    CheckConstraint("verdict IN ('pass', 'review', 'fail')", name="verdict"),
    UniqueConstraint("id"),
)
