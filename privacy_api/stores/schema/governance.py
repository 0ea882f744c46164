"""What people apply for, propose and decide."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from privacy_api.stores.schema.base import BIG, metadata

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

_APPLICATION_STATES = "state IN ('draft', 'submitted', 'returned', 'approved', 'refused', 'withdrawn')"

# content: as the applicant left it, canonical JSON; what was sent of it is in `submissions`, for good.
applications = Table(
    "applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BIG, nullable=False),
    Column("applicant", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("changes", Text, ForeignKey("projects.id")),
    Column("project", Text, ForeignKey("projects.id")),
    Column("submission", BIG, nullable=False),
    CheckConstraint(_APPLICATION_STATES, name="state"),
    CheckConstraint("project IS NULL OR state = 'approved'", name="project"),
    UniqueConstraint("number"),
)

application_moves = Table(
    "application_moves",
    metadata,
    Column("application", Text, ForeignKey("applications.id"), nullable=False),
    Column("seq", BIG, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("move", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint(_APPLICATION_STATES, name="state"),
    PrimaryKeyConstraint("application", "seq"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("application", Text, ForeignKey("applications.id"), nullable=False),
    Column("number", BIG, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("application", "number"),
)

application_comments = Table(
    "application_comments",
    metadata,
    Column("application", Text, ForeignKey("applications.id"), nullable=False),
    Column("seq", BIG, nullable=False),
    Column("at", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("by_staff", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("step", BIG),
    CheckConstraint("by_staff IN ('yes', 'no')", name="by_staff"),
    CheckConstraint("step BETWEEN 1 AND 7", name="step"),
    PrimaryKeyConstraint("application", "seq"),
)
