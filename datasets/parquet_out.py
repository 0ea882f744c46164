"""Rows of public numbers as the bytes of a Parquet file, written by DuckDB, which is here for the data anyway."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Cell = str | float | int | None
TYPES = {str: "VARCHAR", float: "DOUBLE"}


def parquet(columns: Mapping[str, type], rows: Iterable[Sequence[Cell]], about: Mapping[str, str]) -> bytes:
    """columns: name → str or float; None is null. about: the file's own metadata.

    By way of two files, since DuckDB takes rows one by one slowly.
    """
    import duckdb

    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "rows.csv", Path(scratch) / "rows.parquet"
        with source.open("w", encoding="utf-8", newline="") as file:
            file.writelines(",".join(map(_field, row)) + "\n" for row in rows)
        with duckdb.connect(config={"threads": 1}) as connection:
            types = {name: TYPES[kind] for name, kind in columns.items()}
            connection.execute(
                "COPY (SELECT * FROM read_csv($source, columns = $types, auto_detect = false, header = false,"
                " delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false))"
                " TO $target (FORMAT parquet, COMPRESSION zstd, KV_METADATA $about)",
                {"source": str(source), "target": str(target), "types": types, "about": dict(about)},
            )
        return target.read_bytes()


def _field(cell: Cell) -> str:
    """Text is quoted, even when empty, so that it is not null."""
    if isinstance(cell, str):
        return '"' + cell.replace('"', '""') + '"'
    return "" if cell is None else repr(cell)
