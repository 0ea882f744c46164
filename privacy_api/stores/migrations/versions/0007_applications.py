"""Applications: what was sent, every move and every comment."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
STATES = "state IN ('draft', 'submitted', 'returned', 'approved', 'refused', 'withdrawn')"
OF_APPLICATION = ("application_comments", "submissions", "application_moves")


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("applicant", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("changes", sa.Text),
        sa.Column("project", sa.Text),
        sa.Column("submission", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_applications"),
        sa.ForeignKeyConstraint(["changes"], ["projects.id"], name="fk_applications_changes"),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_applications_project"),
        sa.CheckConstraint(STATES, name=op.f("ck_applications_state")),
        sa.CheckConstraint("project IS NULL OR state = 'approved'", name=op.f("ck_applications_project")),
        sa.UniqueConstraint("number", name="uq_applications_number"),
    )
    op.create_index("ix_applications_applicant", "applications", ["applicant"])
    _of_application(
        "application_moves",
        "seq",
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_application_moves_state")),
    )
    _of_application(
        "submissions",
        "number",
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    _of_application(
        "application_comments",
        "seq",
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("by_staff", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("step", BIG),
        sa.CheckConstraint("by_staff IN ('yes', 'no')", name=op.f("ck_application_comments_by_staff")),
        sa.CheckConstraint("step BETWEEN 1 AND 7", name=op.f("ck_application_comments_step")),
    )


def _of_application(name: str, place: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("application", sa.Text, nullable=False),
        sa.Column(place, BIG, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("application", place, name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["application"], ["applications.id"], name=f"fk_{name}_application"),
    )


def downgrade() -> None:
    """Refused where anybody applied."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM applications LIMIT 1")).first():
        raise RuntimeError("there are rows that the version before cannot hold: applications")
    for table in (*OF_APPLICATION, "applications"):
        op.drop_table(table)
