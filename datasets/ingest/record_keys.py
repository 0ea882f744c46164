"""Record keys: a number of 64 bits for each row, which the cell key method sums over the rows of a cell.

A key is the first 8 bytes of HMAC-SHA256 (RFC 2104) under a key that is derived from the cut's secret. Whoever does not
know the secret cannot tell the keys from uniform random numbers, as far as HMAC-SHA256 is a pseudorandom function.

What is hashed is what tells a row from all others: data set, pupil's identifier, time and `also`, where the key of the
data set is unique. So a record has the same key in every version of the cut, even if other values of it are corrected,
and a cell whose records stayed is perturbed as before. Where the key is not unique, all variables are hashed, and rows
alike in all of them are numbered: 1, 2, … Which of them has which number makes no difference, since they are alike.

No text of a row is that of a further copy: the first begins with a length and ":", the second with a number and "#".
"""

from __future__ import annotations

import hmac

from datasets.catalogue import DataSet
from datasets.ingest.columns import RECORD_KEY, UNIT
from datasets.ingest.database import Database
from datasets.ingest.ranks import AT_ONCE
from datasets.ingest.read import PLACE
from datasets.ingest.sql import Sql, name, sql
from datasets.ingest.units import UNITS, row_text

BLOCK = 64
"""Bytes that SHA-256 takes at a time."""
DRAWN, COPY, KEY = name("?drawn"), name("?copy"), name(RECORD_KEY)


def keyed(database: Database, data_set: DataSet, rows: Sql, secret: str) -> Sql:
    """`rows`, which are all that is published of the data set, with "record_key"; as a query."""
    drawn, keys, pads = name(f"drawn keys:{data_set.id}"), name(f"keys:{data_set.id}"), _pads(secret)
    database.run(_draw(data_set, rows, drawn), **pads, data_set=data_set.id)
    database.run(sql("CREATE TABLE {keys} ({place} UBIGINT, {key} UBIGINT)", keys=keys, place=PLACE, key=KEY))
    if data_set.key.is_unique:
        database.run(_insert(keys, sql("SELECT *, 1 AS {copy} FROM {drawn}", copy=COPY, drawn=drawn)), **pads)
    else:
        parts = 1 + database.one(sql("SELECT count(*) FROM {drawn}", drawn=drawn)) // AT_ONCE
        for part in range(parts):
            database.run(_insert(keys, _copies(drawn)), **pads, parts=parts, part=part)
    database.run(sql("DROP TABLE {drawn}", drawn=drawn))
    return sql("SELECT * FROM {rows} JOIN {keys} USING ({place})", rows=rows, keys=keys, place=PLACE)


def _pads(secret: str) -> dict[str, bytes]:
    """The two paddings of HMAC's key. The key is not the secret itself, with which ranks are drawn."""
    key = hmac.digest(bytes.fromhex(secret), b"record keys", "sha256").ljust(BLOCK, b"\0")
    return {"inner": bytes(b ^ 0x36 for b in key), "outer": bytes(b ^ 0x5C for b in key)}


def _hmac(text: Sql) -> Sql:
    """In hexadecimal digits. DuckDB's sha256 takes bytes and gives digits."""
    return sql("sha256($outer || unhex(sha256($inner || encode({text}))))", text=text)


def _draw(data_set: DataSet, rows: Sql, drawn: Sql) -> Sql:
    key = data_set.key
    told_apart = [*filter(None, [key.time]), *key.also] if key.is_unique else [v.name for v in data_set.variables]
    units = sql("JOIN {units} u ON c.{unit} = u.rowid", units=UNITS, unit=name(UNIT)) if key.unit else Sql("")
    return sql(
        "CREATE TABLE {table} AS SELECT c.{place}, ('0x' || left({hash}, 32))::UHUGEINT AS {drawn} "
        "FROM {rows} c {units}",
        table=drawn,
        place=PLACE,
        hash=_hmac(row_text(data_set, told_apart)),
        drawn=DRAWN,
        rows=rows,
        units=units,
    )


def _copies(drawn: Sql) -> Sql:
    """Rows that are alike have been drawn alike, and are of one part."""
    return sql(
        "SELECT *, row_number() OVER (PARTITION BY {drawn}) AS {copy} FROM {table} "
        "WHERE {drawn} % $parts::UHUGEINT = $part::UHUGEINT",
        drawn=DRAWN,
        copy=COPY,
        table=drawn,
    )


def _insert(keys: Sql, copies: Sql) -> Sql:
    return sql(
        "INSERT INTO {keys} SELECT {place}, CASE WHEN {copy} = 1 THEN ({drawn} >> 64)::UBIGINT "
        "ELSE ('0x' || left({again}, 16))::UBIGINT END FROM ({copies})",
        keys=keys,
        place=PLACE,
        copy=COPY,
        drawn=DRAWN,
        again=_hmac(sql("{drawn}::VARCHAR || '#' || {copy}::VARCHAR", drawn=DRAWN, copy=COPY)),
        copies=copies,
    )
