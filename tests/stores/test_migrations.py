from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from privacy_api.stores.database import open_database
from privacy_api.stores.migrate import downgrade, is_current, upgrade
from privacy_api.stores.schema import metadata

from .processes import migrate, started

CATALOGUE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version' ORDER BY type, name",
    "postgresql": """
        SELECT conname AS name, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conname <> 'alembic_version_pkc'
        UNION ALL SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND indexname <> 'alembic_version_pkc'
        UNION ALL SELECT table_name || '.' || column_name, data_type || is_nullable FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        ORDER BY 1""",
}


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))


def catalogue(engine: Engine) -> set[tuple[str, str]]:
    """Every table, index and constraint in the database's own words; the order within a table does not matter."""
    with engine.connect() as connection:
        found = connection.execute(text(CATALOGUE[engine.dialect.name])).all()
    return {(name, "\n".join(sorted(line.strip(" ,\t") for line in _unquoted(name, sql or "")))) for name, sql in found}


def _unquoted(name: str, sql: str) -> list[str]:
    """SQLite quotes the name of a table that was rebuilt."""
    return sql.replace(f'CREATE TABLE "{name}"', f"CREATE TABLE {name}").splitlines()


def test_up_gives_the_schema_and_down_takes_it_away(empty_url: str) -> None:
    engine = open_database(empty_url)
    assert not is_current(engine)
    for _ in range(2):
        upgrade(engine)
        upgrade(engine)
        assert is_current(engine)
        assert differences(engine) == []
        downgrade(engine, "base")
        assert not is_current(engine)
        assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_migrations_and_schema_are_the_same_in_the_databases_own_words(empty_url: str) -> None:
    engine = open_database(empty_url)
    metadata.create_all(engine)
    declared = catalogue(engine)
    metadata.drop_all(engine)
    upgrade(engine)
    assert catalogue(engine) == declared
    engine.dispose()


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    odd = tmp_path / "100% of é and spaces"
    odd.mkdir()
    engine = open_database(f"sqlite:///{odd / 'service.db'}")
    upgrade(engine)
    assert is_current(engine)
    engine.dispose()


def test_processes_that_upgrade_at_once_do_not_collide(empty_url: str) -> None:
    crew = [started(migrate, empty_url) for _ in range(4)]
    for each in crew:
        each.join()
    assert [each.exitcode for each in crew] == [0] * 4
    engine = open_database(empty_url)
    assert is_current(engine)
    engine.dispose()
