"""Whoever holds the files can change them, but not unseen."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, RowMapping, Table, insert, select
from sqlalchemy.sql import ColumnElement

from privacy_api.ports import LedgerBroken
from privacy_api.stores.chain import FIELDS, Entry
from privacy_api.stores.schema import ledger, measurements, metadata, releases

from .cases import EXETER, LEEDS, Desk, asking, behind_its_back, busy_day

CHAINED = (ledger, releases, measurements)
ROLLED_BACK = "rolled back or edited"


@pytest.fixture
def busy(desk: Desk) -> Desk:
    busy_day(desk)
    desk.answered(asking("r6", {"f": 60}))
    assert desk.ledger.verify() == 10
    return desk


def refused(desk: Desk) -> None:
    with pytest.raises(LedgerBroken, match=ROLLED_BACK):
        desk.ledger.verify()


def everything(connection: Connection) -> dict[Table, list[dict[str, Any]]]:
    return {
        table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in metadata.sorted_tables
    }


def put_back(connection: Connection, rows: dict[Table, list[dict[str, Any]]]) -> None:
    for table, content in rows.items():
        connection.execute(table.delete())
        if content:
            connection.execute(insert(table), content)


def same_row(table: Table, row: RowMapping | dict[str, Any]) -> ColumnElement[bool]:
    parts = [column == row[column.name] for column in table.primary_key]
    condition: ColumnElement[bool] = parts[0]
    for part in parts[1:]:
        condition = condition & part
    return condition


def changed(column: str, value: Any) -> Any:
    match value:
        case None:
            return 999
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case str():
            return {"charge": "release", "release": "failed", "failed": "charge"}.get(value, value + "0")
    return value + 1_000 if column in ("seq", "entry", "refers_to") else value + 1


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column.name) for table in CHAINED for column in table.columns],
    ids=lambda each: getattr(each, "name", each),
)
def test_any_field_of_any_row(busy: Desk, table: Table, column: str) -> None:
    with behind_its_back(busy.url) as connection:
        was = everything(connection)
    for row in was[table]:
        with behind_its_back(busy.url) as connection:
            edit = {column: changed(column, row[column])}
            connection.execute(table.update().where(same_row(table, row)).values(**edit))
        refused(busy)
        with behind_its_back(busy.url) as connection:
            put_back(connection, was)
    assert busy.ledger.verify() == 10


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
        busy.ledger.reserve(asking("r7", {"g": 1}))


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


def rewritten(rows: list[dict[str, Any]], **first_row: Any) -> list[dict[str, Any]]:
    """The chain as a careful forger would make it: the first row changed, and every hash after it made good."""
    forged, previous = [], "0" * 64
    for place, row in enumerate(rows):
        fields = {name: row[name] for name in FIELDS} | {"previous": previous}
        entry = Entry(**(fields | first_row if place == 0 else fields))
        previous = entry.head.hash
        forged.append({name: getattr(entry, name) for name in FIELDS} | {"hash": previous})
    return forged


def test_a_chain_made_good_from_an_edit_on_is_not_the_anchored_one(busy: Desk) -> None:
    with behind_its_back(busy.url) as connection:
        was = everything(connection)[ledger]
        put_back(connection, {ledger: rewritten(was, at="2020-01-01T00:00:00+00:00")})
    with pytest.raises(LedgerBroken, match="anchor file"):
        busy.ledger.verify()
    with pytest.raises(LedgerBroken, match="anchor file"):
        busy.ledger.reserve(asking("r7", {"g": 1}))


@pytest.mark.parametrize(
    "forgery",
    [
        {"nano_rho": 1},
        {"cut_total": 1},
        {"project_total": 1},
        {"events": "[]"},
        {"events": "no JSON"},
        {"kind": "release"},
        {"kind": "failed"},
        {"digest": "0" * 64},
        {"refers_to": 1},
        {"seq": 2},
        {"release": "another"},
    ],
    ids=str,
)
def test_a_chain_with_good_hashes_must_also_make_sense(busy: Desk, forgery: dict[str, Any]) -> None:
    with behind_its_back(busy.url) as connection:
        was = everything(connection)[ledger]
        rest = [] if "seq" in forgery else was[1:]
        put_back(connection, {ledger: rewritten([was[0], *rest], **forgery)})
    with pytest.raises(LedgerBroken, match=ROLLED_BACK):
        busy.ledger.reanchor()


def test_a_release_without_a_charge(busy: Desk) -> None:
    """Measurements that no charge has paid for, in a chain whose hashes and digests are all good."""
    with behind_its_back(busy.url) as connection:
        was = everything(connection)[ledger]
        forged = [was[0], was[1] | {"refers_to": None}, *was[2:]]
        put_back(connection, {ledger: rewritten(forged)})
    with pytest.raises(LedgerBroken, match="did not pay for"):
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
    for project in (EXETER, LEEDS):
        desk.projects.create_project(project)
    busy_day(desk)
    for column in table.columns:
        for planted in ("x", b"\xff", 1.5):
            if column.name == "seq" and not isinstance(planted, int):
                continue  # the row number itself is the one thing that has a type
            with behind_its_back(desk.url) as connection:
                was = everything(connection)
                row = was[table][0]
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
                connection.exec_driver_sql(
                    f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = 1",  # noqa: S608
                    (planted,),
                )
            assert row
            refused(desk)
            with behind_its_back(desk.url) as connection:
                put_back(connection, was)
    desk.engine.dispose()
