"""Parts: each file of the source as it was read, once. What its texts mean is not in it, so a part serves every
version of the cut, whatever becomes of codes, bandings or ranges; an amended file is another file, with another part.

A part is a database of its own. "rows": "?record", "unit" and the texts of `read.part_columns`; "texts": how many
records have each text of each column; "about": one row, which is written last.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datasets.catalogue import DataSet
from datasets.ingest.columns import UNIT
from datasets.ingest.database import Database, EngineFailed, IngestFailed, attached
from datasets.ingest.folder import Build
from datasets.ingest.manifest import SourceFile
from datasets.ingest.read import RECORD, UNIT_TEXT, empty_file, part_columns, raw_rows, state
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.units import NUMBERED, has_batch, last_batch, number_units, secret_id

FORMAT = 2
"""Of parts; to be raised with any change in what is in them."""
MAKING = "part"


@dataclass(frozen=True, slots=True)
class Part:
    """alias: what it is attached as. id: drawn when it was made. key: the name of its file, see `key_of`."""

    alias: str
    key: str
    id: str
    rows: int

    def table(self, called: str) -> Sql:
        return name(self.alias, "main", called)


def key_of(file: SourceFile, data_set: DataSet, secret: str) -> str:
    """Of all that a part is made of, and of nothing else."""
    kind = "parquet" if file.name.endswith(".parquet") else file.name.endswith(".gz")
    made_of = [FORMAT, file.sha256, kind, data_set.key.unit, [*part_columns(data_set)], secret_id(secret)]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def kept_part(database: Database, build: Build, key: str, alias: str) -> Part | None:
    """A part that an earlier run made, attached as `alias`; None where it is not there, or not of this map of units."""
    path = part_path(build.parts, key)
    if not path.exists():
        return None
    try:
        database.run(sql("ATTACH $path AS {alias} (READ_ONLY)", alias=name(alias)), path=str(path))
        ((drawn, batch, rows),) = database.run(sql("SELECT id, batch, rows FROM {t}", t=name(alias, "main", "about")))
    except EngineFailed:
        return None
    if not has_batch(database, batch):
        database.run(sql("DETACH {alias}", alias=name(alias)))
        return None
    return Part(alias, key, drawn, rows)


def part_path(folder: Path, key: str) -> Path:
    return folder / f"{key}.duckdb"


def make_part(
    database: Database, build: Build, data_set: DataSet, path: Path, key: str, alias: str, secret: str, before: object
) -> Part:
    """Read the file into a part, which outlives this run whatever becomes of it; raises Unusable. before: its state
    when its key was not yet computed: what is read must be what the key is of."""
    draft = build.path / f"{MAKING}.duckdb"
    draft.unlink(missing_ok=True)
    with raw_rows(database, data_set, path) as raw, attached(database, MAKING, draft):
        if data_set.key.unit is not None:
            number_units(database, raw.rows, raw.values, secret)
        _copy(database, data_set, raw.rows, raw.values)
        rows = database.one(sql("SELECT count(*) FROM {t}", t=_making("rows")))
        _count_texts(database, data_set)
        about = sql("CREATE TABLE {t} AS SELECT $id AS id, $batch AS batch, $rows::UBIGINT AS rows", t=_making("about"))
        database.run(about, id=secrets.token_hex(16), batch=last_batch(database), rows=rows)
    if state(path) != before:
        raise IngestFailed(f"{path.name} changed while it was read: give it again once it is whole")
    if not rows:
        raise empty_file(data_set, path)
    build.keep(draft, part_path(build.parts, key))
    made = kept_part(database, build, key, alias)
    if made is None:
        raise EngineFailed("a part that was just written cannot be read")
    return made


def _making(table: str) -> Sql:
    return name(MAKING, "main", table)


def _copy(database: Database, data_set: DataSet, rows: Sql, values: Mapping[str, object]) -> None:
    texts = [sql("raw.{text}", text=text) for text in part_columns(data_set).values()]
    unit, join = Sql("NULL::UINTEGER"), Sql("")
    if data_set.key.unit is not None:
        unit = Sql("units.unit")
        join = sql("LEFT JOIN {numbered} units ON raw.{text} = units.text", numbered=NUMBERED, text=UNIT_TEXT)
    make = sql(
        "CREATE TABLE {table} AS SELECT raw.{record}::UBIGINT AS {record}, {unit} AS {called}, {texts} "
        "FROM {rows} raw {join}",
        table=_making("rows"),
        record=RECORD,
        unit=unit,
        called=name(UNIT),
        texts=listed(texts),
        rows=rows,
        join=join,
    )
    database.run(make, **values)


def _count_texts(database: Database, data_set: DataSet) -> None:
    """Text NULL stands for empty values."""
    texts = _making("texts")
    database.run(sql("CREATE TABLE {t} (place USMALLINT, text VARCHAR, records UBIGINT)", t=texts))
    count = "INSERT INTO {t} SELECT {i}, {text}, count(*) FROM {rows} GROUP BY {text}"
    for i, text in enumerate(part_columns(data_set).values()):
        database.run(sql(count, t=texts, i=Sql(str(i)), text=text, rows=_making("rows")))
