"""The DuckDB engine: a published cut, opened read-only and locked down."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from sqlglot import exp

from datasets.plan import EngineFailed, Plan
from datasets.sql import Statement, Wanted, compile_plan, home_of
from disclosure.aggregates import BinnedCount
from disclosure.evidence import RecordKeys, numbers_of
from disclosure.tables import ExactGroups, ExactTable, Integers


class EngineRefused(Exception):
    """The cut cannot be opened."""


class DuckDBEngine:
    """All files of a cut in one instance, read-only and locked down, with a cursor per query.

    databases: data set → the file with its table. seconds bounds each query; memory, all of them together.
    """

    def __init__(
        self, databases: Mapping[str, Path], seconds: float = 10.0, memory: str = "2GB", threads: int = 1
    ) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(threads),
            "memory_limit": memory,
            "max_execution_time": str(max(1, round(seconds * 1000))),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
        }
        self._connection = duckdb.connect(":memory:", config=config)
        for data_set, path in databases.items():
            self._attach(data_set, path)
        # Only now: nothing could be attached after it.
        self._connection.execute("SET GLOBAL enable_external_access = false")
        self._connection.execute("SET GLOBAL lock_configuration = true")

    def _attach(self, data_set: str, path: Path) -> None:
        alias = exp.to_identifier(home_of(data_set), quoted=True).sql("duckdb")
        try:
            self._connection.execute(f"ATTACH $path AS {alias} (READ_ONLY)", {"path": str(path)})
        except duckdb.Error:
            self._connection.close()
            raise EngineRefused(f"{path.name}: cannot be opened; restore it or publish again") from None

    def aggregate(self, plan: Plan) -> ExactTable:
        found: dict[Wanted, Integers] = {}
        for statement in compile_plan(plan):
            columns = self._run(statement)
            found |= (_dense if statement.binned is None else _dense_bins)(plan, statement, columns)
        return ExactTable({a: found[a] for a in plan.aggregates}, plan.cells, {e: found[e] for e in plan.evidence})

    def listed(self, plan: Plan) -> ExactGroups:
        (statement,) = compile_plan(plan)
        *keys, counts = self._run(statement)
        cells = _cells(plan, keys)
        order = np.argsort(cells)
        inside = order[np.searchsorted(cells, 0, sorter=order) :]
        return ExactGroups(cells[inside], counts[inside])

    def close(self) -> None:
        self._connection.close()

    def _run(self, statement: Statement) -> list[Integers]:
        """Columns of the result as int64, NULL as −1, a UBIGINT as the int64 of its bits.

        DuckDB's error text may quote data and goes no further.
        """
        found: dict[str, Any] | None = None
        with suppress(duckdb.Error, MemoryError), self._connection.cursor() as cursor:
            found = cursor.execute(statement.sql, statement.parameters).fetchnumpy()
        if found is None:  # raised out here, so that not even the context of the exception holds DuckDB's text
            raise EngineFailed
        return [_whole(column) for column in found.values()]


def _whole(column: Any) -> Integers:
    return np.ma.filled(np.ma.asarray(column).astype(np.int64), -1)


def _cells(plan: Plan, columns: list[Integers]) -> Integers:
    """Row-major cell of each result row; −1 outside the key space (NULL bands, codes not shown)."""
    rows = columns[0].size if columns else 1
    cell, outside = np.zeros(rows, np.int64), np.zeros(rows, bool)
    for axis, column in zip(plan.axes, columns, strict=False):
        place = np.full(max(axis.positions) + 2, -1, np.int64)
        place[list(axis.positions)] = np.arange(len(axis.positions))
        shown = place[np.where(column < place.size - 1, column, -1)]
        outside |= shown < 0
        cell = cell * len(axis.positions) + shown
    return np.where(outside, -1, cell)


def _dense(plan: Plan, statement: Statement, columns: list[Integers]) -> dict[Wanted, Integers]:
    cell = _cells(plan, columns[: len(plan.axes)]) if plan.axes else np.zeros(1, np.int64)
    inside, numbers = cell >= 0, iter(columns[len(plan.axes) :])
    found: dict[Wanted, Integers] = {}
    for wanted in statement.wanted:
        table = np.zeros((plan.cells, numbers_of(wanted)), np.int64)
        for place in range(table.shape[1]):
            table[cell[inside], place] = next(numbers)[inside]
        found[wanted] = table
    return found


def _dense_bins(plan: Plan, statement: Statement, columns: list[Integers]) -> dict[Wanted, Integers]:
    keys, (atom, count, *record_keys) = columns[: len(plan.axes)], columns[len(plan.axes) :]
    cell = _cells(plan, keys) if plan.axes else np.zeros(atom.size, np.int64)
    found: dict[Wanted, Integers] = {}
    for wanted in statement.wanted:
        counted, numbers = (wanted.of, record_keys[0]) if isinstance(wanted, RecordKeys) else (wanted, count)
        if not isinstance(counted, BinnedCount):
            raise TypeError("a binned statement holds binned counts only")
        place = np.full(len(plan.data_set.by_name[counted.variable].atoms) + 1, -1, np.int64)
        for i, group in enumerate(counted.bins):
            place[list(group)] = i
        inside = (cell >= 0) & (place[atom] >= 0)
        flat = np.zeros(plan.cells * len(counted.bins), np.int64)
        # Keys add up modulo 2⁶⁴, as the bits of int64 do.
        np.add.at(flat, cell[inside] * len(counted.bins) + place[atom[inside]], numbers[inside])
        found[wanted] = flat.reshape(plan.cells, -1)
    return found
