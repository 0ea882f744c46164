"""Stage files as they are: texts of the columns that the catalogue names, in the order of the file."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets.catalogue import DataSet
from datasets.ingest.database import Database, EngineFailed
from datasets.ingest.manifest import SourceFile
from datasets.ingest.report import Place, Problem
from datasets.ingest.rules import (
    EMPTY_DATA_SET,
    EMPTY_FILE,
    FILE_KIND,
    MALFORMED,
    MISSING_COLUMN,
    NO_FILE,
    REPEATED_COLUMN,
    REPEATED_FILE,
    UNREADABLE_FILE,
    Rule,
)
from datasets.ingest.sql import Sql, listed, name, sql

SHOWN = 5
"""Records of a problem that are shown."""
PLACE = name("?place")
"""Where a record comes from: the number of the file, shifted by FILE_BITS, plus the record's number in it."""
FILE_BITS = 40
REJECTS, REJECTED_SCANS = "rejects", "rejected_scans"


@dataclass(frozen=True, slots=True)
class Staged:
    """A data set's files in scratch tables. texts: column of the files → column of the tables.

    tables, starts (the first "?place" in each) and files are of the paths that could be read.
    """

    data_set: DataSet
    paths: tuple[Path, ...]
    texts: Mapping[str, Sql]
    tables: tuple[Sql, ...]
    starts: Mapping[str, int]
    files: tuple[SourceFile, ...]
    rows: int
    problems: tuple[Problem, ...]

    @property
    def unit(self) -> Sql | None:
        return self.texts[self.data_set.key.unit] if self.data_set.key.unit else None

    @property
    def records(self) -> Sql:
        """A query of all tables together, with "?place"; binds `starts`."""
        table = "SELECT {start}::UBIGINT + rowid AS {place}, * FROM {table}"
        gaps = (Sql(f"${start}") for start in self.starts)
        pairs = zip(gaps, self.tables, strict=True)
        return listed((sql(table, start=g, place=PLACE, table=t) for g, t in pairs), " UNION ALL ")

    def places(self, found: Sequence[int]) -> tuple[Place, ...]:
        return tuple(Place(self.paths[p >> FILE_BITS].name, p & ((1 << FILE_BITS) - 1)) for p in found)

    def drop(self, database: Database) -> None:
        for table in self.tables:
            database.run(sql("DROP TABLE {table}", table=table))


