"""Files as they are: texts of the columns that the catalogue names, and the number of each record."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.catalogue import DataSet
from datasets.ingest.database import Database, EngineFailed
from datasets.ingest.manifest import SourceFile
from datasets.ingest.report import Place, Problem
from datasets.ingest.rules import (
    EMPTY_FILE,
    FILE_KIND,
    MALFORMED,
    MISSING_COLUMN,
    REPEATED_COLUMN,
    REPEATED_FILE,
    UNIT_TYPE,
    UNREADABLE_FILE,
    Rule,
)
from datasets.ingest.sql import Sql, listed, name, sql

SHOWN = 5
"""Records of a problem that are shown."""
RECORD, UNIT_TEXT = name("?record"), name("?unit")
REJECTS, REJECTED_SCANS = "rejects", "rejected_scans"
FLOATING = re.compile(r"FLOAT|DOUBLE|DECIMAL\(\d+,[1-9]")
"""Types of DuckDB whose whole numbers are written with a point."""
ROW_NUMBER = "file_row_number"
"""A column that DuckDB can add to those of a Parquet file."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Records of a file, as a query that binds `values`. Columns: "?record", the number of the record that reports
    show; "?unit", the identifier, where the data set has one; and a text for each of `part_columns`, NULL if empty."""

    rows: Sql
    values: Mapping[str, object]


class Unusable(Exception):
    """A file that cannot be read; carries the problems, which name no value."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def named_columns(data_set: DataSet) -> tuple[str, ...]:
    """Columns of the source that the catalogue names, each once."""
    unit = [data_set.key.unit] if data_set.key.unit else []
    return tuple(dict.fromkeys([*unit, *part_columns(data_set)]))


def part_columns(data_set: DataSet) -> dict[str, Sql]:
    """Column of the source → name of its texts, of all that is kept of a file beside the unit's number."""
    bandings = (b.checked_against for v in data_set.own for b in v.bandings)
    named = (*(v.column for v in data_set.own), *bandings)
    return {column: name(f"c{i}") for i, column in enumerate(dict.fromkeys(c for c in named if c))}


