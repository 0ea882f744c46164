"""Columns of numpy arrays to Parquet files. One thread writes a file: its bytes follow from its columns alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
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

    @classmethod
    def whole(cls, numbers: npt.ArrayLike) -> Ticks:
        return cls(Decimal(1), np.asarray(numbers, np.int64))


@dataclass(frozen=True, slots=True)
class Ids:
    """Pseudonymous identifiers of pupils, given by their numbers."""

    numbers: npt.NDArray[Any]


Column = Coded | Ticks | Ids
MARK = "is_synthetic"
"""A column of every file; ingest does not read it."""
FEW = 50_000
"""Up to so many rows texts are looked up in lists; beyond, joins to tables of them cost less."""


class Writer:
    """Writes files one after another. Not to be shared by threads."""

    def __init__(self, marks: Mapping[str, str] | None = None, as_csv: bool = False) -> None:
        self._connection = duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})
        # Rows keep their order only while the columns, not the tables of texts, are what is scanned.
        self._connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        self._names: dict[tuple[str, ...], str] = {}
        self._as_csv = as_csv
        said = ", ".join(f"{k}: {_literal(v)}" for k, v in (marks or {}).items())
        self._form = f"FORMAT parquet, COMPRESSION zstd{f', KV_METADATA {{{said}}}' if said else ''}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def write(self, path: Path, columns: Mapping[str, Column]) -> Path:
        arrays: dict[str, npt.NDArray[Any]] = {}
        shown, joins = [], []
        many = max(map(_length, columns.values()), default=0) > FEW
        for i, (name, column) in enumerate(columns.items()):
            value, join = self._column(f"c{i}", column, arrays, many)
            shown.append(f'{value} AS "{name}"')
            joins.append(join)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection.register("rows", arrays)
        shown.append(f"true AS {MARK}")
        query = f"SELECT {', '.join(shown)} FROM rows {' '.join(joins)}"  # noqa: S608 - names of the catalogue
        form = "FORMAT csv, HEADER" if self._as_csv else self._form
        path = path.with_suffix(".csv") if self._as_csv else path
        self._connection.execute(f"COPY ({query}) TO {_literal(str(path))} ({form})")
        self._connection.unregister("rows")
        return path

    def _column(self, name: str, column: Column, arrays: dict[str, npt.NDArray[Any]], many: bool) -> tuple[str, str]:
        """The SQL of its values, and the join that they need."""
        if isinstance(column, Coded):
            if not column.texts:
                return "NULL::VARCHAR", ""
            if len(column.texts) == 1 and not column.index.any():
                return _literal(column.texts[0]), ""
            arrays[name] = column.index
            texts = self._texts(column.texts)
            if many:
                return f"{name}.text", f"JOIN {texts} {name} ON {name}.i = rows.{name}"
            return f"getvariable('{texts}')[rows.{name} + 1]::e{texts}", ""
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
        """The name of their list, of a table of them by their place, and (with e) of their ENUM, which goes into
        Parquet as it is. Kept for the next file."""
        if texts not in self._names:
            name, run = f"t{len(self._names)}", self._connection.execute
            run(f"SET VARIABLE {name} = $texts::VARCHAR[]", {"texts": list(texts)})
            run(f"CREATE TYPE e{name} AS ENUM (SELECT unnest(list_distinct(getvariable('{name}'))))")
            rows = f"SELECT i::UINTEGER AS i, getvariable('{name}')[i + 1]::e{name} AS text FROM range($rows) r(i)"  # noqa: S608
            run(f"CREATE TABLE {name} AS {rows}", {"rows": len(texts) + 1})
            self._names[texts] = name
        return self._names[texts]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _length(column: Column) -> int:
    if isinstance(column, Coded):
        return len(column.index)
    return len(column.numbers if isinstance(column, Ids) else column.ticks)
