"""Whoever holds the files can change them, but not unseen."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert
from sqlalchemy.sql import ColumnElement

from privacy_api.ports import LedgerBroken
from privacy_api.stores.chain import FIELDS, Entry
from privacy_api.stores.schema import ledger, measurements, official_tables, releases

from .cases import ANN, EXETER, LEEDS, Desk, Rows, asking, behind_its_back, busy_day, everything, put_back, start_afresh

CHAINED = (ledger, releases, measurements, official_tables)
ROLLED_BACK = "rolled back or edited"


@pytest.fixture(scope="module")
def days() -> dict[str, tuple[Rows, bytes]]:
    """A busy day of each database and its anchor, so that every test need not live through one."""
    return {}


@pytest.fixture
def busy(url: str, tmp_path: Path, days: dict[str, tuple[Rows, bytes]]) -> Iterator[Desk]:
    desk = Desk(url, tmp_path / "anchor.json")
    dialect = desk.engine.dialect.name
    if dialect not in days:
        days[dialect] = live_through(desk)
    rows, anchor = days[dialect]
    with behind_its_back(url) as connection:
        put_back(connection, rows)
    desk.anchor.write_bytes(anchor)
    yield desk
    desk.engine.dispose()


def live_through(desk: Desk) -> tuple[Rows, bytes]:
    start_afresh(desk.url, EXETER, LEEDS, ANN)
    busy_day(desk)
    desk.answered(asking("r6", {"f": 60}))
    for release in ("r7", "r8"):
        desk.answered(asking(release, {release: 0}, scope="pupils"))
    assert desk.ledger.verify() == 14
    with behind_its_back(desk.url) as connection:
        return everything(connection), desk.anchor.read_bytes()


def refused(desk: Desk) -> None:
    with pytest.raises(LedgerBroken, match=ROLLED_BACK):
        desk.ledger.verify()


def same_row(table: Table, row: dict[str, Any]) -> ColumnElement[bool]:
    parts = [column == row[column.name] for column in table.primary_key]
    condition: ColumnElement[bool] = parts[0]
    for part in parts[1:]:
        condition = condition & part
    return condition


SIBLINGS = {"charge": "release", "release": "failed", "failed": "charge", "gaussian": "laplace", "laplace": "gaussian"}
"""What else may stand where this word stands."""


def changed(column: str, value: Any) -> Any:
    match value:
        case None:
            return 999
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case str():
            return SIBLINGS.get(value, value + "0")
    return value + 1_000 if column in ("seq", "entry", "refers_to") else value + 1


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column.name) for table in CHAINED for column in table.columns],
    ids=lambda each: getattr(each, "name", each),
)
def test_any_field_of_any_row_is_edited(busy: Desk, table: Table, column: str) -> None:
    with behind_its_back(busy.url) as connection:
        was = everything(connection)
    for row in was[table]:
        with behind_its_back(busy.url) as connection:
            put_back(connection, was)
            edit = {column: changed(column, row[column])}
            connection.execute(table.update().where(same_row(table, row)).values(**edit))
        refused(busy)


@pytest.mark.parametrize("place", [0, 1, -2, -1], ids=["first", "second", "last but one", "last"])
@pytest.mark.parametrize("table", CHAINED, ids=lambda table: str(table.name))
def test_a_row_is_deleted(busy: Desk, table: Table, place: int) -> None:
    with behind_its_back(busy.url) as connection:
        row = everything(connection)[table][place]
        connection.execute(table.delete().where(same_row(table, row)))
    refused(busy)


def test_all_rows_are_deleted(busy: Desk) -> None:
    with behind_its_back(busy.url) as connection:
        put_back(connection, {table: [] for table in CHAINED})
    refused(busy)
    with pytest.raises(LedgerBroken, match=ROLLED_BACK):
        busy.ledger.reserve(asking("r9", {"g": 1}))


@pytest.mark.parametrize("pair", [(1, 2), (2, 4), (8, 9)])
def test_two_rows_are_swapped(busy: Desk, pair: tuple[int, int]) -> None:
    with behind_its_back(busy.url) as connection:
        for was, becomes in ((pair[0], 99), (pair[1], pair[0]), (99, pair[1])):
            connection.execute(ledger.update().where(ledger.c.seq == was).values(seq=becomes))
    refused(busy)


def test_a_row_is_added(busy: Desk) -> None:
    with behind_its_back(busy.url) as connection:
        rows = everything(connection)
        connection.execute(insert(releases), rows[releases][0] | {"id": "r99", "entry": 77})
    refused(busy)


def test_an_orphan_measurement(busy: Desk) -> None:
    with behind_its_back(busy.url) as connection:
        rows = everything(connection)
        connection.execute(insert(measurements), rows[measurements][0] | {"question": "planted"})
    refused(busy)


@pytest.mark.parametrize("entry", [1, 2, 15])
def test_a_table_that_was_not_released_with_its_entry(busy: Desk, entry: int) -> None:
    """With a charge, with a release that had none, and with nothing."""
    with behind_its_back(busy.url) as connection:
        rows = everything(connection)
        connection.execute(insert(official_tables), rows[official_tables][0] | {"entry": entry})
    refused(busy)


@pytest.mark.parametrize("part", ["keys", "hidden"])
@pytest.mark.parametrize("bit", range(5))
def test_one_bit_of_a_released_table_is_edited(busy: Desk, part: str, bit: int) -> None:
    """And zipped again, so that it reads well."""
    with behind_its_back(busy.url) as connection:
        row = everything(connection)[official_tables][-1]
        plain = bytearray(zlib.decompress(row[part]))
        plain[0] ^= 1 << (7 - bit)
        connection.execute(
            official_tables.update().where(same_row(official_tables, row)).values(**{part: zlib.compress(plain)})
        )
    assert len(busy.ledger.reserve(asking("r9", {"g": 1}, scope="pupils")).earlier) == 2, "it reads well"
    with pytest.raises(LedgerBroken, match="entry 14 does not match what was released"):
        busy.ledger.verify()


def forged(rows: list[dict[str, Any]], seq: int, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The chain as a careful forger would make it: one entry changed, and every hash from there on made good."""
    chain, previous = [], "0" * 64
    for row in rows:
        fields = {name: row[name] for name in FIELDS} | {"previous": previous}
        entry = Entry(**(fields | changes if row["seq"] == seq else fields))
        previous = entry.head.hash
        chain.append({name: getattr(entry, name) for name in FIELDS} | {"hash": previous})
    return chain


