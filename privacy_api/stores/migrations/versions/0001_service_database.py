"""The service database as first shipped."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _people()
    _ledger()
    _answers()


def downgrade() -> None:
    for table in ("claims", "measurements", "releases", "ledger", "api_keys", "projects", "service"):
        op.drop_table(table)


def _people() -> None:
    op.create_table(
        "service",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_service"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("cap", BIG, nullable=False),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.CheckConstraint("cap >= 0", name=op.f("ck_projects_cap")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("revoked", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.CheckConstraint("environment IN ('test', 'live')", name=op.f("ck_api_keys_environment")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_api_keys_project"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", BIG, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("nano_rho", BIG, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("refers_to", BIG),
        sa.Column("cut_total", BIG, nullable=False),
        sa.Column("project_total", BIG, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ledger"),
        sa.CheckConstraint("kind IN ('charge', 'release', 'failed')", name=op.f("ck_ledger_kind")),
        sa.CheckConstraint(
            "seq > 0 AND nano_rho >= 0 AND cut_total >= 0 AND project_total >= 0", name=op.f("ck_ledger_amounts")
        ),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_ledger_project"),
        sa.ForeignKeyConstraint(["refers_to"], ["ledger.seq"], name="fk_ledger_refers_to"),
        sa.UniqueConstraint("refers_to", name="uq_ledger_refers_to"),
        sa.UniqueConstraint("previous", name="uq_ledger_previous"),
        sa.UniqueConstraint("hash", name="uq_ledger_hash"),
    )
    op.create_index("ix_ledger_cut_seq", "ledger", ["cut", "seq"])
    op.create_index("ix_ledger_project_seq", "ledger", ["project", "seq"])


def _answers() -> None:
    op.create_table(
        "releases",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("entry", BIG, nullable=False),
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.ForeignKeyConstraint(["entry"], ["ledger.seq"], name="fk_releases_entry"),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_releases_project"),
        sa.UniqueConstraint("entry", name="uq_releases_entry"),
    )
    op.create_table(
        "measurements",
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("nano_rho", BIG, nullable=False),
        sa.Column("entry", BIG, nullable=False),
        sa.Column("sigma", sa.Double, nullable=False),
        sa.Column("cells", sa.LargeBinary, nullable=False),
        sa.Column("masked", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("cut", "question", "entry", name="pk_measurements"),
        sa.ForeignKeyConstraint(["entry"], ["releases.entry"], name="fk_measurements_entry"),
    )
    op.create_index("ix_measurements_entry", "measurements", ["entry"])
    op.create_table(
        "claims",
        sa.Column("cut", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("charge", BIG, nullable=False),
        sa.Column("claimed", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("cut", "question", name="pk_claims"),
        sa.ForeignKeyConstraint(["charge"], ["ledger.seq"], name="fk_claims_charge"),
    )
    op.create_index("ix_claims_charge", "claims", ["charge"])
