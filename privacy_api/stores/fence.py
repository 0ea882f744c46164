"""Triggers that refuse to change or remove rows of a chain: a fence before the hashes, which find out what got over it.

Whoever owns the database can take a fence down. It keeps out accidents, and other programs that may write.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

FENCED = ("ledger", "audit")
FUNCTION = """
CREATE OR REPLACE FUNCTION privacy_api_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of a chain are never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$"""
ENABLED = "O"
"""PostgreSQL's word for a trigger that fires."""


def fence_statements(table: str, dialect: str) -> tuple[str, ...]:
    """What puts up the fence of one table."""
    return (*([FUNCTION] if dialect == "postgresql" else []), *triggers(table, dialect).values())


def triggers(table: str, dialect: str) -> Mapping[str, str]:
    """By name. SQLite's REPLACE removes rows and asks no trigger for removals, so that it is kept from inserting."""
    if dialect == "postgresql":
        name, when = f"{table}_append_only", f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        return {name: f"CREATE TRIGGER {name} {when} FOR EACH STATEMENT EXECUTE FUNCTION privacy_api_append_only()"}
    refuse = "BEGIN SELECT RAISE(ABORT, 'rows of a chain are never changed'); END"
    there = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE seq = NEW.seq)"  # noqa: S608 - constants
    return {
        f"{table}_no_update": f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"{table}_no_delete": f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"{table}_no_replace": f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} {there} {refuse}",
    }


def gaps(connection: Connection) -> Mapping[str, tuple[str, str]]:
    """Triggers that are missing, off or another than they should be: table and statement by name."""
    dialect, standing = connection.dialect.name, _standing(connection)
    wanted = {name: (table, made) for table in FENCED for name, made in triggers(table, dialect).items()}
    as_it_should_be = {name: made if dialect == "sqlite" else ENABLED for name, (_, made) in wanted.items()}
    return {name: wanted[name] for name in wanted if standing.get(name) != as_it_should_be[name]}


def mend(connection: Connection, missing: Mapping[str, tuple[str, str]]) -> None:
    for name, (table, statement) in missing.items():
        if connection.dialect.name == "postgresql":
            connection.execute(text(FUNCTION))
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table}"))
        else:
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        connection.execute(text(statement))


def _standing(connection: Connection) -> Mapping[str, str]:
    """By name: what a trigger is (SQLite), or whether it fires (PostgreSQL)."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    else:
        here = "tgrelid IN ('ledger'::regclass, 'audit'::regclass)"
        found = connection.execute(text(f"SELECT tgname, tgenabled::text FROM pg_trigger WHERE {here}"))  # noqa: S608
    return {row[0]: row[1] for row in found}
