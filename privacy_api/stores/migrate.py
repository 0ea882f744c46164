"""Bringing the service database to the schema of this version of the code.

Alembic is imported when there is something to bring: a start that finds the schema as it should be does without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect

from privacy_api.stores.database import reading, taking_turns

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")
_APPLIED = "alembic_version"
"""The table in which Alembic keeps where it has got to."""


def newest() -> str:
    """The revision of this version of the code: files of migrations begin with theirs, and they make one line."""
    return max(path.stem for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def upgrade(engine: Engine, revision: str = "head") -> None:
    """All or nothing, and safe for several processes at once: each waits for the one before, then finds it done."""
    with taking_turns(engine, restructures=True) as connection:
        if _revisions(connection) != [newest()]:
            from alembic import command

            with _references_kept(connection):
                command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    from alembic import command

    with taking_turns(engine, restructures=True) as connection, _references_kept(connection):
        command.downgrade(_config(connection), revision)


def is_current(engine: Engine) -> bool:
    with reading(engine) as connection:
        return _revisions(connection) == [newest()]


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


def _revisions(connection: Connection) -> list[str]:
    if not inspect(connection).has_table(_APPLIED):
        return []
    return list(connection.exec_driver_sql(f"SELECT version_num FROM {_APPLIED}").scalars())  # noqa: S608 - a constant


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("path_separator", "os")
    # ConfigParser would read a % in a path as the start of an interpolation.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
