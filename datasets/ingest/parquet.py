"""A finished database as Parquet files for Spark: a folder for each data set, and in it one for each time period.

Spark knows no ENUM: a code is stored as its place in the catalogue's list, under the name of its column, and the folder
of a period is named by the place of its code. Spark has no unsigned numbers of 64 bits either: record keys are kept as
the signed number of the same bits. Nothing else is changed: rows, columns and their order are those of the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from datasets.catalogue import DataSet
from datasets.ingest.database import LOCKED_DOWN, Database, IngestFailed
from datasets.ingest.folder import PARQUET
from datasets.ingest.manifest import SourceFile
from datasets.ingest.published import sha256
from datasets.ingest.read import literal
from datasets.ingest.sql import Sql, listed, name, sql

FILE = "part.parquet"
WIDER = {"UTINYINT": "INTEGER", "USMALLINT": "INTEGER", "UINTEGER": "BIGINT"}
BITS = "CASE WHEN {x} < 9223372036854775808 THEN {x}::BIGINT ELSE ({x} - 18446744073709551616::HUGEINT)::BIGINT END"


def write_parquet(
    database: Path, data_set: DataSet, version: Path, memory_limit: str, threads: int
) -> tuple[SourceFile, ...]:
    """Write the data set's files under `version`, and read them again; each by its name from there.

    There is a file for every period, also where it has no row: so each folder says what its columns are.
    """
    folder = version / PARQUET / data_set.id
    with _opened(database, memory_limit, threads) as opened:
        columns = _columns(opened, data_set)
        paths = [_write(opened, data_set, columns, folder, period) for period in _periods(data_set)]
        stored = _digest(opened, _stored(data_set, columns), columns)
        written = _digest(opened, _written(data_set, columns), columns, paths=[literal(path) for path in paths])
        if stored != written:
            raise IngestFailed(f"the Parquet files that were written are not as meant: data set {data_set.id}")
    return tuple(SourceFile(str(p.relative_to(version)), p.stat().st_size, sha256(p)) for p in paths)


@contextmanager
def _opened(path: Path, memory_limit: str, threads: int) -> Iterator[Database]:
    config: dict[str, str | bool | int | float | list[str]] = {
        **LOCKED_DOWN,
        "memory_limit": memory_limit,
        "threads": str(threads),
        "temp_directory": "",
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        opened = Database(connection)
        opened.run(sql("ATTACH $path AS cut (READ_ONLY)"), path=str(path))
        yield opened


def _columns(opened: Database, data_set: DataSet) -> dict[str, Sql]:
    """What is stored for each column: whole numbers that Spark has."""
    described = opened.run(sql("DESCRIBE {table}", table=_table(data_set)))
    return {column: _plain(name(column), type_) for column, type_, *_ in described}


def _plain(column: Sql, type_: str) -> Sql:
    if type_.startswith("ENUM"):
        return sql("enum_code({x})::INTEGER", x=column)
    if type_ == "UBIGINT":
        return sql(BITS, x=column)
    return sql("{x}::{type}", x=column, type=Sql(WIDER[type_])) if type_ in WIDER else column


def _periods(data_set: DataSet) -> Iterable[int | None]:
    return range(len(data_set.time.atoms)) if data_set.time else (None,)


def _write(opened: Database, data_set: DataSet, columns: dict[str, Sql], folder: Path, period: int | None) -> Path:
    """In the order of the table, which is by time first."""
    time = data_set.time.name if data_set.time else None
    home = folder if period is None else folder / f"{time}={period}"
    home.mkdir(mode=0o700, parents=True)
    rows = _stored(data_set, {column: shown for column, shown in columns.items() if column != time})
    if period is not None and time is not None:
        rows = sql("{rows} WHERE {time} = {n}", rows=rows, time=columns[time], n=Sql(str(period)))
    copy = "COPY ({rows}) TO {path} (FORMAT parquet, COMPRESSION zstd)"
    opened.run(sql(copy, rows=rows, path=_text(home / FILE)))
    return home / FILE


def _stored(data_set: DataSet, columns: dict[str, Sql]) -> Sql:
    shown = listed(sql("{shown} AS {column}", shown=shown, column=name(column)) for column, shown in columns.items())
    return sql("SELECT {shown} FROM {table}", shown=shown, table=_table(data_set))


def _written(data_set: DataSet, columns: dict[str, Sql]) -> Sql:
    files = "SELECT {shown} FROM read_parquet($paths, hive_partitioning = {parts}, hive_types_autocast = true)"
    return sql(files, shown=listed(map(name, columns)), parts=Sql("true" if data_set.time else "false"))


def _digest(opened: Database, rows: Sql, columns: dict[str, Sql], **values: object) -> object:
    """Of all rows, whatever their order."""
    each = listed(sql("{column}::BIGINT", column=name(column)) for column in columns)
    counted = sql("SELECT count(*), sum(hash({each})::HUGEINT) FROM ({rows})", each=each, rows=rows)
    return opened.run(counted, **values)


def _table(data_set: DataSet) -> Sql:
    return name("cut", "main", data_set.id)


def _text(path: Path) -> Sql:
    return Sql("'" + str(path).replace("'", "''") + "'")
