"""Columns of numpy arrays to Parquet files. One thread writes a file: its bytes follow from its columns alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy.typing as npt

ID_START = 100_000_000_000_000_000
"""Pupil 0's identifier: 18 digits, like the NPD's anonymous matching reference."""


@dataclass(frozen=True, slots=True)
class Coded:
    """texts[index] in each row; an index of len(texts) is an empty value."""

    texts: tuple[str, ...]
    index: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ticks:
    """step × ticks in each row, as an exact decimal; empty where `missing` holds."""

    step: Decimal
    ticks: npt.NDArray[Any]
    missing: npt.NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class Ids:
    """Pseudonymous identifiers of pupils, given by their numbers."""

    numbers: npt.NDArray[Any]


Column = Coded | Ticks | Ids


class Writer:
    """Writes files one after another. Not to be shared by threads."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})
        # Rows keep their order only while the columns, not the tables of texts, are what is scanned.
        self._connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        self._tables: dict[tuple[str, ...], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def write(self, path: Path, columns: Mapping[str, Column]) -> Path:
        arrays: dict[str, npt.NDArray[Any]] = {}
        shown, joins = [], []
        for i, (name, column) in enumerate(columns.items()):
            value, join = self._column(f"c{i}", column, arrays)
            shown.append(f'{value} AS "{name}"')
            joins.append(join)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection.register("rows", arrays)
        query = f"SELECT {', '.join(shown)} FROM rows {' '.join(joins)}"  # noqa: S608 - names of the catalogue
        self._connection.execute(f"COPY ({query}) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
        self._connection.unregister("rows")
        return path

    def _column(self, name: str, column: Column, arrays: dict[str, npt.NDArray[Any]]) -> tuple[str, str]:
        """The SQL of its values, and the join that they need."""
        if isinstance(column, Coded):
            arrays[name] = column.index
            table = self._texts(column.texts)
            return f"{name}.text", f"JOIN {table} {name} ON {name}.i = rows.{name}"
        if isinstance(column, Ids):
            arrays[name] = column.numbers
            return f"(rows.{name} + {ID_START})::VARCHAR", ""
        arrays[name] = column.ticks
        value = f"rows.{name} * {column.step:f}"
        if column.missing is None:
            return value, ""
        arrays[f"{name}m"] = column.missing
        return f"CASE WHEN rows.{name}m THEN NULL ELSE {value} END", ""

    def _texts(self, texts: tuple[str, ...]) -> str:
        """A table of the texts by their place, kept for the next file. ENUMs go into Parquet as they are."""
        if texts not in self._tables:
            name, given = f"t{len(self._tables)}", {"texts": list(texts)}
            distinct = "SELECT unnest(list_distinct($texts::VARCHAR[]))"
            places = "SELECT i::UINTEGER AS i, list_extract($texts::VARCHAR[], i + 1)"
            self._connection.execute(f"CREATE TYPE e{name} AS ENUM ({distinct})", given)
            self._connection.execute(
                f"CREATE TABLE {name} AS {places}::e{name} AS text FROM range(len($texts) + 1) r(i)", given
            )
            self._tables[texts] = name
        return self._tables[texts]
