"""People with caps of their own, and the law of each measurement's noise."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
PERSON = "(person IS NULL AND person_total IS NULL) OR person_total >= 0"
LAWS = "noise IN ('gaussian', 'laplace', 'none')"


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("cap", BIG, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.CheckConstraint("cap >= 0", name=op.f("ck_people_cap")),
    )
    with op.batch_alter_table("api_keys") as table:
        table.add_column(sa.Column("person", sa.Text))
        table.create_foreign_key("fk_api_keys_person", "people", ["person"], ["id"])
    with op.batch_alter_table("ledger") as table:
        table.add_column(sa.Column("person", sa.Text))
        table.add_column(sa.Column("person_total", BIG))
        table.create_foreign_key("fk_ledger_person", "people", ["person"], ["id"])
        table.create_check_constraint(op.f("ck_ledger_person"), PERSON)
    op.create_index("ix_ledger_person_seq", "ledger", ["person", "seq"])
    op.add_column("measurements", sa.Column("noise", sa.Text))
    op.execute("UPDATE measurements SET noise = CASE WHEN sigma > 0 THEN 'gaussian' ELSE 'none' END")
    with op.batch_alter_table("measurements") as table:
        table.alter_column("noise", existing_type=sa.Text, nullable=False)
        table.create_check_constraint(op.f("ck_measurements_noise"), LAWS)


def downgrade() -> None:
    """Refused where the chain or a measurement needs what would be dropped: their hashes cover it."""
    for found in ("people", "ledger WHERE person IS NOT NULL", "measurements WHERE noise = 'laplace'"):
        if op.get_bind().execute(sa.text(f"SELECT 1 FROM {found} LIMIT 1")).first():  # noqa: S608 - constants
            raise RuntimeError(f"there are rows that the version before cannot hold: {found}")
    with op.batch_alter_table("measurements") as table:
        table.drop_constraint(op.f("ck_measurements_noise"), type_="check")
        table.drop_column("noise")
    op.drop_index("ix_ledger_person_seq", "ledger")
    with op.batch_alter_table("ledger") as table:
        table.drop_constraint(op.f("ck_ledger_person"), type_="check")
        table.drop_constraint("fk_ledger_person", type_="foreignkey")
        table.drop_column("person_total")
        table.drop_column("person")
    with op.batch_alter_table("api_keys") as table:
        table.drop_constraint("fk_api_keys_person", type_="foreignkey")
        table.drop_column("person")
    op.drop_table("people")
