"""Bounded contribution: at most so many rows of a pupil in a period, drawn by a hash whose key is the cut's secret.

A rank depends on the secret and on the pupil's own rows alone: nobody else's presence moves it, so a pupil who is added
or removed changes the published table by the rows that were kept of that pupil and nothing more. (Truncation that looks
at one unit's rows keeps every sensitivity claim; see docs/theorems.md.)
"""

from __future__ import annotations

from datasets.catalogue import DataSet
from datasets.ingest.coding import coded
from datasets.ingest.columns import BOUND_RANK, UNIT, unit_and_period
from datasets.ingest.database import Database
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.staged import PLACE, Staged
from datasets.ingest.units import UNITS, row_text

DRAWN, COPY, RANK = name("?drawn"), name("?copy"), name(BOUND_RANK)
AT_ONCE = 4_000_000
"""Rows that are ranked at a time: what a window holds cannot all go to the disk."""


def rank(database: Database, staged: Staged, secret: str) -> Sql:
    """Rank the rows; a table of those within the bound: "?place" and "bound_rank".

    Only kept rows are published, so that no query can forget to filter. The order is that of a hash over the pupil's
    identifier and all of the row; rows that are alike in all are told apart by a number, since otherwise they would be
    kept or left out together. Two rows of a pupil could only tie if SHA-256 collided in its first 16 bytes.
    """
    data_set = staged.data_set
    drawn, ranks = name(f"drawn:{data_set.id}"), name(f"ranks:{data_set.id}")
    database.run(_draw(staged, drawn), secret=secret, data_set=data_set.id)
    database.run(sql("CREATE TABLE {ranks} ({place} UBIGINT, {rank} USMALLINT)", ranks=ranks, place=PLACE, rank=RANK))
    parts = 1 + database.one(sql("SELECT count(*) FROM {drawn}", drawn=drawn)) // AT_ONCE
    for part in range(parts):
        values = {"secret": secret, "bound": data_set.key.rows_per_period, "parts": parts, "part": part}
        database.run(_keep(data_set, drawn, ranks), **values)
    database.run(sql("DROP TABLE {drawn}", drawn=drawn))
    return ranks


def _draw(staged: Staged, drawn: Sql) -> Sql:
    data_set = staged.data_set
    return sql(
        "CREATE TABLE {table} AS SELECT c.{place}, {keys}, "
        "('0x' || left(sha256($secret || {row}), 32))::UHUGEINT AS {drawn} "
        "FROM {coded} c JOIN {units} u USING ({unit})",
        table=drawn,
        place=PLACE,
        keys=listed(name("c", key) for key in unit_and_period(data_set)),
        row=row_text(data_set, (v.name for v in data_set.own)),
        drawn=DRAWN,
        coded=coded(staged, data_set.own),
        units=UNITS,
        unit=name(UNIT),
    )


def _keep(data_set: DataSet, drawn: Sql, ranks: Sql) -> Sql:
    keys = listed(map(name, unit_and_period(data_set)))
    copies = sql(
        "SELECT *, row_number() OVER (PARTITION BY {keys}, {drawn}) AS {copy} FROM {table} "
        "WHERE {unit} % $parts = $part",
        keys=keys,
        drawn=DRAWN,
        copy=COPY,
        table=drawn,
        unit=name(UNIT),
    )
    again = "('0x' || left(sha256($secret || {drawn}::VARCHAR || '#' || {copy}::VARCHAR), 32))::UHUGEINT"
    return sql(
        "INSERT INTO {ranks} SELECT {place}, {rank} FROM (SELECT {place}, row_number() OVER (PARTITION BY {keys} "
        "ORDER BY CASE WHEN {copy} = 1 THEN {drawn} ELSE {again} END) AS {rank} FROM ({copies})) "
        "WHERE {rank} <= $bound",
        ranks=ranks,
        place=PLACE,
        rank=RANK,
        keys=keys,
        copy=COPY,
        drawn=DRAWN,
        again=sql(again, drawn=DRAWN, copy=COPY),
        copies=copies,
    )
