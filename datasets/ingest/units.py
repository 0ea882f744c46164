"""Pseudonyms of the unit of privacy: dense numbers, the same in all data sets of a cut, new in each version."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from datasets.catalogue import DataSet
from datasets.ingest.database import Database, IngestFailed
from datasets.ingest.read import Staged
from datasets.ingest.sql import Sql, listed, name, sql

UNITS = name("units")
"""Its row ids are the pseudonyms."""
UINT32 = 2**32


def number_units(database: Database, staged: Iterable[Staged]) -> Sql:
    """Number the identifiers in the order of a keyed hash whose key nobody keeps; the type that holds the numbers.

    So neither number nor order of the published rows tells anything of identifier or source file.
    """
    columns = [(s.unit, table) for s in staged if s.unit is not None for table in s.tables]
    if not columns:
        return Sql("UINTEGER")
    distinct = "SELECT DISTINCT {text} AS unit FROM {table} WHERE {text} IS NOT NULL"
    every = listed((sql(distinct, text=text, table=table) for text, table in columns), " UNION ")
    create = sql(
        "CREATE TABLE {units} AS SELECT unit FROM ({every}) "
        "ORDER BY ('0x' || left(sha256($key || unit), 16))::UBIGINT, unit",
        units=UNITS,
        every=every,
    )
    database.run(create, key=secrets.token_hex(32))
    count, last = database.run(sql("SELECT count(*), coalesce(max(rowid), -1) FROM {units}", units=UNITS))[0]
    if last != count - 1:
        raise IngestFailed("the identifiers could not be numbered without gaps")
    return Sql("UINTEGER" if count < UINT32 else "UBIGINT")


def row_text(data_set: DataSet, variables: Iterable[str]) -> Sql:
    """Data set, identifier and variables of a row "c" whose unit is "u", as a text that no others have: each part with
    its length before it. Binds $data_set."""
    identifier = [Sql("u.unit")] if data_set.key.unit else []
    parts = [Sql("$data_set::VARCHAR"), *identifier, *(sql("c.{v}::VARCHAR", v=name(v)) for v in variables)]
    return listed((sql("coalesce(length({part}) || ':' || {part}, '-')", part=part) for part in parts), " || ")