def described(path: Path, data_set: DataSet, before: Iterable[SourceFile]) -> SourceFile:
    """What is known of a file before its records are read; raises Unusable."""
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise Unusable(_problem(FILE_KIND, data_set, path))
    try:
        with path.open("rb") as file:
            found = SourceFile(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError:
        raise Unusable(_problem(UNREADABLE_FILE, data_set, path)) from None
    if any(found.sha256 == other.sha256 for other in before):
        raise Unusable(_problem(REPEATED_FILE, data_set, path))
    return found


def state(path: Path) -> tuple[int, int, int] | None:
    """Differs once a file is written or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def raw_rows(database: Database, data_set: DataSet, path: Path) -> Iterator[Raw]:
    """The records of a file; raises Unusable at once, or later from any statement that reads them."""
    try:
        with _parquet(database, data_set, path) if path.suffix == ".parquet" else _csv(database, data_set, path) as raw:
            yield raw
    except EngineFailed as failed:
        places = (Place(path.name, failed.line),)
        raise Unusable(Problem(MALFORMED, data_set.id, None, 1, places)) from None


def empty_file(data_set: DataSet, path: Path) -> Unusable:
    return Unusable(_problem(EMPTY_FILE, data_set, path))


def _problem(rule: Rule, data_set: DataSet, path: Path, about: str | None = None) -> Problem:
    return Problem(rule, data_set.id, about, 1, (Place(path.name),))


@contextmanager
def _parquet(database: Database, data_set: DataSet, path: Path) -> Iterator[Raw]:
    """Read where it is: in one pass over its columns."""
    source, values = Sql("read_parquet($path, hive_partitioning=false)"), {"path": literal(path)}
    describe = sql("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {source})", source=source)
    types = database.run(describe, **values)
    found = [column for column, _ in types]
    _refuse_columns(data_set, path, found)
    if any(column == data_set.key.unit and FLOATING.match(kind) for column, kind in types):
        raise Unusable(_problem(UNIT_TYPE, data_set, path, data_set.key.unit))
    shown = _texts(data_set, name)
    if ROW_NUMBER in (column.lower() for column in found):
        with _copied(database, source, shown, 1, values) as raw:
            yield raw
    else:
        numbered = sql("SELECT {n} + 1 AS {record}, {shown} FROM ", n=name(ROW_NUMBER), record=RECORD, shown=shown)
        source = Sql("read_parquet($path, hive_partitioning=false, file_row_number=true)")
        yield Raw(Sql(f"({numbered.text}{source.text})"), values)


@contextmanager
def _csv(database: Database, data_set: DataSet, path: Path) -> Iterator[Raw]:
    header = _header(data_set, path)
    _refuse_columns(data_set, path, header)
    # Columns go by position: names in a header may differ in case only, which DuckDB cannot tell apart.
    # Nothing is detected: DuckDB's sniffer drops lines that do not fit its guess.
    source = sql(
        "read_csv($path, columns=$columns, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
        "nullstr='', encoding='utf-8', strict_mode=true, compression=$compression, hive_partitioning=false, "
        "store_rejects=true, rejects_table=$rejects, rejects_scan=$scans)"
    )
    values = {
        "path": literal(path),
        "columns": {f"f{i}": "VARCHAR" for i in range(len(header))},
        "compression": "gzip" if path.suffix == ".gz" else "none",
        "rejects": REJECTS,
        "scans": REJECTED_SCANS,
    }
    shown = _texts(data_set, lambda column: name(f"f{header.index(column)}"))
    with _copied(database, source, shown, 2, values) as raw:
        _refuse_rejects(database, data_set, path)
        yield raw


@contextmanager
def _copied(database: Database, source: Sql, shown: Sql, first: int, values: Mapping[str, object]) -> Iterator[Raw]:
    """Records are numbered as the rows of a table, which was filled in the order of the file."""
    table = name("raw")
    database.run(sql("CREATE TABLE {t} AS SELECT {shown} FROM {source}", t=table, shown=shown, source=source), **values)
    rows = sql("(SELECT rowid + {first} AS {record}, * FROM {t})", first=Sql(str(first)), record=RECORD, t=table)
    try:
        yield Raw(rows, {})
    finally:
        database.run(sql("DROP TABLE {t}", t=table))


def _texts(data_set: DataSet, found: Callable[[str], Sql]) -> Sql:
    wanted = part_columns(data_set).items()
    text = "nullif({column}::VARCHAR, '') AS {text}"
    shown = [sql(text, column=found(column), text=called) for column, called in wanted]
    if data_set.key.unit is not None:
        # One pupil whatever blanks stand around the identifier: two would be more than the noise is made for.
        text = "nullif(trim({column}::VARCHAR, e' \\t\\r\\n'), '') AS {text}"
        shown.append(sql(text, column=found(data_set.key.unit), text=UNIT_TEXT))
    return listed(shown)


def _refuse_columns(data_set: DataSet, path: Path, found: Sequence[str]) -> None:
    named = named_columns(data_set)
    problems = [_problem(MISSING_COLUMN, data_set, path, c) for c in named if c not in found]
    problems += [_problem(REPEATED_COLUMN, data_set, path, c) for c in named if found.count(c) > 1]
    if problems:
        raise Unusable(*problems)


def _refuse_rejects(database: Database, data_set: DataSet, path: Path) -> None:
    count = sql("SELECT count(DISTINCT line), list_sort(list(DISTINCT line))[:$shown] FROM {t}", t=name(REJECTS))
    lines, first = database.run(count, shown=SHOWN)[0]
    for table in (REJECTS, REJECTED_SCANS):
        database.run(sql("DROP TABLE {table}", table=name(table)))
    if lines:
        raise Unusable(Problem(MALFORMED, data_set.id, None, lines, tuple(Place(path.name, n) for n in first)))


def _header(data_set: DataSet, path: Path) -> list[str]:
    """Bad bytes beyond the header are let through, which Python decodes too: DuckDB can tell their lines."""
    rule = MALFORMED
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            header = next(csv.reader(lines, strict=True), [])
        "".join(header).encode()
        if header:
            return header
        rule = EMPTY_FILE
    except (csv.Error, EOFError, OSError, UnicodeEncodeError, zlib.error):
        # These carry bytes of the file.
        pass
    raise Unusable(_problem(rule, data_set, path))


def literal(path: Path) -> str:
    """DuckDB reads a path as a pattern: brackets make each of its signs stand for itself."""
    return re.sub(r"[*?\[]", lambda sign: f"[{sign[0]}]", str(path.absolute()))
