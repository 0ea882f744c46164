"""The published database: one table per data set, sorted, and verified once it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from datasets.catalogue import Catalogue, DataSet
from datasets.ingest.coding import coded_table
from datasets.ingest.columns import UNIT, Column, stored_columns
from datasets.ingest.database import Database, IngestFailed, read_only
from datasets.ingest.sql import Sql, listed, name, sql


def write(database: Database, data_set: DataSet) -> None:
    """Sorted by time and `sort_by`, then by the unit's pseudonym, so that the order of the files is gone."""
    unit = _unit(data_set)
    time = [data_set.time.name] if data_set.time else []
    order = list(dict.fromkeys([*time, *data_set.sort_by, *unit]))
    create = sql(
        "CREATE TABLE {table} AS SELECT {shown} FROM {coded} {order}",
        table=name("cut", "main", data_set.id),
        shown=listed(name(column) for column in [*unit, *(c.name for c in stored_columns(data_set))]),
        coded=coded_table(data_set),
        order=sql("ORDER BY {keys}", keys=listed(map(name, order))) if order else Sql(""),
    )
    database.run(create)
    database.run(sql("DROP TABLE {coded}", coded=coded_table(data_set)))


def finish(database: Database) -> None:
    database.run(Sql("CHECKPOINT cut"))
    database.run(Sql("DETACH cut"))


def verify(path: Path, catalogue: Catalogue, rows: Mapping[str, int]) -> None:
    """Read the closed file as the service will: rows, columns and order of codes are as meant, or IngestFailed."""
    with read_only(path) as database:
        for data_set in catalogue.data_sets:
            if not _as_meant(database, data_set, rows[data_set.id]):
                raise IngestFailed(f"the database that was written is not as meant: data set {data_set.id}")


def _as_meant(database: Database, data_set: DataSet, rows: int) -> bool:
    table, stored = name(data_set.id), stored_columns(data_set)
    names = [column for (column, *_) in database.run(sql("DESCRIBE {table}", table=table))]
    meant = [*_unit(data_set), *(column.name for column in stored)]
    return names == meant and _full(database, data_set, rows) and all(_ordered(database, table, c) for c in stored)


def _full(database: Database, data_set: DataSet, rows: int) -> bool:
    """Every row is there, and has a unit and a code of each category."""
    never_null = [*_unit(data_set), *(v.name for v in data_set.variables if v.numbers is None)]
    counts = listed([Sql("count(*)"), *(sql("count({column})", column=name(column)) for column in never_null)])
    found = database.run(sql("SELECT {counts} FROM {table}", counts=counts, table=name(data_set.id)))[0]
    return set(found) == {rows}


def _ordered(database: Database, table: Sql, column: Column) -> bool:
    """The place of a code in its ENUM is its place in the catalogue: engines count by it."""
    if column.codes is None:
        return True
    members = sql("SELECT enum_range({column}) FROM {table} LIMIT 1", column=name(column.name), table=table)
    return tuple(database.one(members)) == column.codes


def _unit(data_set: DataSet) -> list[str]:
    return [UNIT] if data_set.key.unit else []