def test_a_chain_made_good_from_an_edit_on_is_not_the_anchored_one(busy: Desk) -> None:
    with behind_its_back(busy.url) as connection:
        was = everything(connection)[ledger]
        put_back(connection, {ledger: forged(was, 1, {"at": "2020-01-01T00:00:00+00:00"})})
    with pytest.raises(LedgerBroken, match="anchor file"):
        busy.ledger.verify()
    with pytest.raises(LedgerBroken, match="anchor file"):
        busy.ledger.reserve(asking("r9", {"g": 1}))


@pytest.mark.parametrize(
    ("seq", "changes", "found"),
    [
        (1, {"nano_rho": 1}, "does not add up"),
        (1, {"cut_total": 1}, "does not add up"),
        (7, {"project_total": 1}, "does not add up"),
        (3, {"person_total": 31}, "does not add up"),
        (5, {"person_total": None}, "does not add up"),
        (1, {"person_total": 30}, "does not add up"),
        (3, {"person": None, "person_total": None}, "closes no charge of its own|does not add up"),
        (1, {"person": "ann", "person_total": 30}, "closes no charge of its own|does not add up"),
        (1, {"nano_rho": 29, "cut_total": 29, "project_total": 29}, "events cost"),
        (1, {"events": "[]"}, "events cost"),
        (1, {"events": "no JSON"}, "cannot be read"),
        (1, {"events": '[{"nano_rho":30}]'}, "cannot be read"),
        (1, {"digest": "0" * 64}, "not a charge"),
        (1, {"refers_to": 77}, "not a charge"),
        (1, {"kind": "release"}, "not a charge"),
        (1, {"kind": "failed"}, "not a charge"),
        (1, {"release": "r9"}, "closes no charge of its own"),
        (14, {"seq": 16}, "does not follow"),
        (2, {"key_id": "another0"}, "closes no charge of its own"),
        (2, {"query": "{}"}, "closes no charge of its own"),
        (2, {"refers_to": 77}, "closes no charge of its own"),
        (2, {"refers_to": 8}, "closes no charge of its own"),
        (2, {"refers_to": None}, "did not pay for"),
        (2, {"at": "2020-01-01T00:00:00+00:00"}, "lost its release"),
        (2, {"digest": "0" * 64}, "what was released"),
        (2, {"kind": "failed", "digest": ""}, "lost its release|not in the ledger"),
        (4, {"refers_to": None}, "not a failure"),
        (4, {"digest": "0" * 64}, "not a failure"),
        (4, {"kind": "release"}, "lost its release"),
        (7, {"refers_to": 8}, "closes no charge of its own"),
        (7, {"events": '[{"nano_rho":0,"question":"a"}]'}, "not a charge"),
    ],
)
def test_a_chain_with_good_hashes_must_also_make_sense(
    busy: Desk, seq: int, changes: dict[str, Any], found: str
) -> None:
    with behind_its_back(busy.url) as connection:
        was = everything(connection)[ledger]
        put_back(connection, {ledger: forged(was, seq, changes)})
    with pytest.raises(LedgerBroken, match=found):
        busy.ledger.reanchor()


