"""Tables of a release: several Parquet files as one, one as CSV (rows keep their order), and counts of their values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

MEMORY = "1GB"


def joined(parts: Sequence[Path], out: Path) -> Path:
    """All rows in one file, which says of itself what the first one does."""
    if len(parts) == 1:
        out.hardlink_to(parts[0])
        return out
    with _connected() as connection:
        rows = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(parts[0])]).fetchall()
        about = {key.decode(): value.decode() for key, value in rows}
        connection.execute(
            "COPY (FROM read_parquet($parts)) TO $out (FORMAT parquet, COMPRESSION zstd, KV_METADATA $about)",
            {"parts": [str(p) for p in parts], "out": str(out), "about": about},
        )
    return out


def counted(parts: Sequence[Path], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Each combination of values that occurs, and in how many rows."""
    listed = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    query = f"SELECT {listed}, count(*) FROM read_parquet($parts) GROUP BY ALL"  # noqa: S608 - quoted
    with _connected() as connection:
        return connection.execute(query, {"parts": [str(p) for p in parts]}).fetchall()


def write_csv(table: Path, out: Path) -> Path:
    with _connected() as connection:
        connection.execute(
            "COPY (FROM read_parquet($table)) TO $out (FORMAT csv, HEADER)", {"table": str(table), "out": str(out)}
        )
    return out


def _connected() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1, "memory_limit": MEMORY, "preserve_insertion_order": True})
