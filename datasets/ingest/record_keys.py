"""Record keys: a number of 64 bits for each row, which the cell key method sums over the rows of a cell.

A key is the first 8 bytes of HMAC-SHA256 (RFC 2104) under a key that is derived from the cut's secret. Whoever does not
know the secret cannot tell the keys from uniform random numbers, as far as HMAC-SHA256 is a pseudorandom function.

What is hashed is what tells a row from all others: data set, the hash of the pupil's identifier (see `units`), time and
`also`, where the key of the data set is unique. So a record has the same key in every version of the cut, even if other
values of it are corrected, and a cell whose records stayed is perturbed as before. Where the key is not unique, all
variables are hashed, and rows alike in all of them are numbered: 1, 2, … Which of them has which number makes no
difference, since they are alike.

No text of a row is that of a further copy: the first begins with a number and ":", the second with a number and "#".
"""

from __future__ import annotations

import hmac

from datasets.catalogue import DataSet
from datasets.ingest.columns import RECORD_KEY, UNIT
from datasets.ingest.database import Database
from datasets.ingest.ranks import AT_ONCE
from datasets.ingest.sql import Sql, name, sql
from datasets.ingest.staged import PLACE
from datasets.ingest.units import UNITS, row_text

BLOCK = 64
"""Bytes that SHA-256 takes at a time."""
KEY, REST, COPY = name(RECORD_KEY), name("?rest"), name("?copy")
"""The first 8 bytes, the next 8, and the number among rows that are alike."""


def keyed(database: Database, data_set: DataSet, rows: Sql, secret: str) -> Sql:
    """Keys of `rows`, which are all that is published of the data set: a table of "?place" and "record_key"."""
    keys, pads = name(f"keys:{data_set.id}"), _pads(secret)
    database.run(_draw(data_set, rows, keys), **pads, data_set=data_set.id)
    return keys if data_set.key.is_unique else _told_apart(database, data_set, keys, pads)


def _pads(secret: str) -> dict[str, bytes]:
    """The two paddings of HMAC's key. The key is not the secret itself, with which ranks are drawn."""
    key = hmac.digest(bytes.fromhex(secret), b"record keys", "sha256").ljust(BLOCK, b"\0")
    return {"inner": bytes(b ^ 0x36 for b in key), "outer": bytes(b ^ 0x5C for b in key)}


def _hmac(text: Sql) -> Sql:
    """In hexadecimal digits. DuckDB's sha256 takes bytes and gives digits."""
    return sql("sha256($outer || unhex(sha256($inner || encode({text}))))", text=text)


def _draw(data_set: DataSet, rows: Sql, keys: Sql) -> Sql:
    key = data_set.key
    told_apart = [*filter(None, [key.time]), *key.also] if key.is_unique else [v.name for v in data_set.own]
    units = sql("JOIN {units} u USING ({unit})", units=UNITS, unit=name(UNIT)) if key.unit else Sql("")
    return sql(
        "CREATE TABLE {keys} AS SELECT {place}, ('0x' || left(digits, 16))::UBIGINT AS {key}, "
        "('0x' || digits[17:32])::UBIGINT AS {rest} FROM (SELECT c.{place}, {hash} AS digits FROM {rows} c {units})",
        keys=keys,
        place=PLACE,
        key=KEY,
        rest=REST,
        hash=_hmac(row_text(data_set, told_apart)),
        rows=rows,
        units=units,
    )


def _told_apart(database: Database, data_set: DataSet, drawn: Sql, pads: dict[str, bytes]) -> Sql:
    """Rows that are alike have been drawn alike, and are of one part."""
    keys = name(f"keys of copies:{data_set.id}")
    database.run(sql("CREATE TABLE {keys} ({place} UBIGINT, {key} UBIGINT)", keys=keys, place=PLACE, key=KEY))
    parts = 1 + database.one(sql("SELECT count(*) FROM {drawn}", drawn=drawn)) // AT_ONCE
    for part in range(parts):
        database.run(_number_copies(drawn, keys), **pads, parts=parts, part=part)
    database.run(sql("DROP TABLE {drawn}", drawn=drawn))
    return keys


def _number_copies(drawn: Sql, keys: Sql) -> Sql:
    text = sql("{key} || '#' || {rest} || '#' || {copy}", key=KEY, rest=REST, copy=COPY)
    return sql(
        "INSERT INTO {keys} SELECT {place}, CASE WHEN {copy} = 1 THEN {key} "
        "ELSE ('0x' || left({again}, 16))::UBIGINT END FROM (SELECT *, row_number() OVER (PARTITION BY {key}, {rest}) "
        "AS {copy} FROM {drawn} WHERE {rest} % $parts = $part)",
        keys=keys,
        place=PLACE,
        key=KEY,
        rest=REST,
        copy=COPY,
        again=_hmac(text),
        drawn=drawn,
    )
