"""Tables of a release: several Parquet files as one, one as CSV (rows keep their order), and counts of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from synthetic.folder import tables_of

MEMORY = "1GB"
NOBODY = "Synthetic: nobody in these rows exists."


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


def _connected(file: Path | None = None) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "memory_limit": MEMORY}
    return duckdb.connect(str(file or ":memory:"), config=config | {"preserve_insertion_order": file is None})


def write_duckdb(folder: Path, manifest: Mapping[str, Any], out: Path) -> dict[str, int]:
    """One DuckDB file of all tables, with its rows by table; each says that it is synthetic, and so does the table
    `about`. It gets its name when it is whole. Raises ValueError where there is such a file, or no Parquet files."""
    tables = tables_of(manifest)
    if out.exists() or not tables:
        raise ValueError(f"{out}: is there already" if out.exists() else f"{folder}: has no Parquet files")
    making = out.with_name(f".{out.name}.making")
    making.unlink(missing_ok=True)
    with _connected(making) as connection:
        rows = {name: _table(connection, name, [folder / p for p in parts]) for name, parts in tables.items()}
        connection.execute("CREATE TABLE about (name VARCHAR, value VARCHAR)")
        said = [
            (name, str(manifest.get(name))) for name in ("provenance", "is_synthetic", "tier", "generator", "keeps")
        ]
        connection.executemany("INSERT INTO about VALUES (?, ?)", [*said, ("notice", NOBODY)])
    making.rename(out)
    return rows


def _table(connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[Path]) -> int:
    quoted = '"' + name.replace('"', '""') + '"'
    given = {"parts": [str(p) for p in parts]}
    connection.execute(f"CREATE TABLE {quoted} AS FROM read_parquet($parts)", given)
    connection.execute(f"COMMENT ON TABLE {quoted} IS '{NOBODY}'")
    (found,) = connection.execute(f"SELECT count(*) FROM {quoted}").fetchone() or (0,)  # noqa: S608 - quoted
    return int(found)
