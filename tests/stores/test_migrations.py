from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, inspect, text
from sqlalchemy.exc import IntegrityError

from disclosure.tables import Noise
from privacy_api.ports import KeyRole
from privacy_api.stores import migrate as migrate_module
from privacy_api.stores.database import open_database
from privacy_api.stores.ledger import SqlLedger
from privacy_api.stores.migrate import downgrade, is_current, newest, upgrade
from privacy_api.stores.packing import digest, pack
from privacy_api.stores.projects import SqlProjects
from privacy_api.stores.schema import metadata
from privacy_api.stores.tables import SqlTables

from .cases import ANN, CUT, KS4, asking, measurement, released_table
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


def test_the_newest_revision_is_alembics_head() -> None:
    assert [newest()] == ScriptDirectory(str(Path(migrate_module.__file__).with_name("migrations"))).get_heads()


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


OLD_ENTRY = {
    "seq": 1, "kind": "charge", "at": "2026-03-01T09:30:00+00:00", "project": "exeter", "key_id": "k2345678",
    "cut": CUT, "release": "r1", "query": "{}", "nano_rho": 10, "digest": "", "refers_to": None, "cut_total": 10,
    "project_total": 10, "previous": "0" * 64,
    "events": '[{"l2_squared":1,"mechanism":"discrete_gaussian","nano_rho":10,"question":"a"}]',
}  # fmt: skip
"""A charge as the first version wrote it."""


def hashed(row: dict[str, Any]) -> str:
    """As the first version did it: canonical JSON of all fields but the hash."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def lived_in(url: str) -> Engine:
    """A database of the first version in use: a charge with its release and two measurements, and a key."""
    engine = open_database(url)
    upgrade(engine, "0001")
    packed = pack("a", 10, measurement())
    release = OLD_ENTRY | {
        "seq": 2, "kind": "release", "nano_rho": 0, "events": "[]", "refers_to": 1, "previous": hashed(OLD_ENTRY),
        "digest": digest(b"body", [packed]),
    }  # fmt: skip
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        for table, row in (
            ("projects", {"id": "exeter", "title": "", "cap": 600, "grants": "[]", "created": ""}),
            ("api_keys", {"id": "k2345678", "project": "exeter", "label": "", "environment": "test",
                          "secret_sha256": "", "created": ""}),
            ("ledger", OLD_ENTRY | {"hash": hashed(OLD_ENTRY)}),
            ("ledger", release | {"hash": hashed(release)}),
            ("releases", {"id": "r1", "entry": 2, "cut": CUT, "project": "exeter", "created": OLD_ENTRY["at"],
                          "body": b"body"}),
            ("measurements", {"cut": CUT, "question": "a", "nano_rho": 10, "entry": 2, "sigma": 2.5,
                              "cells": packed.cells, "masked": packed.masked}),
        ):  # fmt: skip
            connection.execute(tables.tables[table].insert().values(**row))
    return engine


def test_a_ledger_of_the_first_version_is_whole_after_the_second(empty_url: str, tmp_path: Path) -> None:
    engine = lived_in(empty_url)
    for _ in range(2):
        upgrade(engine)
        ledger = SqlLedger(engine, tmp_path / "anchor.json")
        assert ledger.reanchor() == ledger.verify() == 2
        found = ledger.reserve(asking("r2", {"a": 10}))
        assert (found.charge, found.stored["a"].measurement.noise) == (None, Noise.GAUSSIAN)
        downgrade(engine, "0001")
    upgrade(engine)
    answered = ledger.reserve(asking("r2", {"b": 10}))
    ledger.fail(answered)
    assert ledger.verify() == 4
    with engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(text("DELETE FROM ledger WHERE seq = 2"))
    engine.dispose()


@pytest.mark.parametrize(
    ("way", "version"), [("person", "0001"), ("laplace", "0001"), ("released", "0003"), ("registered", "0003")]
)
def test_what_the_version_before_cannot_hold_is_not_thrown_away(
    empty_url: str, tmp_path: Path, way: str, version: str
) -> None:
    engine = lived_in(empty_url)
    upgrade(engine)
    ledger = SqlLedger(engine, tmp_path / "anchor.json")
    ledger.reanchor()
    if way == "person":
        SqlProjects(engine).create_person(ANN)
        ledger.reserve(asking("r2", {"b": 10}, person="ann"))
    elif way == "released":
        reserved = ledger.reserve(asking("r2", {"b": 0}, scope="pupils"))
        ledger.store(reserved, {"b": measurement()}, b"{}", released_table("r2"))
    elif way == "registered":
        SqlTables(engine).register(KS4)
    else:
        reserved = ledger.reserve(asking("r2", {"b": 10}))
        ledger.store(reserved, {"b": replace(measurement(), noise=Noise.LAPLACE)}, b"{}")
    entries = ledger.verify()
    with pytest.raises(RuntimeError, match="cannot hold"):
        downgrade(engine, version)
    assert is_current(engine)
    assert ledger.verify() == entries
    engine.dispose()


def test_keys_of_the_first_version_are_researchers(empty_url: str) -> None:
    engine = lived_in(empty_url)
    upgrade(engine)
    (key,) = SqlProjects(engine).issued_keys()
    assert (key.id, key.role) == ("k2345678", KeyRole.RESEARCHER)
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
