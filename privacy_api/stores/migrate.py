"""Bringing the service database to the schema of this version of the code."""

from __future__ import annotations

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
        command.upgrade(_config(connection), revision)
        _check_references(connection)


def downgrade(engine: Engine, revision: str) -> None:
    with taking_turns(engine, restructures=True) as connection:
        command.downgrade(_config(connection), revision)
        _check_references(connection)


def is_current(engine: Engine) -> bool:
    with reading(engine) as connection:
        present = MigrationContext.configure(connection).get_current_heads()
    return set(present) == set(ScriptDirectory.from_config(_config(None)).get_heads())


def _check_references(connection: Connection) -> None:
    """What SQLite did not watch while tables were rebuilt."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("a migration would leave rows that refer to nothing; nothing was changed")


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("path_separator", "os")
    # ConfigParser would read a % in a path as the start of an interpolation.
    location = str(Path(__file__).with_name("migrations")).replace("%", "%%")
    config.set_main_option("script_location", location)
    return config
