"""Accounts, memberships and sessions; keys that belong to an account, end or are frozen; projects that are or do."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

KINDS = "kind IN ('research', 'sandbox')"


def upgrade() -> None:
    op.create_table(
        "accounts",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "issuer", "subject", "name", "email", "roles")),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_accounts_person"),
        sa.CheckConstraint("status IN ('active', 'frozen')", name=op.f("ck_accounts_status")),
        sa.UniqueConstraint("issuer", "subject", name="uq_accounts_issuer_subject"),
    )
    op.create_table(
        "memberships",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("account", "project", "joined")),
        sa.PrimaryKeyConstraint("account", "project", name="pk_memberships"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_memberships_account"),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name="fk_memberships_project"),
    )
    op.create_index("ix_memberships_project", "memberships", ["project"])
    op.create_table(
        "sessions",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "account", "csrf", "created", "seen", "expires")),
        sa.Column("id_token", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_sessions_account"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    _projects_and_keys()


def _projects_and_keys() -> None:
    op.add_column("projects", sa.Column("kind", sa.Text))
    op.execute("UPDATE projects SET kind = 'research'")
    with op.batch_alter_table("projects") as table:
        table.alter_column("kind", existing_type=sa.Text, nullable=False)
        table.add_column(sa.Column("expires", sa.Text))
        table.add_column(sa.Column("frozen", sa.Text))
        table.create_check_constraint(op.f("ck_projects_kind"), KINDS)
    with op.batch_alter_table("api_keys") as table:
        for name in ("account", "expires", "frozen"):
            table.add_column(sa.Column(name, sa.Text))
        table.create_foreign_key("fk_api_keys_account", "accounts", ["account"], ["id"])
    op.create_index("ix_api_keys_account", "api_keys", ["account"])


def downgrade() -> None:
    """Refused where there is an account, or a key or project that would work again, or for longer, or for more."""
    limited = "WHERE expires IS NOT NULL OR frozen IS NOT NULL"
    for found in ("accounts", f"api_keys {limited}", f"projects {limited} OR kind <> 'research'"):
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {found} LIMIT 1")).first():  # noqa: S608 - constants
            raise RuntimeError(f"there are rows that the version before cannot hold: {found}")
    op.drop_index("ix_api_keys_account", "api_keys")
    with op.batch_alter_table("api_keys") as table:
        table.drop_constraint("fk_api_keys_account", type_="foreignkey")
        for name in ("frozen", "expires", "account"):
            table.drop_column(name)
    with op.batch_alter_table("projects") as table:
        table.drop_constraint(op.f("ck_projects_kind"), type_="check")
        for name in ("frozen", "expires", "kind"):
            table.drop_column(name)
    for name in ("sessions", "memberships", "accounts"):
        op.drop_table(name)
