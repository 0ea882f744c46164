"""The DuckDB engine: a published cut, opened read-only and locked down."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from sqlglot import exp

from datasets.dialects import DUCKDB, home_of
from datasets.engines.dense import exact_groups, exact_table
from datasets.plan import EngineFailed, EngineRefused, Plan
from datasets.sql import UNIT, Statement, compile_plan
from disclosure.aggregates import DistinctCount
from disclosure.tables import ExactGroups, ExactTable, Integers


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
        self._units: dict[str, int] = {}
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
        units = self._units_of(plan) if DistinctCount() in plan.aggregates else None
        return exact_table(plan, compile_plan(plan, DUCKDB, units), self._run)

    def listed(self, plan: Plan) -> ExactGroups:
        return exact_groups(plan, compile_plan(plan), self._run)

    def _units_of(self, plan: Plan) -> int:
        """Above every pupil's number in the data set; four figures of it, so that one pupil more is hardly ever seen
        in what a question takes. Read from the file's statistics, once."""
        found = self._units.get(plan.data_set.id)
        if found is None:
            highest = exp.select(exp.Max(this=exp.column(UNIT))).from_(DUCKDB.table(plan.data_set))
            (column,) = self._run(Statement(highest.sql("duckdb"), {}, (), None))
            found = self._units[plan.data_set.id] = _round(int(column[0]) + 1)
        return found

    def close(self) -> None:
        self._connection.close()

    def _run(self, statement: Statement) -> list[Integers]:
        """Columns of the result as integers, NULL as −1, a UBIGINT as the int64 of its bits.

        DuckDB's error text may quote data and goes no further.
        """
        found: dict[str, Any] | None = None
        with suppress(duckdb.Error, MemoryError), self._connection.cursor() as cursor:
            found = cursor.execute(statement.sql, statement.parameters).fetchnumpy()
        if found is None:  # raised out here, so that not even the context of the exception holds DuckDB's text
            raise EngineFailed
        return [_whole(column) for column in found.values()]


def _round(units: int) -> int:
    """Up, to four binary figures."""
    step = 1 << max(0, units.bit_length() - 4)
    return -(-units // step) * step


def _whole(column: Any) -> Integers:
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.filled(column.astype(np.int64), -1)
    return column if column.dtype.itemsize <= 2 else np.asarray(column, np.int64)