class _Unusable(Exception):
    """A file that cannot be staged; carries the problems, which name no value."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def named_columns(data_set: DataSet) -> tuple[str, ...]:
    """Columns of the source that the catalogue names, each once."""
    bandings = (b.checked_against for v in data_set.own for b in v.bandings)
    named = (data_set.key.unit, *(v.column for v in data_set.own), *bandings)
    return tuple(dict.fromkeys(column for column in named if column))


def stage(database: Database, data_set: DataSet, paths: Sequence[Path]) -> Staged:
    texts = {column: name(f"c{i}") for i, column in enumerate(named_columns(data_set))}
    problems = [] if paths else [Problem(NO_FILE, data_set.id)]
    tables, starts, files, rows = list[Sql](), dict[str, int](), list[SourceFile](), 0
    for i, path in enumerate(paths):
        table = name(f"raw:{data_set.id}:{i}")
        try:
            file = _described(path, data_set, files)
            count = _stage_file(database, data_set, path, table, texts)
        except _Unusable as unusable:
            problems += unusable.problems
        else:
            tables.append(table)
            starts[f"start{i}"] = (i << FILE_BITS) + (1 if path.suffix == ".parquet" else 2)
            files.append(file)
            rows += count
    if problems and {p.rule for p in problems} == {EMPTY_FILE} and not rows:
        problems.append(Problem(EMPTY_DATA_SET, data_set.id))
    return Staged(data_set, tuple(paths), texts, tuple(tables), starts, tuple(files), rows, tuple(problems))


def _problem(rule: Rule, data_set: DataSet, path: Path, about: str | None = None) -> Problem:
    return Problem(rule, data_set.id, about, 1, (Place(path.name),))


def _described(path: Path, data_set: DataSet, before: Sequence[SourceFile]) -> SourceFile:
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise _Unusable(_problem(FILE_KIND, data_set, path))
    try:
        with path.open("rb") as file:
            found = SourceFile(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError:
        raise _Unusable(_problem(UNREADABLE_FILE, data_set, path)) from None
    if any(found.sha256 == other.sha256 for other in before):
        raise _Unusable(_problem(REPEATED_FILE, data_set, path))
    return found


def _stage_file(database: Database, data_set: DataSet, path: Path, table: Sql, texts: Mapping[str, Sql]) -> int:
    try:
        if path.suffix == ".parquet":
            _stage_parquet(database, data_set, path, table, texts)
        else:
            _stage_csv(database, data_set, path, table, texts)
    except EngineFailed as failed:
        places = (Place(path.name, failed.line),)
        raise _Unusable(Problem(MALFORMED, data_set.id, None, 1, places)) from None
    count = int(database.one(sql("SELECT count(*) FROM {table}", table=table)))
    if not count:
        raise _Unusable(_problem(EMPTY_FILE, data_set, path))
    return count


def _stage_parquet(database: Database, data_set: DataSet, path: Path, table: Sql, texts: Mapping[str, Sql]) -> None:
    source = Sql("read_parquet($path, hive_partitioning=false)")
    described = sql("SELECT column_name FROM (DESCRIBE SELECT * FROM {source})", source=source)
    found = [column for (column,) in database.run(described, path=literal(path))]
    _refuse_columns(data_set, path, found)
    shown = listed(_text(name(column), text) for column, text in texts.items())
    create = sql("CREATE TABLE {table} AS SELECT {shown} FROM {source}", table=table, shown=shown, source=source)
    database.run(create, path=literal(path))


def _stage_csv(database: Database, data_set: DataSet, path: Path, table: Sql, texts: Mapping[str, Sql]) -> None:
    header = _header(data_set, path)
    _refuse_columns(data_set, path, header)
    # Columns go by position: names in a header may differ in case only, which DuckDB cannot tell apart.
    # Nothing is detected: DuckDB's sniffer drops lines that do not fit its guess.
    source = sql(
        "read_csv($path, columns=$columns, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
        "nullstr='', encoding='utf-8', strict_mode=true, compression=$compression, hive_partitioning=false, "
        "store_rejects=true, rejects_table=$rejects, rejects_scan=$scans)"
    )
    shown = listed(_text(name(f"f{header.index(column)}"), text) for column, text in texts.items())
    create = sql("CREATE TABLE {table} AS SELECT {shown} FROM {source}", table=table, shown=shown, source=source)
    database.run(
        create,
        path=literal(path),
        columns={f"f{i}": "VARCHAR" for i in range(len(header))},
        compression="gzip" if path.suffix == ".gz" else "none",
        rejects=REJECTS,
        scans=REJECTED_SCANS,
    )
    _refuse_rejects(database, data_set, path)


def _text(column: Sql, text: Sql) -> Sql:
    return sql("nullif({column}::VARCHAR, '') AS {text}", column=column, text=text)


def _refuse_columns(data_set: DataSet, path: Path, found: Sequence[str]) -> None:
    named = named_columns(data_set)
    problems = [_problem(MISSING_COLUMN, data_set, path, c) for c in named if c not in found]
    problems += [_problem(REPEATED_COLUMN, data_set, path, c) for c in named if found.count(c) > 1]
    if problems:
        raise _Unusable(*problems)


def _refuse_rejects(database: Database, data_set: DataSet, path: Path) -> None:
    count = sql("SELECT count(DISTINCT line), list_sort(list(DISTINCT line))[:$shown] FROM {t}", t=name(REJECTS))
    lines, first = database.run(count, shown=SHOWN)[0]
    for table in (REJECTS, REJECTED_SCANS):
        database.run(sql("DROP TABLE {table}", table=name(table)))
    if lines:
        raise _Unusable(Problem(MALFORMED, data_set.id, None, lines, tuple(Place(path.name, n) for n in first)))


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
    raise _Unusable(_problem(rule, data_set, path))


def literal(path: Path) -> str:
    """DuckDB reads a path as a pattern: brackets make each of its signs stand for itself."""
    return re.sub(r"[*?\[]", lambda sign: f"[{sign[0]}]", str(path.absolute()))