def test_yesterdays_rows_are_put_back(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    with behind_its_back(desk.url) as connection:
        yesterday = everything(connection)
    desk.answered(asking("r2", {"b": 10}))
    with behind_its_back(desk.url) as connection:
        put_back(connection, yesterday)
    for attempt in (
        desk.ledger.verify,
        lambda: desk.ledger.reserve(asking("r3", {"c": 10})),
        lambda: desk.ledger.reserve(asking("r3", {"a": 10})),
    ):
        with pytest.raises(LedgerBroken, match=ROLLED_BACK):
            attempt()


def test_yesterdays_file_is_put_back(sqlite_url: str, tmp_path: Path) -> None:
    desk = Desk(sqlite_url, tmp_path / "anchor.json")
    desk.projects.create_project(EXETER)
    desk.answered(asking("r1", {"a": 10}))
    database, copy = tmp_path / "service.db", tmp_path / "yesterday.db"
    connection = sqlite3.connect(database)
    connection.execute("VACUUM INTO ?", [str(copy)])
    connection.close()
    desk.answered(asking("r2", {"b": 10}))
    desk.engine.dispose()
    shutil.copy(copy, database)
    again = Desk(sqlite_url, tmp_path / "anchor.json")
    refused(again)
    with pytest.raises(LedgerBroken, match=ROLLED_BACK):
        again.answered(asking("r3", {"c": 10}))
    assert again.ledger.reanchor() == 2
    assert again.ledger.verify() == 2
    again.engine.dispose()


@pytest.mark.parametrize("table", CHAINED, ids=lambda table: str(table.name))
def test_content_of_the_wrong_type(sqlite_url: str, tmp_path: Path, table: Table) -> None:
    """SQLite lets any column hold anything; reading it must refuse, not fall over."""
    desk = Desk(sqlite_url, tmp_path / "anchor.json")
    was, _ = live_through(desk)
    row_number = {ledger: "seq", official_tables: "entry"}.get(table)  # which has a type
    for column in (each.name for each in table.columns if each.name != row_number):
        for planted in ("x", b"\xff", 1.5):
            plant(desk, table, column, planted)
            refused(desk)
            with behind_its_back(desk.url) as connection:
                put_back(connection, was)
    assert desk.ledger.verify() == 14
    desk.engine.dispose()


def plant(desk: Desk, table: Table, column: str, content: Any) -> None:
    with behind_its_back(desk.url) as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        first = f"UPDATE {table.name} SET {column} = ? WHERE rowid = (SELECT min(rowid) FROM {table.name})"
        connection.exec_driver_sql(first, (content,))
