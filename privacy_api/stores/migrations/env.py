"""Run by Alembic for every command; `migrate.py` opens the connection and its transaction."""

from alembic import context

from privacy_api.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
