"""The published database: one table per data set, sorted, and verified once it is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets.catalogue import Catalogue, DataSet
from datasets.ingest.coding import coded_table
from datasets.ingest.columns import BOUND_RANK, RECORD_KEY, UNIT, Column, columns, stored_columns, unit_and_period
from datasets.ingest.database import Database, IngestFailed, read_only
from datasets.ingest.derived import derived
from datasets.ingest.links import linked
from datasets.ingest.ranks import rank
from datasets.ingest.record_keys import keyed
from datasets.ingest.sql import Sql, listed, name, sql


def write(database: Database, data_set: DataSet, sets: Mapping[str, DataSet], secret: str) -> None:
    """Sorted by time and `sort_by`, then by the unit's pseudonym, so that the order of the files is gone.

    Those that it links to must be written.
    """
    time = [data_set.time.name] if data_set.time else []
    order = list(dict.fromkeys([*time, *data_set.sort_by, *_unit(data_set)]))
    rows, values = linked(data_set, sets, _rows(database, data_set, secret), published)
    create = sql(
        "CREATE TABLE {table} AS SELECT {shown} FROM {rows} {order}",
        table=published(data_set.id),
        shown=listed(_stored(data_set)),
        rows=derived(database, data_set, rows),
        order=sql("ORDER BY {keys}", keys=listed(map(name, order))) if order else Sql(""),
    )
    database.run(create, **values)
    database.run(sql("DROP TABLE {coded}", coded=coded_table(data_set)))


def published(data_set: str) -> Sql:
    return name("cut", "main", data_set)


def in_order(data_sets: Sequence[DataSet]) -> list[DataSet]:
    """Each after those that it links to; the catalogue has no circles."""
    done: dict[str, DataSet] = {}
    while len(done) < len(data_sets):
        done |= {d.id: d for d in data_sets if d.id not in done and all(link.to in done for link in d.links)}
    return list(done.values())


def _stored(data_set: DataSet) -> list[Sql]:
    """Columns in the types that they are stored in: linked and derived ones are computed in others."""
    types = {c.name: c.type for v in data_set.variables if not v.is_own for c in columns(data_set, v)}
    return [
        sql("{c}::{type} AS {c}", c=name(column), type=types[column]) if column in types else name(column)
        for column in _columns(data_set)
    ]


def _rows(database: Database, data_set: DataSet, secret: str) -> Sql:
    """Those that are published, with the columns that the secret makes."""
    rows = coded_table(data_set)
    if data_set.key.bounded:
        rows = sql("({kept})", kept=rank(database, data_set, secret))
    if data_set.record_keys:
        rows = sql("({keyed})", keyed=keyed(database, data_set, rows, secret))
    return rows


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
    whole = names == _columns(data_set) and _full(database, data_set, rows) and _bounded(database, data_set)
    return whole and all(_ordered(database, table, c) for c in stored)


def _full(database: Database, data_set: DataSet, rows: int) -> bool:
    """Every row is there, and has a unit, a code of each category, and a record key if there are any."""
    categories = (v.name for v in data_set.variables if v.numbers is None)
    never_null = [*_unit(data_set), *categories, *_record_key(data_set)]
    counts = listed([Sql("count(*)"), *(sql("count({column})", column=name(column)) for column in never_null)])
    found = database.run(sql("SELECT {counts} FROM {table}", counts=counts, table=name(data_set.id)))[0]
    return set(found) == {rows}


def _bounded(database: Database, data_set: DataSet) -> bool:
    """No pupil has more rows in a period than the key says: the claim that all noise rests on."""
    if not data_set.key.bounded:
        return True
    keys = listed(map(name, unit_and_period(data_set)))
    count = sql("SELECT count(*) AS n FROM {table} GROUP BY {keys}", table=name(data_set.id), keys=keys)
    most = database.one(sql("SELECT coalesce(max(n), 0) FROM ({count})", count=count))
    return bool(most <= data_set.key.rows_per_period)


def _ordered(database: Database, table: Sql, column: Column) -> bool:
    """The place of a code in its ENUM is its place in the catalogue: engines count by it."""
    if column.codes is None:
        return True
    members = sql("SELECT enum_range({column}) FROM {table} LIMIT 1", column=name(column.name), table=table)
    return tuple(database.one(members)) == column.codes


def _columns(data_set: DataSet) -> list[str]:
    rank = [BOUND_RANK] if data_set.key.bounded else []
    return [*_unit(data_set), *(c.name for c in stored_columns(data_set)), *rank, *_record_key(data_set)]


def _record_key(data_set: DataSet) -> list[str]:
    return [RECORD_KEY] if data_set.record_keys else []


def _unit(data_set: DataSet) -> list[str]:
    return [UNIT] if data_set.key.unit else []
