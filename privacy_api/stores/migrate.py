"""Bringing the service database to the schema of this version of the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from privacy_api.stores.database import reading, taking_turns


def upgrade(engine: Engine, revision: str = "head") -> None:
    """All or nothing, and safe for several processes at once: each waits for the one before, then finds it done."""
    with taking_turns(engine, restructures=True) as connection:
        if _revisions(connection) != _heads():
            with _references_kept(connection):
                command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    with taking_turns(engine, restructures=True) as connection, _references_kept(connection):
        command.downgrade(_config(connection), revision)


def is_current(engine: Engine) -> bool:
    with reading(engine) as connection:
        return _revisions(connection) == _heads()


@contextmanager
def _references_kept(connection: Connection) -> Iterator[None]:
    """SQLite does not watch references while tables are rebuilt. Those broken before are for `verify` to find."""
    before = _dangling(connection)
    yield
    if _dangling(connection) != before:
        raise RuntimeError("the migration would leave rows that refer to nothing; nothing was changed")


def _dangling(connection: Connection) -> int:
    if connection.dialect.name != "sqlite":
        return 0
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def _revisions(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _heads() -> set[str]:
    return set(ScriptDirectory.from_config(_config(None)).get_heads())


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("path_separator", "os")
    # ConfigParser would read a % in a path as the start of an interpolation.
    location = str(Path(__file__).with_name("migrations")).replace("%", "%%")
    config.set_main_option("script_location", location)
    return config
