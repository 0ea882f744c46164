"""Whether each file says of itself, in its own metadata, that it is synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

SAYS = (b"provenance", b"synthetic")
_QUERY = """SELECT count(*) FROM parquet_kv_metadata(?) WHERE key = ?::BLOB AND value = ?::BLOB"""


def unmarked(folder: Path, names: Sequence[str]) -> list[str]:
    """Of these Parquet files, those that do not, or cannot be read."""
    with duckdb.connect() as connection:
        return [name for name in names if not _says(connection, folder / name)]


def _says(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    try:
        row = connection.execute(_QUERY, [str(path), *SAYS]).fetchone()
    except duckdb.Error:
        return False
    return bool(row and row[0])
