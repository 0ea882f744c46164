"""Pseudonyms of the unit of privacy: numbers, the same in all data sets and versions of a cut.

The map from identifiers to numbers holds a keyed hash of each identifier, never the identifier. New pupils are numbered
in the order of that hash, so that neither number nor order of the published rows tells anything of identifier or place
in a file; but that one number is below another may tell that its pupil was seen in an earlier file.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from datasets.catalogue import DataSet
from datasets.ingest.database import Database, EngineFailed, IngestFailed, attached, transaction
from datasets.ingest.read import UNIT_TEXT
from datasets.ingest.sql import Sql, listed, name, sql

MAP = "map"
UNITS = name(MAP, "main", "units")
"""hash: UHUGEINT; unit: the number."""
BATCHES, ABOUT = name(MAP, "main", "batches"), name(MAP, "main", "about")
NUMBERED = name("numbered")
"""text, unit: of the identifiers of one file."""
MOST = 2**32
"""Numbers are UINTEGER."""


def secret_id(secret: str) -> str:
    """Tells one secret from another, and nothing of either."""
    return hmac.digest(bytes.fromhex(secret), b"id", "sha256").hex()


@contextmanager
def unit_map(database: Database, path: Path, secret: str) -> Iterator[None]:
    """Attach the map of a cut, as it was kept, or a new one: hashes under another secret are of no use."""
    if path.exists() and not _is_of(database, path, secret):
        for file in (path, path.with_name(f"{path.name}.wal")):
            file.unlink(missing_ok=True)
    with attached(database, MAP, path), _owner_only(path):
        with transaction(database):
            _create(database, secret)
        yield


def _create(database: Database, secret: str) -> None:
    database.run(sql("CREATE TABLE IF NOT EXISTS {t} (hash UHUGEINT NOT NULL, unit UINTEGER NOT NULL)", t=UNITS))
    database.run(sql("CREATE TABLE IF NOT EXISTS {t} (place UINTEGER NOT NULL, id VARCHAR NOT NULL)", t=BATCHES))
    database.run(sql("CREATE TABLE IF NOT EXISTS {t} AS SELECT $id AS secret", t=ABOUT), id=secret_id(secret))


@contextmanager
def _owner_only(path: Path) -> Iterator[None]:
    """What a killed run leaves beside the map has the folder's protection alone, until the next run."""
    path.chmod(0o600)
    try:
        yield
    finally:
        log = path.with_name(f"{path.name}.wal")
        if log.exists():
            log.chmod(0o600)


def _is_of(database: Database, path: Path, secret: str) -> bool:
    try:
        with attached(database, MAP, path):
            # A run that was killed before it made any table leaves none.
            tables = database.one(Sql("SELECT count(*) FROM duckdb_tables() WHERE database_name = $map"), map=MAP)
            found = database.run(sql("SELECT secret FROM {about}", about=ABOUT)) if tables else []
    except EngineFailed:
        remedy = "restore it, or remove it to have all files read and pupils numbered anew"
        raise IngestFailed(f"{path.name} of the cut is damaged: {remedy}") from None
    return found == [(secret_id(secret),)]


def number_units(database: Database, rows: Sql, values: Mapping[str, object], secret: str) -> None:
    """Make the table NUMBERED of the identifiers in `rows`. New ones are in the map, on the disk, before it is used."""
    hashed = name("hashed")
    make = sql(
        "CREATE OR REPLACE TEMP TABLE {hashed} AS SELECT {text} AS text, "
        "('0x' || left(sha256($key || {text}), 32))::UHUGEINT AS hash "
        "FROM (SELECT DISTINCT {text} FROM {rows} WHERE {text} IS NOT NULL)",
        hashed=hashed,
        text=UNIT_TEXT,
        rows=rows,
    )
    database.run(make, key=hmac.digest(bytes.fromhex(secret), b"pseudonyms", "sha256").hex(), **values)
    _extend(database, hashed)
    number = "CREATE OR REPLACE TEMP TABLE {n} AS SELECT text, unit FROM {hashed} JOIN {units} USING (hash)"
    database.run(sql(number, n=NUMBERED, hashed=hashed, units=UNITS))
    database.run(sql("DROP TABLE {hashed}", hashed=hashed))


def _extend(database: Database, hashed: Sql) -> None:
    known = database.one(sql("SELECT count(*) FROM {units}", units=UNITS))
    add = sql(
        "INSERT INTO {units} SELECT hash, {known} + row_number() OVER (ORDER BY hash) - 1 "
        "FROM (SELECT DISTINCT hash FROM {hashed} ANTI JOIN {units} USING (hash))",
        units=UNITS,
        known=Sql(str(int(known))),
        hashed=hashed,
    )
    with transaction(database):
        database.run(add)
        now = database.one(sql("SELECT count(*) FROM {units}", units=UNITS))
        if now > known:
            batch = "INSERT INTO {b} SELECT count(*), $id FROM {b}"
            database.run(sql(batch, b=BATCHES), id=secrets.token_hex(16))
    if now >= MOST:
        raise IngestFailed("there are more pupils than numbers for them")


def last_batch(database: Database) -> str:
    """Up to where the map is known: what is numbered by it holds only together with a map that has this batch."""
    found = database.run(sql("SELECT id FROM {b} ORDER BY place DESC LIMIT 1", b=BATCHES))
    return str(found[0][0]) if found else ""


def has_batch(database: Database, batch: str) -> bool:
    return not batch or bool(database.one(sql("SELECT count(*) FROM {b} WHERE id = $id", b=BATCHES), id=batch))


def row_text(data_set: DataSet, variables: Iterable[str]) -> Sql:
    """Data set, hash of the identifier and variables of a row "c" whose unit is "u", as a text that no others have:
    each part with its length before it. Binds $data_set."""
    identifier = [Sql("u.hash::VARCHAR")] if data_set.key.unit else []
    parts = [Sql("$data_set::VARCHAR"), *identifier, *(sql("c.{v}::VARCHAR", v=name(v)) for v in variables)]
    return listed((sql("coalesce(length({part}) || ':' || {part}, '-')", part=part) for part in parts), " || ")
