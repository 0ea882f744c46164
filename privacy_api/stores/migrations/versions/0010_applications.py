"""Applications: what was sent, every move and every comment; the scope and the tightening of a project."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
STATES = "state IN ('draft', 'submitted', 'returned', 'approved', 'refused', 'withdrawn')"
OF_APPLICATION = ("application_comments", "submissions", "application_moves")


def upgrade() -> None:
    op.add_column("projects", sa.Column("tightening", sa.Text))
    op.execute("UPDATE projects SET tightening = '{}'")
    with op.batch_alter_table("projects") as table:
        table.alter_column("tightening", existing_type=sa.Text, nullable=False)
        table.add_column(sa.Column("scope", sa.Text))
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
    """Refused where anybody applied, or a project would be held less tightly."""
    for found in ("applications", "projects WHERE scope IS NOT NULL OR tightening <> '{}'"):
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {found} LIMIT 1")).first():  # noqa: S608 - constants
            raise RuntimeError(f"there are rows that the version before cannot hold: {found}")
    for table in (*OF_APPLICATION, "applications"):
        op.drop_table(table)
    with op.batch_alter_table("projects") as projects:
        projects.drop_column("scope")
        projects.drop_column("tightening")
