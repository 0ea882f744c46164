"""The DuckDB engine: a published cut, opened read-only and locked down."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from datasets.engines.dense import exact_groups, exact_table
from datasets.plan import EngineFailed, EngineRefused, Plan
from datasets.sql import Statement, compile_plan
from disclosure.tables import ExactGroups, ExactTable, Integers


class DuckDBEngine:
    """One read-only connection, one cursor per query. seconds and memory bound each query."""

    def __init__(self, database: Path, seconds: float = 10.0, memory: str = "2GB", threads: int = 1) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(threads),
            "memory_limit": memory,
            "max_execution_time": str(max(1, round(seconds * 1000))),
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_persistent_secrets": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "lock_configuration": "true",
        }
        try:
            self._connection = duckdb.connect(str(database), read_only=True, config=config)
        except duckdb.Error:
            raise EngineRefused(f"{database.name}: cannot be opened; restore it or publish again") from None

    def aggregate(self, plan: Plan) -> ExactTable:
        return exact_table(plan, compile_plan(plan), self._run)

    def listed(self, plan: Plan) -> ExactGroups:
        return exact_groups(plan, compile_plan(plan), self._run)

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
